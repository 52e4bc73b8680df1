"""What others see of a turn while it runs: its events, in batches, and how it stands. Only the engine asks for them."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from todo_cli.contract.base import Request
from todo_cli.contract.tokens import Id
from todo_cli.contract.turn_steps import Message, PendingCall, Position, Step, TurnState, UsageRecord


class StoreEvents(Step, frozen=True, kw_only=True):
    """Keep what others who watch shall see, and the lease; `first` is the batch's number."""

    verb = "StoreEvents"

    first: Position
    after: Position
    batch: tuple[dict[str, Any], ...] = ()


class EventBatch(Struct, frozen=True, kw_only=True):
    """Some events of a turn."""

    n: int
    events: tuple[dict[str, Any], ...]


class TurnProgress(Struct, frozen=True, kw_only=True):
    """What came after a batch, and how the turn stands. `live`: its lease runs; `events`: how many batches it has had.

    `said`: its messages, where it has ended and its events are gone. `usage`: of all its answers, once it has ended.
    """

    batches: tuple[EventBatch, ...]
    state: TurnState
    attempt: int
    held: tuple[PendingCall, ...] = ()
    error: dict[str, Any] | None = None
    conversation: str = ""
    live: bool = True
    events: int = 0
    messages: tuple[Message, ...] = ()
    usage: UsageRecord | None = None


class ReadEvents(Request[TurnProgress], frozen=True, kw_only=True):
    """Read a turn's events after batch `after`."""

    verb = "ReadEvents"
    scope = "chat"
    write = False

    turn: Id
    after: Annotated[int, Meta(ge=-1, le=2**63 - 1)] = -1
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 200

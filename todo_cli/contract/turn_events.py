"""The events of a turn, in batches: internal Requests that store them and that watch a turn."""

from collections.abc import Callable
from typing import Annotated, Any

from msgspec import Meta, Struct

from todo_cli.contract.base import Request
from todo_cli.contract.limits import MAX_INTEGER, MAX_PAGE_ITEMS
from todo_cli.contract.tokens import Id
from todo_cli.contract.turn_steps import Message, PendingCall, Position, Step, TurnState, UsageRecord

TurnEvent = dict[str, Any]
"""An event as JSON; its `kind` says which fields it has."""
EmitEvent = Callable[[TurnEvent], None]


class StoreEvents(Step, frozen=True, kw_only=True):
    """Store a batch of events for watchers and renew the lease; `first` is the number of the batch."""

    verb = "StoreEvents"

    first: Position
    after: Position
    batch: tuple[dict[str, Any], ...] = ()


class EventBatch(Struct, frozen=True, kw_only=True):
    """A batch of events of a turn."""

    n: int
    events: tuple[dict[str, Any], ...]


class TurnProgress(Struct, frozen=True, kw_only=True):
    """The batches after a given one, and the state of the turn. It is `live` until its lease expires.

    `events` counts its batches. Once the turn has ended, `usage` is the sum of its answers; when its events have been
    deleted, `messages` has its messages instead.
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
    """Read the events of a turn after batch `after`."""

    verb = "ReadEvents"
    scope = "chat"
    write = False

    turn: Id
    after: Annotated[int, Meta(ge=-1, le=MAX_INTEGER)] = -1
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE_ITEMS)] = 200

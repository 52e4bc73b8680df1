"""The steps of a turn. Only the engine asks for them, so they have no route; each is one transaction.

Every step but the first carries the turn's attempt: whoever has an older one is refused. All may be repeated.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from todo_cli.contract.base import Name, Request
from todo_cli.contract.plans import Arguments, Plan, Verb
from todo_cli.contract.tokens import Id
from todo_cli.contract.usage import Budget

MessageText = Annotated[str, Meta(min_length=1, max_length=100_000, description="what the person says")]
TurnLeaseSeconds = Annotated[
    float, Meta(gt=0, le=300, description="seconds that the turn is the runner's without a sign of life")
]
Position = Annotated[int, Meta(ge=0, le=2**63 - 1)]
TurnState = Literal["running", "awaiting", "answered", "done", "stopped", "failed"]
UsageRecord = dict[str, Any]

ENDED_STATES = ("done", "stopped", "failed")


class MessageCall(Struct, frozen=True, kw_only=True):
    """A call as the model wished it: nothing is judged, the id is the provider's."""

    name: str
    arguments: str
    id: str = ""


class Message(Struct, frozen=True, kw_only=True):
    """One message. A tool's names the call that it answers by the message that wished it, and the place there."""

    conversation: str
    seq: int
    turn: str
    role: Literal["user", "assistant", "tool", "summary"]
    content: str
    status: Literal["whole", "interrupted", "dead"] = "whole"
    calls: tuple[MessageCall, ...] = ()
    call_seq: int | None = None
    call_index: int | None = None
    tokens: int = 0
    model: str | None = None
    usage: UsageRecord | None = None
    at: datetime | UnsetType = UNSET


class PendingCall(Struct, frozen=True, kw_only=True):
    """A call that waits for a person's yes, with what exactly it would do."""

    message: int
    index: int
    plan: Plan


class ClaimedTurn(Struct, frozen=True, kw_only=True):
    """A turn that may be run, or, where `mine` is false, only be watched. `first`: nothing was said before it."""

    conversation: str
    number: int
    turn: str
    state: TurnState
    attempt: int
    head: int
    events: int
    zone: str
    mine: bool
    reset: bool = False
    first: bool = False


class StepStored(Struct, frozen=True, kw_only=True):
    """Where the conversation stands after a step; `stop`: somebody has asked for the turn's end."""

    head: int
    state: TurnState = "running"
    stop: bool = False


class BeginTurn(Request[ClaimedTurn], frozen=True, kw_only=True):
    """Store what the person says and claim the turn; the same turn again attaches to it, or takes it over.

    Without `text` it only does that: for who goes on with a turn that was answered or has died.
    """

    verb = "BeginTurn"
    scope = "chat"

    conversation: Id
    turn: Id
    runner: Id
    text: MessageText | None = None
    lease: TurnLeaseSeconds = 30
    model: Name | None = None


class Step(Request[StepStored], frozen=True, kw_only=True):
    """What a runner does in a turn that is its own."""

    scope: ClassVar[str | None] = "chat"
    write: ClassVar[bool] = False

    turn: Id
    attempt: Annotated[int, Meta(ge=1)]
    lease: TurnLeaseSeconds = 30


class Replay(Struct, frozen=True, kw_only=True):
    """The newest messages of the line, oldest first; `cut`: there are older ones behind them, not summarised.

    `over`: the person's budget, once it is spent.
    """

    messages: tuple[Message, ...]
    summary: str | None = None
    cut: bool = False
    over: Budget | None = None


class ReadReplay(Request[Replay], frozen=True, kw_only=True):
    """Read the newest messages that fit a budget; all of the newest turn, and none behind a summary."""

    verb = "ReadReplay"
    scope = "chat"
    write = False

    conversation: Id
    budget: Annotated[int, Meta(ge=1, description="in tokens, as they are estimated")] = 32_000


class StoreAnswer(Step, frozen=True, kw_only=True):
    """Store what the model said and wishes to call, before anything of it is done."""

    verb = "StoreAnswer"

    after: Position
    text: str
    calls: Annotated[tuple[MessageCall, ...], Meta(min_length=1, max_length=200)]
    model: Name | None = None
    usage: UsageRecord | None = None


class RefusedCall(Struct, frozen=True, kw_only=True):
    """What is answered to a call without doing it."""

    message: int
    index: int
    text: str


class StoreResults(Step, frozen=True, kw_only=True):
    """Answer calls that are not carried out."""

    verb = "StoreResults"

    results: Annotated[tuple[RefusedCall, ...], Meta(min_length=1, max_length=200)]


class CallResult(Struct, frozen=True, kw_only=True):
    """What a call did; `new` is False when it had been done before."""

    content: str
    head: int
    new: bool = True
    stop: bool = False


class RunCall(Request[CallResult], frozen=True, kw_only=True):
    """Do one call and store its result in the same transaction, once, however often it is asked for."""

    verb = "RunCall"
    scope = "chat"

    turn: Id
    attempt: Annotated[int, Meta(ge=1)]
    lease: TurnLeaseSeconds = 30
    message: Position
    index: Position
    operation: Verb = field(name="verb")  # in Python `verb` is this Request's own
    arguments: Arguments


class CallToApprove(Struct, frozen=True, kw_only=True):
    """A call that needs a yes."""

    message: int
    index: int
    verb: Verb
    arguments: Arguments


class PendingCalls(Struct, frozen=True, kw_only=True):
    """What waits for an answer; empty, and the turn goes on, when none of it could be done at all."""

    held: tuple[PendingCall, ...]
    head: int
    state: TurnState


class HoldCalls(Request[PendingCalls], frozen=True, kw_only=True):
    """Work out what the calls would do, and let the turn wait for a person's answer."""

    verb = "HoldCalls"
    scope = "chat"

    turn: Id
    attempt: Annotated[int, Meta(ge=1)]
    calls: Annotated[tuple[CallToApprove, ...], Meta(min_length=1, max_length=200)]


class EndTurn(Step, frozen=True, kw_only=True):
    """Store the last words and end the turn."""

    verb = "EndTurn"

    text: str
    state: Literal["done", "stopped", "failed"] = "done"
    status: Literal["whole", "interrupted"] = "whole"
    model: Name | None = None
    usage: UsageRecord | None = None
    total: UsageRecord | None = None
    error: dict[str, Any] | None = None


class StoreSummary(Step, frozen=True, kw_only=True):
    """Keep a summary of all up to the message `reaches` (0: of all that a fork inherited); the messages stay."""

    verb = "StoreSummary"

    conversation: Id
    reaches: Position
    text: MessageText
    model: Name | None = None
    usage: UsageRecord | None = None


class StoreTitle(Request[StepStored], frozen=True, kw_only=True):
    """Name a conversation after its first turn, in which the person had `said` this; somebody's own name stays."""

    verb = "StoreTitle"
    scope = "chat"
    write = False

    conversation: Id
    turn: Id
    first_message: str
    title: Name | None = None
    model: Name | None = None
    usage: UsageRecord | None = None

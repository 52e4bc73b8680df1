"""The steps of a turn: internal Requests of the process that runs it, each one transaction.

Every step but the first carries the number of its attempt, a fencing token: steps of an older attempt are refused. Any
step may be repeated.
"""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from todo_cli.contract.base import Name, Request
from todo_cli.contract.consent import Consent
from todo_cli.contract.limits import MAX_CALLS_PER_MESSAGE, MAX_INTEGER, MAX_MESSAGE_CHARS, MAX_TURN_LEASE_SECONDS
from todo_cli.contract.plans import Arguments, Plan, Verb
from todo_cli.contract.tokens import Id
from todo_cli.contract.usage import Budget

MessageText = Annotated[str, Meta(min_length=1, max_length=MAX_MESSAGE_CHARS, description="the person's message")]
TurnLeaseSeconds = Annotated[
    float, Meta(gt=0, le=MAX_TURN_LEASE_SECONDS, description="seconds after which another process may take over")
]
Position = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
TurnState = Literal["running", "awaiting", "answered", "done", "stopped", "failed"]
UsageRecord = dict[str, Any]

ENDED_STATES = ("done", "stopped", "failed")


class MessageCall(Struct, frozen=True, kw_only=True):
    """A tool call of a message, unchecked, as the model wrote it; the id is the provider's."""

    name: str
    arguments: str
    id: str = ""


class Message(Struct, frozen=True, kw_only=True):
    """One message. A tool's message names its call: the message `call_seq` and the position `call_index` there."""

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
    """A tool call that waits for approval, and the plan of its exact effect."""

    message: int
    index: int
    plan: Plan


class ClaimedTurn(Struct, frozen=True, kw_only=True):
    """A turn that the caller may run or, when `mine` is false, only watch; `first` in its conversation."""

    conversation: str
    number: int
    turn: str
    state: TurnState
    attempt: int
    head: int
    events: int
    now: datetime
    zone: str
    mine: bool
    reset: bool = False
    first: bool = False


class StepStored(Struct, frozen=True, kw_only=True):
    """The head of the conversation after a step; `stop` asks the process to end the turn."""

    head: int
    state: TurnState = "running"
    stop: bool = False


class BeginTurn(Request[ClaimedTurn], frozen=True, kw_only=True):
    """Store the person's message and claim the turn; repeated, it attaches to the turn or takes it over.

    Without `text` it only claims a turn that was approved or whose process has died.
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
    """A step of the process that holds the turn."""

    scope: ClassVar[str | None] = "chat"
    write: ClassVar[bool] = False

    turn: Id
    attempt: Annotated[int, Meta(ge=1)]
    lease: TurnLeaseSeconds = 30


class Replay(Struct, frozen=True, kw_only=True):
    """The newest messages of the branch, oldest first; `cut` when older messages are missing from the summary, too.

    `over` is the user's budget once it is spent.
    """

    messages: tuple[Message, ...]
    summary: str | None = None
    cut: bool = False
    over: Budget | None = None


class ReadReplay(Request[Replay], frozen=True, kw_only=True):
    """Read the newest messages that fit a budget of tokens: all of the newest turn, and none that are summarized."""

    verb = "ReadReplay"
    scope = "chat"
    write = False

    conversation: Id
    budget: Annotated[int, Meta(ge=1, description="in estimated tokens")] = 32_000


class StoreAnswer(Step, frozen=True, kw_only=True):
    """Store the model's message and its tool calls before any of them runs."""

    verb = "StoreAnswer"

    after: Position
    text: str
    calls: Annotated[tuple[MessageCall, ...], Meta(min_length=1, max_length=MAX_CALLS_PER_MESSAGE)]
    model: Name | None = None
    usage: UsageRecord | None = None


class RefusedCall(Struct, frozen=True, kw_only=True):
    """The result of a tool call that does not run."""

    message: int
    index: int
    text: str


class StoreResults(Step, frozen=True, kw_only=True):
    """Store results of tool calls that do not run."""

    verb = "StoreResults"

    results: Annotated[tuple[RefusedCall, ...], Meta(min_length=1, max_length=MAX_CALLS_PER_MESSAGE)]


class CallResult(Struct, frozen=True, kw_only=True):
    """The result of a tool call; `new` is False when it had run before.

    With `needs_approval` nothing was done: the person did not ask for this change.
    """

    content: str
    head: int
    new: bool = True
    stop: bool = False
    needs_approval: bool = False


class RunCall(Request[CallResult], frozen=True, kw_only=True):
    """Run one tool call and store its result in the same transaction, exactly once.

    A change beyond the person's `consent` is not made.
    """

    verb = "RunCall"
    scope = "chat"

    turn: Id
    attempt: Annotated[int, Meta(ge=1)]
    lease: TurnLeaseSeconds = 30
    message: Position
    index: Position
    operation: Verb = field(name="verb")  # in Python `verb` is this Request's own
    arguments: Arguments
    consent: Consent = Consent()


class CallToApprove(Struct, frozen=True, kw_only=True):
    """A tool call that needs approval."""

    message: int
    index: int
    verb: Verb
    arguments: Arguments


class PendingCalls(Struct, frozen=True, kw_only=True):
    """The calls that wait for approval. They are empty when none could run at all; the turn then goes on."""

    held: tuple[PendingCall, ...]
    head: int
    state: TurnState


class HoldCalls(Request[PendingCalls], frozen=True, kw_only=True):
    """Plan tool calls and let the turn wait for approval."""

    verb = "HoldCalls"
    scope = "chat"

    turn: Id
    attempt: Annotated[int, Meta(ge=1)]
    calls: Annotated[tuple[CallToApprove, ...], Meta(min_length=1, max_length=MAX_CALLS_PER_MESSAGE)]


class EndTurn(Step, frozen=True, kw_only=True):
    """Store the last message and end the turn; `wants_title` queues a title where it is the conversation's first."""

    verb = "EndTurn"

    text: str
    state: Literal["done", "stopped", "failed"] = "done"
    status: Literal["whole", "interrupted"] = "whole"
    model: Name | None = None
    usage: UsageRecord | None = None
    total: UsageRecord | None = None
    error: dict[str, Any] | None = None
    wants_title: bool = False

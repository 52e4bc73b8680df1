"""Conversations: the Requests of people that list, show and change them. Models have none of these as tools."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from todo_cli.contract.base import Limit, Name, Number, Request
from todo_cli.contract.journal import Undone
from todo_cli.contract.limits import MAX_CALLS_PER_MESSAGE, MAX_INTEGER, MAX_TASKS_PER_CHANGE
from todo_cli.contract.tokens import Id
from todo_cli.contract.turn_steps import Message, PendingCall, Position, TurnState

ConversationNumber = Annotated[int, Meta(ge=1, le=MAX_INTEGER, description="a conversation's number")]
MessageSeq = Annotated[int, Meta(ge=1, le=MAX_INTEGER, description="a message's position in its conversation")]


class Turn(Struct, frozen=True, kw_only=True):
    """One turn: a person's message with everything it triggered; `held` are the calls that wait for approval."""

    id: str
    conversation: int
    state: TurnState
    attempt: int
    approved: bool | None = None
    held: tuple[PendingCall, ...] = ()
    error: dict[str, Any] | None = None


class Conversation(Struct, frozen=True, kw_only=True):
    """A conversation without its messages; `turn` and `state` are those of its newest turn."""

    number: int
    id: str
    title: str
    model: str | None = None
    head: int | None = None
    turn: str | None = None
    state: TurnState | None = None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None


class ConversationPage(Struct, frozen=True, kw_only=True):
    """A page of conversations, newest first. `next` is the cursor of the next page, null on the last one."""

    conversations: tuple[Conversation, ...]
    next: str | None = None


class ConversationDetail(Struct, frozen=True, kw_only=True):
    """A conversation and its newest messages, oldest first. `next` is the cursor of older ones, null for none."""

    conversation: Conversation
    messages: tuple[Message, ...]
    next: str | None = None


class ListConversations(Request[ConversationPage], frozen=True, kw_only=True):
    """List my conversations, newest first; with `deleted` those in the trash."""

    verb = "ListConversations"
    label = "chat list"
    route = "GET /v1/conversations"
    scope = "chat"
    write = False

    cursor: Annotated[str, Meta(max_length=100)] | None = None
    limit: Limit = 50
    deleted: bool = False


class ShowConversation(Request[ConversationDetail], frozen=True, kw_only=True):
    """Show a conversation and its messages, from the newest backwards."""

    verb = "ShowConversation"
    label = "chat show"
    route = "GET /v1/conversations/{number}"
    scope = "chat"
    write = False

    number: ConversationNumber
    cursor: Annotated[str, Meta(max_length=100)] | None = None
    limit: Limit = 50


class RenameConversation(Request[Conversation], frozen=True, kw_only=True):
    """Rename a conversation."""

    verb = "RenameConversation"
    label = "chat rename"
    past = "Renamed"
    route = "PATCH /v1/conversations/{number}"
    scope = "chat"

    number: ConversationNumber
    title: Name


class RemoveConversation(Request[Conversation], frozen=True, kw_only=True):
    """Move a conversation to the trash, where it is not listed, found or exported; its changes to tasks stay."""

    verb = "RemoveConversation"
    label = "chat rm"
    past = "Deleted"
    route = "DELETE /v1/conversations/{number}"
    scope = "chat"

    number: ConversationNumber


class RestoreConversation(Request[Conversation], frozen=True, kw_only=True):
    """Restore a conversation from the trash."""

    verb = "RestoreConversation"
    label = "chat rm --restore"
    past = "Restored"
    route = "POST /v1/conversations/{number}/restoration"
    scope = "chat"

    number: ConversationNumber


class MoveHead(Request[Conversation], frozen=True, kw_only=True):
    """Continue a conversation after message `to`, the end of a turn, or from its beginning; no message is lost."""

    verb = "MoveHead"
    label = "chat"
    past = "Moved"
    route = "POST /v1/conversations/{number}/head"
    scope = "chat"

    number: ConversationNumber
    to: Position


class ForkConversation(Request[Conversation], frozen=True, kw_only=True):
    """Fork a conversation at a message into a new one; later messages of either are its own."""

    verb = "ForkConversation"
    label = "chat fork"
    past = "Forked"
    route = "POST /v1/conversations/{number}/fork"
    scope = "chat"

    number: ConversationNumber
    id: Id
    at: MessageSeq | None = None


class StopTurn(Request[Turn], frozen=True, kw_only=True):
    """Stop a turn; its text so far and its changes stay."""

    verb = "StopTurn"
    label = "chat stop"
    past = "Stopped"
    route = "POST /v1/turns/{turn}/stop"
    scope = "chat"

    turn: Id


class ChosenTasks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Some tasks of the held call at a place, counted from 0, by their numbers."""

    call: Position
    numbers: Annotated[tuple[Number, ...], Meta(min_length=1, max_length=MAX_TASKS_PER_CHANGE)]


class AnswerTurn(Request[Turn], frozen=True, kw_only=True):
    """Approve or refuse the tool calls that a turn waits for; approval runs exactly what was shown.

    With `only` the approval is for these of the held calls, counted from 0, or for some tasks of a call that names
    several; everything else is refused.
    """

    verb = "AnswerTurn"
    label = "chat approve"
    past = "Answered"
    route = "POST /v1/turns/{turn}/answer"
    scope = "chat"

    turn: Id
    yes: bool
    only: Annotated[tuple[Position | ChosenTasks, ...], Meta(max_length=MAX_CALLS_PER_MESSAGE)] | UnsetType = UNSET


class RewindResult(Struct, frozen=True, kw_only=True):
    """The conversation before a turn, and the text of the turn's message."""

    conversation: Conversation
    text: str


class RewindTurn(Request[RewindResult], frozen=True, kw_only=True):
    """Continue from before a turn, to send its message again or edited; its changes stay, unlike with UndoTurn."""

    verb = "RewindTurn"
    label = "chat retry"
    past = "Rewound"
    route = "POST /v1/turns/{turn}/rewind"
    scope = "chat"

    turn: Id


class UndoTurn(Request[Undone], frozen=True, kw_only=True):
    """Undo all changes of a turn and continue from before it; refused when its tasks have changed since."""

    verb = "UndoTurn"
    label = "chat undo"
    past = "Undid"
    route = "POST /v1/turns/{turn}/undo"
    scope = "chat"

    turn: Id
    partial: bool = False
    dry_run: bool = False


class RedoTurn(Request[Undone], frozen=True, kw_only=True):
    """Redo the changes of an undone turn and continue after it."""

    verb = "RedoTurn"
    label = "chat redo"
    past = "Redid"
    route = "POST /v1/turns/{turn}/redo"
    scope = "chat"

    turn: Id
    partial: bool = False
    dry_run: bool = False

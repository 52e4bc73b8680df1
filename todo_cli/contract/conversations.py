"""Conversations: what people see of them, and what they do with them. Only they themselves: no model may."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from todo_cli.contract.base import Name, Request
from todo_cli.contract.journal import Undone
from todo_cli.contract.tokens import Id
from todo_cli.contract.turn_steps import Message, PendingCall, Position, TurnState

ConversationNumber = Annotated[int, Meta(ge=1, le=2**63 - 1, description="a conversation's number")]
MessageSeq = Annotated[int, Meta(ge=1, le=2**63 - 1, description="a message's place in its conversation")]


class Turn(Struct, frozen=True, kw_only=True):
    """One turn: what the person said, and all that followed from it."""

    id: str
    conversation: int
    state: TurnState
    attempt: int
    approved: bool | None = None
    held: tuple[PendingCall, ...] = ()
    error: dict[str, Any] | None = None


class Conversation(Struct, frozen=True, kw_only=True):
    """A conversation without its messages; `turn` is its newest one, and how that stands."""

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
    """Conversations, newest first; `next` is the cursor for older ones (null: none)."""

    conversations: tuple[Conversation, ...]
    next: str | None = None


class ConversationDetail(Struct, frozen=True, kw_only=True):
    """A conversation and its newest messages, oldest first; `next` is the cursor for older ones (null: none)."""

    conversation: Conversation
    messages: tuple[Message, ...]
    next: str | None = None


class ListConversations(Request[ConversationPage], frozen=True, kw_only=True):
    """List my conversations, newest first; those in the bin with `deleted`."""

    verb = "ListConversations"
    label = "chat list"
    route = "GET /v1/conversations"
    scope = "chat"
    write = False

    cursor: Annotated[str, Meta(max_length=100)] | None = None
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 50
    deleted: bool = False


class ShowConversation(Request[ConversationDetail], frozen=True, kw_only=True):
    """Show a conversation's messages, from the newest backwards."""

    verb = "ShowConversation"
    label = "chat show"
    route = "GET /v1/conversations/{number}"
    scope = "chat"
    write = False

    number: ConversationNumber
    cursor: Annotated[str, Meta(max_length=100)] | None = None
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 50


class RenameConversation(Request[Conversation], frozen=True, kw_only=True):
    """Give a conversation another title."""

    verb = "RenameConversation"
    label = "chat rename"
    past = "Renamed"
    route = "PATCH /v1/conversations/{number}"
    scope = "chat"

    number: ConversationNumber
    title: Name


class RemoveConversation(Request[Conversation], frozen=True, kw_only=True):
    """Move a conversation to the bin: it is not listed, found or exported. What it has changed stays."""

    verb = "RemoveConversation"
    label = "chat rm"
    past = "Deleted"
    route = "DELETE /v1/conversations/{number}"
    scope = "chat"

    number: ConversationNumber


class RestoreConversation(Request[Conversation], frozen=True, kw_only=True):
    """Bring a conversation back from the bin."""

    verb = "RestoreConversation"
    label = "chat rm --restore"
    past = "Restored"
    route = "POST /v1/conversations/{number}/restoration"
    scope = "chat"

    number: ConversationNumber


class MoveHead(Request[Conversation], frozen=True, kw_only=True):
    """Go on from another point: after the turn that ended with message `to`, or from the beginning. Nothing is lost."""

    verb = "MoveHead"
    label = "chat"
    past = "Moved"
    route = "POST /v1/conversations/{number}/head"
    scope = "chat"

    number: ConversationNumber
    to: Position


class ForkConversation(Request[Conversation], frozen=True, kw_only=True):
    """Start a new conversation from a point of this one; from then on they share nothing."""

    verb = "ForkConversation"
    label = "chat fork"
    past = "Forked"
    route = "POST /v1/conversations/{number}/fork"
    scope = "chat"

    number: ConversationNumber
    id: Id
    at: MessageSeq | None = None


class StopTurn(Request[Turn], frozen=True, kw_only=True):
    """Stop a turn: the words that have come and the changes that were made stay."""

    verb = "StopTurn"
    label = "chat stop"
    past = "Stopped"
    route = "POST /v1/turns/{turn}/stop"
    scope = "chat"

    turn: Id


class AnswerTurn(Request[Turn], frozen=True, kw_only=True):
    """Say yes or no to what a turn waits to do. Yes does exactly what was shown; the turn then goes on.

    With `only` the yes is for those of the held calls, by their place from 0; the others are answered no.
    """

    verb = "AnswerTurn"
    label = "chat approve"
    past = "Answered"
    route = "POST /v1/turns/{turn}/answer"
    scope = "chat"

    turn: Id
    yes: bool
    only: Annotated[tuple[Position, ...], Meta(max_length=200)] | UnsetType = UNSET


class RewindResult(Struct, frozen=True, kw_only=True):
    """The conversation as it stands before a turn, and what the person had said."""

    conversation: Conversation
    text: str


class RewindTurn(Request[RewindResult], frozen=True, kw_only=True):
    """Go on from before a turn, to say it again or otherwise. What it has changed stays: see UndoTurn."""

    verb = "RewindTurn"
    label = "chat retry"
    past = "Rewound"
    route = "POST /v1/turns/{turn}/rewind"
    scope = "chat"

    turn: Id


class UndoTurn(Request[Undone], frozen=True, kw_only=True):
    """Take back all that a turn changed, as one, and go on from before it; refused where tasks have moved on."""

    verb = "UndoTurn"
    label = "chat undo"
    past = "Undid"
    route = "POST /v1/turns/{turn}/undo"
    scope = "chat"

    turn: Id
    partial: bool = False
    dry_run: bool = False


class RedoTurn(Request[Undone], frozen=True, kw_only=True):
    """Do again what undoing a turn took back, and go on from after it."""

    verb = "RedoTurn"
    label = "chat redo"
    past = "Redid"
    route = "POST /v1/turns/{turn}/redo"
    scope = "chat"

    turn: Id
    partial: bool = False
    dry_run: bool = False

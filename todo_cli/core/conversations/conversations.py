"""Conversations as users see and change them. They are not in the journal, which every member of a space can read.

A conversation's head points to a message. To continue from another message, to fork and to undo a turn each change
one row; no message is copied.
"""

from __future__ import annotations

from typing import Any, NoReturn

import msgspec

from todo_cli.contract import conversations as ask
from todo_cli.contract.codec import decode
from todo_cli.contract.conversations import Conversation, ConversationDetail, ConversationPage, RewindResult
from todo_cli.contract.turn_steps import ENDED_STATES
from todo_cli.core import validation
from todo_cli.core.conversations import conversations_sql as sql
from todo_cli.core.dispatch import handler
from todo_cli.core.turns.append_sql import LOCK_CONVERSATION
from todo_cli.core.turns.snapshot import raise_turn_not_found
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Conflict, Invalid, NotFound

TIMESTAMP_CHARS = "0123456789-:TZ."
UUID_CHARS = "0123456789abcdef-"


class _Rewound(msgspec.Struct):
    state: str
    text: str
    conversation: Conversation | None = None


class _BranchPoint(msgspec.Struct):
    conversation: Conversation
    is_turn_end: bool


class _Removal(msgspec.Struct):
    conversation: Conversation
    is_deleted: bool


@handler(ask.ListConversations)
async def list_conversations(tx: Transaction, request: ask.ListConversations) -> ConversationPage:
    """List the caller's conversations, newest first, in one round trip."""
    at, number = _parse_cursor(request.cursor, allowed=TIMESTAMP_CHARS)
    values = {"at": at or "infinity", "number": number or 0, "limit": request.limit + 1, "deleted": request.deleted}
    found = decode(await tx.finish(sql.LIST, **values) or "", ConversationPage).conversations
    page = found[: request.limit]
    if len(found) <= request.limit:
        return ConversationPage(conversations=page)
    updated_at = page[-1].updated_at.isoformat().replace("+00:00", "Z")
    return ConversationPage(conversations=page, next=f"{updated_at} {page[-1].number}")


@handler(ask.ShowConversation)
async def show_conversation(tx: Transaction, request: ask.ShowConversation) -> ConversationDetail:
    """Show a conversation with the newest messages of its branch, in one round trip."""
    conversation, seq = _parse_cursor(request.cursor, allowed=UUID_CHARS)
    values = {"number": request.number, "from": conversation, "seq": seq, "limit": request.limit}
    text = await tx.finish(sql.SHOW, **values)
    if text is None:
        _raise_not_found(request.number)
    return decode(text, ConversationDetail)


@handler(ask.RenameConversation)
async def rename_conversation(tx: Transaction, request: ask.RenameConversation) -> Conversation:
    """Rename a conversation in one round trip."""
    title = validation.check_line("title", request.title)
    text = await tx.finish(sql.RENAME, number=request.number, title=title)
    if text is None:
        _raise_not_found(request.number)
    return decode(text, Conversation)


@handler(ask.RemoveConversation)
async def remove_conversation(tx: Transaction, request: ask.RemoveConversation) -> Conversation:
    """Move a conversation to the trash in one round trip; raises Conflict while a turn runs or waits."""
    text = await tx.finish(sql.REMOVE, number=request.number)
    if text is None:
        _raise_not_found(request.number)
    removal = decode(text, _Removal)
    if not removal.is_deleted:
        _raise_busy(removal.conversation)
    return removal.conversation


@handler(ask.RestoreConversation)
async def restore_conversation(tx: Transaction, request: ask.RestoreConversation) -> Conversation:
    """Take a conversation out of the trash in one round trip."""
    text = await tx.finish(sql.RESTORE, number=request.number)
    if text is None:
        _raise_not_found(request.number)
    return decode(text, Conversation)


@handler(ask.RewindTurn)
async def rewind_turn(tx: Transaction, request: ask.RewindTurn) -> RewindResult:
    """Set the head before a turn and return its prompt, in one round trip; raises Conflict until the turn ends."""
    text = await tx.finish(LOCK_CONVERSATION, sql.REWIND, turn=request.turn)
    if text is None:
        raise_turn_not_found()
    rewound = decode(text or "", _Rewound)
    if rewound.conversation is None:
        raise Conflict("the turn has not ended", hint="stop it first", turn=request.turn)
    return RewindResult(conversation=rewound.conversation, text=rewound.text)


@handler(ask.MoveHead)
async def move_head(tx: Transaction, request: ask.MoveHead) -> Conversation:
    """Set the head to the end of another turn, in two round trips; raises Conflict while a turn runs or waits."""
    values = {"number": request.number, "at": request.to}
    async with tx.steps() as steps:
        text = await steps.fetch(sql.LOCK_BY_NUMBER, sql.FIND, **values)
        conversation = _check_branch_point(text, request.number, request.to)
        if _has_open_turn(conversation):
            _raise_busy(conversation)
        return decode(await steps.commit(sql.MOVE_HEAD, **values) or "", Conversation)


@handler(ask.ForkConversation)
async def fork_conversation(tx: Transaction, request: ask.ForkConversation) -> Conversation:
    """Fork a conversation from the end of a turn, in two round trips; the same id forks once."""
    async with tx.steps() as steps:
        text = await steps.fetch(sql.FIND, number=request.number, at=request.at or 0)
        conversation = _check_branch_point(text, request.number, request.at or 0)
        if request.at is None and _has_open_turn(conversation):
            raise Conflict("the conversation is busy with a message", hint="fork from an earlier one with --at")
        values: dict[str, Any] = {"number": request.number, "id": request.id, "at": request.at}
        return decode(await steps.commit(sql.FORK, sql.READ_BY_ID, **values) or "", Conversation)


def _parse_cursor(text: str | None, *, allowed: str) -> tuple[str | None, int | None]:
    """Return the two parts of a cursor: text of the allowed characters, and a number."""
    if text is None:
        return None, None
    place, _, number = text.partition(" ")
    if not number.isdecimal() or len(number) > 18 or not set(place) <= set(allowed):
        raise Invalid("the cursor is invalid", hint="pass the `next` of the page before")
    return place, int(number)


def _check_branch_point(text: str | None, number: int, at: int) -> Conversation:
    if text is None:
        _raise_not_found(number)
    point = decode(text, _BranchPoint)
    if not point.is_turn_end:
        raise Invalid(f"no turn of conversation {number} ends with message {at}", hint="name an answer's own number")
    return point.conversation


def _has_open_turn(conversation: Conversation) -> bool:
    return conversation.state is not None and conversation.state not in ENDED_STATES


def _raise_not_found(number: int) -> NoReturn:
    raise NotFound(f"you have no conversation {number}", hint="see: todo chat list")


def _raise_busy(conversation: Conversation) -> NoReturn:
    hint = f"stop it first, with: todo chat stop {conversation.number}"
    raise Conflict("the conversation is busy with a message", hint=hint, turn=conversation.turn)

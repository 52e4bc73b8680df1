"""Conversations as people see and steer them. None of it is in the journal, which all of a space can read.

A head is a pointer: another point to go on from, a fork, an undone turn are one row's change; no message is copied.
"""

from __future__ import annotations

from typing import Any, LiteralString, NoReturn

import msgspec

from todo_cli.contract import conversations as ask
from todo_cli.contract.codec import decode
from todo_cli.contract.conversations import Conversation, ConversationDetail, ConversationPage, RewindResult
from todo_cli.contract.turn_steps import ENDED_STATES, Message
from todo_cli.core import validation
from todo_cli.core.dispatch import handler
from todo_cli.core.json_sql import format_instant
from todo_cli.core.turns.append_sql import LOCK_CONVERSATION
from todo_cli.core.turns.replay import MESSAGE_JSON
from todo_cli.core.turns.snapshot import raise_turn_not_found
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Conflict, Invalid, NotFound

_IMAGE: LiteralString = f"""json_build_object('number', c.number, 'id', c.id, 'title', c.title, 'model', c.model, 'head', c.head,
  'turn', c.turn_id, 'state', (SELECT t.state FROM todo.turns t WHERE t.space_id = c.space_id AND t.id = c.turn_id),
  'created_at', {format_instant("c.created_at")}, 'updated_at', {format_instant("c.updated_at")}, 'deleted_at', {format_instant("c.deleted_at")})"""
_ANY: LiteralString = "c.space_id = %(space)s::uuid AND c.number = %(number)s::bigint AND c.user_id = %(me)s::uuid"
_MINE: LiteralString = f"{_ANY} AND c.deleted_at IS NULL"

LIST = Sql(f"""SELECT json_build_object('conversations', coalesce(json_agg({_IMAGE} ORDER BY c.updated_at DESC, c.number DESC), '[]'))::text
FROM (SELECT * FROM todo.conversations WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid
   AND (deleted_at IS NOT NULL) = %(deleted)s::boolean AND (updated_at, number) < (%(at)s::timestamptz, %(number)s::bigint)
   ORDER BY updated_at DESC, number DESC LIMIT %(limit)s::int) AS c""")

SHOW = Sql(f"""
WITH RECURSIVE one AS MATERIALIZED (SELECT c.* FROM todo.conversations c WHERE {_MINE}),
line AS (
  SELECT m.*, coalesce(m.parent_of, m.conversation_id) AS back, 1 AS place FROM (
      SELECT coalesce(%(from)s::uuid, head_of, id) AS id, coalesce(%(seq)s::bigint, head) AS seq FROM one OFFSET 0) AS c
    JOIN todo.messages m ON m.space_id = %(space)s::uuid AND m.conversation_id = c.id AND m.seq = c.seq
  UNION ALL
  SELECT p.*, coalesce(p.parent_of, p.conversation_id), l.place + 1 FROM line l CROSS JOIN LATERAL (SELECT * FROM todo.messages m WHERE m.space_id = %(space)s::uuid
      AND m.conversation_id = l.back AND m.seq = l.parent OFFSET 0) AS p
   WHERE l.place < %(limit)s::int)
SELECT json_build_object('conversation', (SELECT {_IMAGE} FROM one c),
  'messages', (SELECT coalesce(json_agg({MESSAGE_JSON} ORDER BY place DESC), '[]') FROM line m),
  'next', (SELECT coalesce(parent_of, conversation_id) || ' ' || parent FROM line WHERE place = %(limit)s::int))::text
FROM one""")

RENAME = Sql(f"UPDATE todo.conversations c SET title = %(title)s WHERE {_MINE} RETURNING {_IMAGE}::text")

# where a turn ends: the line may go on from there
FIND = Sql(f"""SELECT json_build_object('image', {_IMAGE}, 'found', %(at)s::bigint = 0 OR EXISTS (
    SELECT FROM todo.messages m WHERE m.space_id = c.space_id AND m.conversation_id = c.id AND m.seq = %(at)s::bigint
       AND m.role = 'assistant' AND m.calls IS NULL AND m.status <> 'dead'))::text FROM todo.conversations c WHERE {_MINE}""")

# while a turn runs or waits, it stays
REMOVE = Sql(f"""WITH gone AS (UPDATE todo.conversations c SET deleted_at = coalesce(c.deleted_at, clock_timestamp()) WHERE {_ANY}
    AND NOT EXISTS (SELECT FROM todo.turns t WHERE t.space_id = c.space_id AND t.id = c.turn_id
      AND t.state IN ('running', 'awaiting', 'answered')) RETURNING c.*)
SELECT json_build_object('image', {_IMAGE}, 'found', EXISTS (SELECT FROM gone))::text FROM (
    SELECT * FROM gone UNION ALL SELECT c.* FROM todo.conversations c WHERE {_ANY} AND NOT EXISTS (SELECT FROM gone)) AS c""")

RESTORE = Sql(f"UPDATE todo.conversations c SET deleted_at = NULL WHERE {_ANY} RETURNING {_IMAGE}::text")

REWIND = Sql(f"""WITH asked AS MATERIALIZED (SELECT m.*, t.state
    FROM todo.turns t JOIN todo.conversations c ON c.space_id = t.space_id AND c.id = t.conversation_id
    JOIN todo.messages m ON m.space_id = t.space_id AND m.conversation_id = t.conversation_id AND m.seq = t.asked
   WHERE t.space_id = %(space)s::uuid AND t.id = %(turn)s::uuid AND c.deleted_at IS NULL),
moved AS (UPDATE todo.conversations c SET head = a.parent, head_of = a.parent_of, updated_at = clock_timestamp() FROM asked a
   WHERE c.space_id = %(space)s::uuid AND c.id = a.conversation_id AND a.state IN ('done', 'stopped', 'failed') RETURNING c.*)
SELECT json_build_object('state', a.state, 'text', a.content, 'conversation', (SELECT {_IMAGE} FROM moved c))::text FROM asked a""")

LOCK_NUMBER = Sql(f"SELECT 1 FROM todo.conversations c WHERE {_MINE} FOR NO KEY UPDATE")

MOVE = Sql(f"""UPDATE todo.conversations c SET head = nullif(%(at)s::bigint, 0), head_of = NULL, updated_at = clock_timestamp()
  WHERE {_MINE} RETURNING {_IMAGE}::text""")

FORK = Sql("""
WITH tick AS (UPDATE todo.spaces SET next_conversation = next_conversation + 1 WHERE id = %(space)s::uuid
    AND NOT EXISTS (SELECT FROM todo.conversations WHERE space_id = %(space)s::uuid AND id = %(id)s::uuid)
    RETURNING next_conversation - 1 AS number)
INSERT INTO todo.conversations (space_id, id, number, title, model, head, head_of)
  SELECT %(space)s::uuid, %(id)s::uuid, tick.number, c.title, c.model, coalesce(%(at)s::bigint, c.head),
    CASE WHEN coalesce(%(at)s::bigint, c.head) IS NOT NULL THEN CASE WHEN %(at)s::bigint IS NULL THEN coalesce(c.head_of, c.id)
      ELSE c.id END END FROM tick, todo.conversations c
   WHERE c.space_id = %(space)s::uuid AND c.number = %(number)s::bigint AND c.user_id = %(me)s::uuid AND c.deleted_at IS NULL""")

ONE = Sql(
    f"""SELECT {_IMAGE}::text FROM todo.conversations c WHERE c.space_id = %(space)s::uuid AND c.id = %(id)s::uuid"""
)


class _Shown(msgspec.Struct):
    conversation: Conversation
    messages: tuple[Message, ...]
    next: str | None = None


class _Rewound(msgspec.Struct):
    state: str
    text: str
    conversation: Conversation | None = None


class _Found(msgspec.Struct):
    image: Conversation
    found: bool


def _missing(number: int) -> NoReturn:
    raise NotFound(f"you have no conversation {number}", hint="see: todo chat list")


def _cursor(text: str | None, *, first: str) -> tuple[str | None, int | None]:
    if text is None:
        return None, None
    place, _, number = text.partition(" ")
    if not number.isdecimal() or len(number) > 18 or not set(place) <= set(first):
        raise Invalid("the cursor is none of ours", hint="start without one")
    return place, int(number)


@handler(ask.ListConversations)
async def list_conversations(tx: Transaction, request: ask.ListConversations) -> ConversationPage:
    """One round trip."""
    at, number = _cursor(request.cursor, first="0123456789-:TZ.")
    values = {
        "at": at or "infinity",
        "number": 0 if number is None else number,
        "limit": request.limit + 1,
        "deleted": request.deleted,
    }
    page = decode(await tx.finish(LIST, **values) or "", ConversationPage)
    kept = page.conversations[: request.limit]
    more = len(page.conversations) > request.limit
    after = f"{kept[-1].updated_at.isoformat().replace('+00:00', 'Z')} {kept[-1].number}" if more else None
    return ConversationPage(conversations=kept, next=after)


@handler(ask.ShowConversation)
async def show_conversation(tx: Transaction, request: ask.ShowConversation) -> ConversationDetail:
    """The newest messages of its line; one round trip."""
    place, seq = _cursor(request.cursor, first="0123456789abcdef-")
    values = {"number": request.number, "from": place, "seq": seq, "limit": request.limit}
    text = await tx.finish(SHOW, **values)
    if text is None:
        _missing(request.number)
    return decode(text or "", ConversationDetail)


@handler(ask.RenameConversation)
async def rename_conversation(tx: Transaction, request: ask.RenameConversation) -> Conversation:
    """One round trip."""
    text = await tx.finish(RENAME, number=request.number, title=validation.check_line("title", request.title))
    if text is None:
        _missing(request.number)
    return decode(text or "", Conversation)


@handler(ask.RemoveConversation)
async def remove_conversation(tx: Transaction, request: ask.RemoveConversation) -> Conversation:
    """Refused while a turn runs or waits; again, it stays there. One round trip."""
    text = await tx.finish(REMOVE, number=request.number)
    if text is None:
        _missing(request.number)
    found = decode(text or "", _Found)
    if not found.found:
        raise _busy(found.image)
    return found.image


@handler(ask.RestoreConversation)
async def restore_conversation(tx: Transaction, request: ask.RestoreConversation) -> Conversation:
    """One round trip."""
    text = await tx.finish(RESTORE, number=request.number)
    if text is None:
        _missing(request.number)
    return decode(text or "", Conversation)


@handler(ask.RewindTurn)
async def rewind_turn(tx: Transaction, request: ask.RewindTurn) -> RewindResult:
    """Refused while it runs or waits; one round trip."""
    text = await tx.finish(LOCK_CONVERSATION, REWIND, turn=request.turn)
    if text is None:
        raise_turn_not_found()
    found = decode(text or "", _Rewound)
    if found.conversation is None:
        raise Conflict("the turn has not ended", hint="stop it first", turn=request.turn)
    return RewindResult(conversation=found.conversation, text=found.text)


def _busy(found: Conversation) -> Conflict:
    hint = f"stop it first, with: todo chat stop {found.number}"
    return Conflict("the conversation is busy with a message", hint=hint, turn=found.turn)


@handler(ask.MoveHead)
async def move_head(tx: Transaction, request: ask.MoveHead) -> Conversation:
    """Refused while a turn runs or waits; two round trips."""
    async with tx.steps() as steps:
        found = _movable(
            await steps.fetch(LOCK_NUMBER, FIND, number=request.number, at=request.to), request.number, request.to
        )
        if found.image.state is not None and found.image.state not in ENDED_STATES:
            raise _busy(found.image)
        return decode(await steps.commit(MOVE, number=request.number, at=request.to) or "", Conversation)


def _movable(text: str | None, number: int, at: int) -> _Found:
    if text is None:
        _missing(number)
    found = decode(text or "", _Found)
    if not found.found:
        raise Invalid(f"no turn of conversation {number} ends with message {at}", hint="name an answer's own number")
    return found


@handler(ask.ForkConversation)
async def fork_conversation(tx: Transaction, request: ask.ForkConversation) -> Conversation:
    """From the end of a turn; the same id again answers again. Two round trips."""
    async with tx.steps() as steps:
        found = _movable(
            await steps.fetch(FIND, number=request.number, at=request.at or 0), request.number, request.at or 0
        )
        if request.at is None and found.image.state is not None and found.image.state not in ENDED_STATES:
            raise Conflict("the conversation is busy with a message", hint="fork from an earlier one with --at")
        values: dict[str, Any] = {"number": request.number, "id": request.id, "at": request.at}
        return decode(await steps.commit(FORK, ONE, **values) or "", Conversation)

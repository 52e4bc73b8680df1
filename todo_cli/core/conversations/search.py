"""Search in conversations.

`todo.search_messages` finds the messages and their order. This module cuts the passages and marks the words in them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.message_search import MessageHit, MessageHits, Passage, SearchConversations
from todo_cli.core import validation
from todo_cli.core.dispatch import handler
from todo_cli.core.json_sql import format_instant
from todo_cli.core.tasks.search import cut_passage
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.parsing.highlight import find_matches

ROLES = {None: ["user", "assistant", "tool"], "user": ["user"], "assistant": ["assistant", "tool"]}

SEARCH = Sql(f"""
SELECT coalesce(json_agg(json_build_object(
    'conversation', c.number, 'title', c.title, 'seq', m.seq, 'role', m.role,
    'at', {format_instant("m.at")}, 'score', round(f.score::numeric, 3)::float8,
    'content', left(m.content, 100000)) ORDER BY f.place), '[]')::text
  FROM todo.search_messages(
      %(words)s, %(limit)s::int, %(number)s::bigint, %(roles)s::text[],
      %(since)s::timestamptz, %(until)s::timestamptz, %(newest)s::boolean)
      WITH ORDINALITY AS f(conversation_id, seq, score, place)
  JOIN todo.messages m
    ON m.space_id = %(space)s::uuid AND m.user_id = %(me)s::uuid
       AND m.conversation_id = f.conversation_id AND m.seq = f.seq
  JOIN todo.conversations c ON c.space_id = %(space)s::uuid AND c.user_id = %(me)s::uuid
     AND c.id = f.conversation_id""")

_TITLE = re.compile(r'"title":("(?:[^"\\]|\\.)*")')


class _MessageRow(msgspec.Struct):
    conversation: int
    title: str
    seq: int
    role: str
    at: datetime
    score: float
    content: str


@handler(SearchConversations)
async def search_conversations(tx: Transaction, request: SearchConversations) -> MessageHits:
    """Search in one round trip; in two for a relative date."""
    words = validation.check_text("search", request.words)
    since = await _read_instant(tx, request.since) if request.since else "-infinity"
    until = await _read_instant(tx, request.until, days=1) if request.until else "infinity"
    values = {
        "words": words,
        "limit": request.limit,
        "number": request.number,
        "roles": ROLES[request.role],
        "since": since,
        "until": until,
        "newest": request.sort == "newest",
    }
    rows = decode(await tx.finish(SEARCH, **values) or "[]", list[_MessageRow])
    return MessageHits(hits=tuple(_make_hit(row, words) for row in rows))


async def _read_instant(tx: Transaction, text: str, days: int = 0) -> str:
    """Return the instant that a text names. A day is its start in the caller's time zone, moved on by `days`."""
    from todo_cli.parsing.dates import day_bounds

    clock = await validation.read_clock_for(tx, [text])
    when = validation.parse_date_at(text, clock)
    if not isinstance(when, datetime):
        when = day_bounds(when + timedelta(days=days), clock.zone)[0]
    return when.astimezone(UTC).isoformat()


def _make_hit(row: _MessageRow, words: str) -> MessageHit:
    text = join_titles(row.content) if row.role == "tool" else row.content
    passage, parts = cut_passage(text, find_matches(text, words))
    fields: dict[str, Any] = msgspec.structs.asdict(row)
    return msgspec.convert(fields | {"passage": Passage(text=passage, parts=parts)}, MessageHit)


def join_titles(result: str) -> str:
    """Return the titles of the tasks in the result of a tool call, as one line."""
    return " · ".join(msgspec.json.decode(title, type=str) for title in _TITLE.findall(result))

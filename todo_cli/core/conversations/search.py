"""Search in conversations: `todo.find_said` says which messages and in what order; here is where the words stand in them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
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
SELECT coalesce(json_agg(json_build_object('conversation', c.number, 'title', c.title, 'seq', m.seq, 'role', m.role,
    'at', {format_instant("m.at")}, 'score', round(f.score::numeric, 3)::float8, 'content', left(m.content, 100000)) ORDER BY f.place), '[]')::text
  FROM todo.search_messages(%(words)s, %(limit)s::int, %(number)s::bigint, %(roles)s::text[], %(since)s::timestamptz,
    %(until)s::timestamptz, %(newest)s::boolean) WITH ORDINALITY AS f(conversation_id, seq, score, place)
  JOIN todo.messages m ON m.space_id = %(space)s::uuid AND m.conversation_id = f.conversation_id AND m.seq = f.seq
  JOIN todo.conversations c ON c.space_id = %(space)s::uuid AND c.id = f.conversation_id
""")

_TITLE = re.compile(r'"title":("(?:[^"\\]|\\.)*")')


class _Row(msgspec.Struct):
    conversation: int
    title: str
    seq: int
    role: str
    at: datetime
    score: float
    content: str


@handler(SearchConversations)
async def search_conversations(tx: Transaction, request: SearchConversations) -> MessageHits:
    """One round trip; one more where there are words for a date and no zone came with them."""
    sought = validation.check_text("search", request.words)
    since = await _instant(tx, request.since) if request.since else "-infinity"
    until = await _instant(tx, request.until, days=1) if request.until else "infinity"
    text = await tx.finish(SEARCH, words=sought, limit=request.limit, number=request.number, roles=ROLES[request.role], since=since,
                           until=until, newest=request.sort == "newest")  # fmt: skip
    return MessageHits(hits=tuple(_hit(row, sought) for row in decode(text or "[]", list[_Row])))


async def _instant(tx: Transaction, said: str, days: int = 0) -> str:
    """The beginning of a day in the caller's zone (or of one some days on), or the instant itself."""
    from todo_cli.parsing.dates import day_bounds

    when = await validation.read_date(tx, said)
    if isinstance(when, date) and not isinstance(when, datetime):
        when = day_bounds(when + timedelta(days=days), await validation.read_zone(tx))[0]
    return when.astimezone(UTC).isoformat()


def _hit(row: _Row, sought: str) -> MessageHit:
    text = titles(row.content) if row.role == "tool" else row.content
    shown, found = cut_passage(text, find_matches(text, sought))
    fields: dict[str, Any] = msgspec.structs.asdict(row)
    return msgspec.convert(fields | {"passage": Passage(text=shown, parts=found)}, MessageHit)


def titles(result: str) -> str:
    """The titles of the tasks that a call's result tells of."""
    return " · ".join(msgspec.json.decode(found, type=str) for found in _TITLE.findall(result))

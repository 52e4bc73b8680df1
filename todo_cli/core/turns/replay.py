"""Reading a turn's line and its events. What is read does not grow with the conversation.

The line is walked from its head backwards, a look-up a message, until the budget is spent or a summary tells the rest.
"""

from __future__ import annotations

from typing import LiteralString

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.turn_events import ReadEvents, Watched
from todo_cli.contract.turn_steps import Message, ReadReplay, Replay, Stored, StoreSummary, StoreTitle
from todo_cli.core import validation
from todo_cli.core.accounts.budget_sql import OVER
from todo_cli.core.dispatch import handler
from todo_cli.core.tasks.snapshot_sql import instant
from todo_cli.core.turns.append_sql import LOCK, StepResult, late, row
from todo_cli.core.turns.lifecycle import no_turn
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import NotFound

MESSAGE: LiteralString = f"""json_build_object('conversation', m.conversation_id, 'seq', m.seq, 'turn', m.turn_id, 'role', m.role, 'content', m.content,
  'status', m.status, 'calls', coalesce(m.calls, '[]'), 'call_seq', m.call_seq, 'call_index', m.call_index,
  'tokens', m.tokens, 'model', m.model, 'usage', m.usage, 'at', {instant("m.at")})"""

_COLUMNS: LiteralString = """p.space_id, p.conversation_id, p.seq, p.parent, p.parent_of, p.turn_id, p.role, p.content, p.status,
    p.calls, p.call_seq, p.call_index, p.tokens, p.model, p.usage, p.at,
    coalesce(p.parent_of, p.conversation_id) AS back"""

# behind a fork's own first message, one that reaches 0 tells all that it has inherited
_TOLD: LiteralString = """coalesce((SELECT s.content FROM todo.messages s WHERE s.space_id = p.space_id
      AND s.conversation_id = p.conversation_id AND s.reaches = p.seq),
    CASE WHEN p.conversation_id <> l.conversation_id THEN (SELECT s.content FROM todo.messages s WHERE s.space_id = p.space_id
      AND s.conversation_id = l.conversation_id AND s.reaches = 0) END) AS told"""

READ = Sql(f"""
WITH RECURSIVE line AS (
  SELECT {_COLUMNS}, p.tokens::bigint AS total, 1 AS place, p.turn_id AS newest, NULL::text COLLATE "C" AS told, false AS over
    FROM todo.conversations c JOIN todo.messages p
      ON p.space_id = c.space_id AND p.conversation_id = CASE WHEN c.head_of IS NULL THEN c.id ELSE c.head_of END AND p.seq = c.head
   WHERE c.space_id = %(space)s::uuid AND c.id = %(conversation)s::uuid
  UNION ALL
  SELECT {_COLUMNS}, l.total + p.tokens, l.place + 1, l.newest, {_TOLD},
      l.total + p.tokens > %(budget)s::bigint AND p.turn_id <> l.newest
    FROM line l CROSS JOIN LATERAL (SELECT * FROM todo.messages m WHERE m.space_id = %(space)s::uuid
      AND m.conversation_id = l.back AND m.seq = l.parent OFFSET 0) AS p
   WHERE l.told IS NULL AND NOT l.over)
SELECT json_build_object(
  'messages', (SELECT coalesce(json_agg({MESSAGE} ORDER BY place DESC), '[]') FROM line m WHERE told IS NULL AND NOT over),
  'summary', (SELECT told FROM line WHERE told IS NOT NULL),
  'cut', EXISTS (SELECT FROM line WHERE over AND told IS NULL), 'over', {OVER})::text
FROM todo.conversations WHERE space_id = %(space)s::uuid AND id = %(conversation)s::uuid
""")

SUMMARY = Sql("""
WITH was AS MATERIALIZED (SELECT c.id, c.seq, c.head, t.attempt, t.state, t.stop, n.conversation_id AS place
  FROM todo.turns t JOIN todo.conversations c ON c.space_id = t.space_id AND c.id = t.conversation_id
  LEFT JOIN todo.messages n ON n.space_id = t.space_id AND n.conversation_id = %(conversation)s::uuid
    AND n.seq = %(reaches)s::bigint
  WHERE t.space_id = %(space)s::uuid AND t.id = %(turn)s::uuid),
fence AS (UPDATE todo.turns t SET lease_until = clock_timestamp() + make_interval(secs => %(lease)s::float8)
  FROM was WHERE t.space_id = %(space)s::uuid AND t.id = %(turn)s::uuid AND t.attempt = %(attempt)s::int
    AND t.state = 'running' RETURNING t.id),
moved AS (UPDATE todo.conversations c SET seq = c.seq + 1 FROM was, fence
  WHERE c.space_id = %(space)s::uuid AND c.id = was.id AND (was.place = was.id OR %(reaches)s::bigint = 0)
    AND NOT EXISTS (SELECT FROM todo.messages s WHERE s.space_id = %(space)s::uuid AND s.conversation_id = was.id
      AND s.reaches = %(reaches)s::bigint) RETURNING c.seq),
kept AS (INSERT INTO todo.messages (space_id, conversation_id, seq, turn_id, attempt, role, content, reaches, tokens, model, usage)
  SELECT %(space)s::uuid, was.id, moved.seq, %(turn)s::uuid, %(attempt)s::int, 'summary', %(text)s, %(reaches)s::bigint,
    %(tokens)s::int, %(model)s, %(usage)s::jsonb FROM was, moved)
SELECT json_build_object('fenced', NOT EXISTS (SELECT FROM fence), 'was', state, 'attempt', attempt, 'head', head,
  'state', state, 'stop', stop)::text FROM was
""")

LOCK_ONE = Sql(
    "SELECT 1 FROM todo.conversations WHERE space_id = %(space)s::uuid AND id = %(conversation)s::uuid FOR NO KEY UPDATE"
)

# outside the line, as a summary is: what it has used is kept with it
TITLE = Sql("""
WITH moved AS (UPDATE todo.conversations c SET seq = c.seq + 1, title = CASE WHEN c.title = %(was)s THEN coalesce(%(title)s, c.title)
    ELSE c.title END
  WHERE c.space_id = %(space)s::uuid AND c.id = %(conversation)s::uuid RETURNING c.seq, c.head, c.title),
kept AS (INSERT INTO todo.messages (space_id, conversation_id, seq, turn_id, attempt, role, content, tokens, model, usage)
  SELECT %(space)s::uuid, %(conversation)s::uuid, moved.seq, %(turn)s::uuid, 1, 'summary', coalesce(%(title)s, moved.title), 8, %(model)s, %(usage)s::jsonb
    FROM moved)
SELECT json_build_object('head', coalesce(head, 0), 'state', 'done')::text FROM moved
""")

# what has ended and been forgotten, its messages tell: they stand between `asked` and `last`
_SAID: LiteralString = f"""CASE WHEN t.last IS NOT NULL AND greatest(t.events, 1) - 1 > %(after)s::bigint AND NOT EXISTS (
      SELECT FROM todo.events e WHERE e.space_id = %(space)s::uuid AND e.turn_id = %(turn)s::uuid) THEN (
    SELECT coalesce(json_agg({MESSAGE} ORDER BY m.seq), '[]') FROM todo.messages m WHERE m.space_id = %(space)s::uuid
      AND m.conversation_id = t.conversation_id AND m.seq > t.asked AND m.seq <= t.last AND m.turn_id = t.id)
  ELSE '[]' END"""

EVENTS = Sql(f"""SELECT json_build_object('state', t.state, 'attempt', t.attempt, 'error', t.error, 'usage', t.usage,
  'conversation', t.conversation_id, 'live', t.lease_until > clock_timestamp(), 'events', t.events, 'said', {_SAID},
  'held', CASE WHEN t.state = 'awaiting' THEN coalesce(t.held, '[]') ELSE '[]' END,
  'batches', (SELECT coalesce(json_agg(json_build_object('n', e.n, 'events', e.batch) ORDER BY e.n), '[]') FROM (
      SELECT n, batch FROM todo.events WHERE space_id = %(space)s::uuid AND turn_id = %(turn)s::uuid
        AND n > %(after)s::bigint ORDER BY n LIMIT %(limit)s::int) AS e))::text
FROM todo.turns t WHERE t.space_id = %(space)s::uuid AND t.id = %(turn)s::uuid""")


@handler(ReadReplay)
async def read_replay(tx: Transaction, request: ReadReplay) -> Replay:
    """One round trip."""
    text = await tx.answer(READ, conversation=request.conversation, budget=request.budget)
    if text is None:
        raise NotFound("you have no such conversation")
    return decode(text, Replay)


@handler(StoreSummary)
async def store_summary(tx: Transaction, request: StoreSummary) -> Stored:
    """Outside the line; once for a message that it reaches."""
    said = row("summary", request.text)
    usage = msgspec.json.encode(request.usage).decode() if request.usage else None
    values = {name: getattr(request, name) for name in ("turn", "attempt", "lease", "conversation", "reaches", "model")}
    values |= {"text": said["content"], "tokens": said["tokens"], "usage": usage}
    text = await tx.answer(LOCK, SUMMARY, **values)
    line = decode(text, StepResult) if text else None
    if line is None or line.fenced:
        raise late(line, request.attempt)
    return msgspec.convert({"head": line.head or 0, "state": line.state, "stop": line.stop}, Stored)


@handler(StoreTitle)
async def store_title(tx: Transaction, request: StoreTitle) -> Stored:
    """Somebody's own title stays. One round trip."""
    usage = msgspec.json.encode(request.usage).decode() if request.usage else None
    values = {"conversation": request.conversation, "turn": request.turn, "model": request.model, "usage": usage}
    text = await tx.answer(LOCK_ONE, TITLE, **values, was=validation.first_words(request.said),
                           title=request.title and validation.line("title", request.title))  # fmt: skip
    if text is None:
        raise NotFound("you have no such conversation")
    return decode(text, Stored)


@handler(ReadEvents)
async def read_events(tx: Transaction, request: ReadEvents) -> Watched:
    """What came after a batch, in order."""
    text = await tx.answer(EVENTS, turn=request.turn, after=request.after, limit=request.limit)
    if text is None:
        no_turn()
    return decode(text or "", Watched)


__all__ = ["MESSAGE", "Message"]

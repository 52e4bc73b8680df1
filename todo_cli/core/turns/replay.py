"""Read a conversation's branch and a turn's events, and store summaries and titles.

A branch is read from its head backwards, one look-up per message, until the token budget is spent or a summary covers
the rest. The cost therefore does not grow with the conversation.
"""

from __future__ import annotations

from typing import LiteralString

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.model_texts import StoreSummary, StoreTitle
from todo_cli.contract.turn_events import ReadEvents, TurnProgress
from todo_cli.contract.turn_steps import ReadReplay, Replay, StepStored, UsageRecord
from todo_cli.core import validation
from todo_cli.core.accounts.budget_sql import OVER
from todo_cli.core.dispatch import handler
from todo_cli.core.json_sql import format_instant
from todo_cli.core.turns.append_sql import LOCK_CONVERSATION, StepResult, fenced_error, message_row
from todo_cli.core.turns.lifecycle import LOCK_CONVERSATION_BY_ID
from todo_cli.core.turns.snapshot import raise_turn_not_found
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import NotFound

MESSAGE_JSON: LiteralString = f"""json_build_object('conversation', m.conversation_id, 'seq', m.seq,
    'turn', m.turn_id, 'role', m.role, 'content', m.content, 'status', m.status,
    'calls', coalesce(m.calls, '[]'), 'call_seq', m.call_seq, 'call_index', m.call_index,
    'tokens', m.tokens, 'model', m.model, 'usage', m.usage, 'at', {format_instant("m.at")})"""

_MESSAGE_COLUMNS: LiteralString = """
    p.space_id, p.conversation_id, p.seq, p.parent, p.parent_of, p.turn_id,
    p.role, p.content, p.status, p.calls, p.call_seq, p.call_index, p.tokens, p.model, p.usage,
        p.at,
    coalesce(p.parent_of, p.conversation_id) AS parent_conversation"""

# a fork's own summary with reaches = 0 covers all messages that the fork inherited
_SUMMARY: LiteralString = """coalesce((
        SELECT s.content FROM todo.messages s
         WHERE s.space_id = p.space_id AND s.user_id = %(me)s::uuid
            AND s.conversation_id = p.conversation_id
           AND s.reaches = p.seq),
    CASE WHEN p.conversation_id <> l.conversation_id THEN (
        SELECT s.content FROM todo.messages s
         WHERE s.space_id = p.space_id AND s.user_id = %(me)s::uuid
            AND s.conversation_id = l.conversation_id
           AND s.reaches = 0) END) AS summary"""

READ_REPLAY = Sql(f"""
WITH RECURSIVE branch AS (
    SELECT {_MESSAGE_COLUMNS}, p.tokens::bigint AS total, 1 AS place, p.turn_id AS newest,
           NULL::text COLLATE "C" AS summary, false AS over
      FROM todo.conversations c
      JOIN todo.messages p
        ON p.space_id = c.space_id AND p.user_id = %(me)s::uuid
       AND p.conversation_id = CASE WHEN c.head_of IS NULL THEN c.id ELSE c.head_of END
       AND p.seq = c.head
     WHERE c.space_id = %(space)s::uuid AND c.user_id = %(me)s::uuid
        AND c.id = %(conversation)s::uuid
    UNION ALL
    SELECT {_MESSAGE_COLUMNS}, l.total + p.tokens, l.place + 1, l.newest, {_SUMMARY},
           l.total + p.tokens > %(budget)s::bigint AND p.turn_id <> l.newest
      FROM branch l
     CROSS JOIN LATERAL (
         SELECT * FROM todo.messages m
          WHERE m.space_id = %(space)s::uuid AND m.user_id = %(me)s::uuid
             AND m.conversation_id = l.parent_conversation
            AND m.seq = l.parent
         OFFSET 0) AS p
     WHERE l.summary IS NULL AND NOT l.over)
SELECT json_build_object(
    'messages', (
        SELECT coalesce(json_agg({MESSAGE_JSON} ORDER BY place DESC), '[]')
          FROM branch m WHERE summary IS NULL AND NOT over),
    'summary', (SELECT summary FROM branch WHERE summary IS NOT NULL),
    'cut', EXISTS (SELECT FROM branch WHERE over AND summary IS NULL), 'over', {OVER})::text
  FROM todo.conversations WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid
     AND id = %(conversation)s::uuid
""")

INSERT_SUMMARY = Sql("""
WITH current AS MATERIALIZED (
    SELECT c.id, c.seq, c.head, t.attempt, t.state, t.stop,
           n.conversation_id AS reached_conversation
      FROM todo.turns t
      JOIN todo.conversations c ON c.space_id = t.space_id AND c.user_id = %(me)s::uuid
         AND c.id = t.conversation_id
      LEFT JOIN todo.messages n
        ON n.space_id = t.space_id AND n.user_id = %(me)s::uuid
           AND n.conversation_id = %(conversation)s::uuid
       AND n.seq = %(reaches)s::bigint
     WHERE t.space_id = %(space)s::uuid AND t.user_id = %(me)s::uuid AND t.id = %(turn)s::uuid),
fence AS (
    UPDATE todo.turns t
       SET lease_until = clock_timestamp() + make_interval(secs => %(lease)s::float8)
      FROM current
     WHERE t.space_id = %(space)s::uuid AND t.user_id = %(me)s::uuid
        AND t.id = %(turn)s::uuid AND t.attempt = %(attempt)s::int
       AND t.state = 'running'
    RETURNING t.id),
conversation AS (
    UPDATE todo.conversations c SET seq = c.seq + 1
      FROM current, fence
     WHERE c.space_id = %(space)s::uuid AND c.user_id = %(me)s::uuid AND c.id = current.id
       AND (current.reached_conversation = current.id OR %(reaches)s::bigint = 0)
       AND NOT EXISTS (
           SELECT FROM todo.messages s
            WHERE s.space_id = %(space)s::uuid AND s.user_id = %(me)s::uuid
               AND s.conversation_id = current.id
              AND s.reaches = %(reaches)s::bigint)
    RETURNING c.seq),
inserted AS (
    INSERT INTO todo.messages (space_id, conversation_id, seq, turn_id, attempt, role, content,
        reaches, tokens, model, usage)
    SELECT %(space)s::uuid, current.id, conversation.seq, %(turn)s::uuid, %(attempt)s::int,
           'summary', %(text)s, %(reaches)s::bigint, %(tokens)s::int, %(model)s, %(usage)s::jsonb
      FROM current, conversation)
SELECT json_build_object('fenced', NOT EXISTS (SELECT FROM fence), 'attempt', attempt, 'head', head,
    'state', state, 'stop', stop)::text
  FROM current
""")

# the message is outside the branch, as a summary is; it records the usage of the call that made the title
UPDATE_TITLE = Sql("""
WITH conversation AS (
    UPDATE todo.conversations c
       SET seq = c.seq + 1,
           title = CASE WHEN c.title = %(first_words)s THEN coalesce(%(title)s, c.title)
               ELSE c.title END
     WHERE c.space_id = %(space)s::uuid AND c.user_id = %(me)s::uuid
        AND c.id = %(conversation)s::uuid
    RETURNING c.seq, c.head, c.title),
inserted AS (
    INSERT INTO todo.messages (space_id, conversation_id, seq, turn_id, attempt, role, content,
        tokens, model, usage)
    SELECT %(space)s::uuid, %(conversation)s::uuid, conversation.seq, %(turn)s::uuid, 1, 'summary',
           coalesce(%(title)s, conversation.title), 8, %(model)s, %(usage)s::jsonb
      FROM conversation)
SELECT json_build_object('head', coalesce(head, 0), 'state', 'done')::text FROM conversation
""")

# where the events of an ended turn were deleted, its messages between `asked` and `last` replace them
_MESSAGES_OF_DELETED_EVENTS: LiteralString = f"""CASE
    WHEN t.last IS NOT NULL AND greatest(t.events, 1) - 1 > %(after)s::bigint AND NOT EXISTS (
        SELECT FROM todo.events e WHERE e.space_id = %(space)s::uuid AND e.user_id = %(me)s::uuid
           AND e.turn_id = %(turn)s::uuid)
    THEN (
        SELECT coalesce(json_agg({MESSAGE_JSON} ORDER BY m.seq), '[]') FROM todo.messages m
         WHERE m.space_id = %(space)s::uuid AND m.user_id = %(me)s::uuid
            AND m.conversation_id = t.conversation_id
           AND m.seq > t.asked AND m.seq <= t.last AND m.turn_id = t.id)
    ELSE '[]' END"""

READ_EVENTS = Sql(f"""
SELECT json_build_object('state', t.state, 'attempt', t.attempt, 'error', t.error, 'usage', t.usage,
    'conversation', t.conversation_id, 'live', t.lease_until > clock_timestamp(), 'events',
        t.events,
    'messages', {_MESSAGES_OF_DELETED_EVENTS},
    'held', CASE WHEN t.state = 'awaiting' THEN coalesce(t.held, '[]') ELSE '[]' END,
    'batches', (
        SELECT coalesce(json_agg(json_build_object('n', e.n, 'events', e.batch) ORDER BY e.n), '[]')
          FROM (
              SELECT n, batch FROM todo.events
               WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid
                  AND turn_id = %(turn)s::uuid
                 AND n > %(after)s::bigint
               ORDER BY n LIMIT %(limit)s::int) AS e))::text
  FROM todo.turns t WHERE t.space_id = %(space)s::uuid AND t.user_id = %(me)s::uuid
     AND t.id = %(turn)s::uuid""")


@handler(ReadReplay)
async def read_replay(tx: Transaction, request: ReadReplay) -> Replay:
    """Read the newest messages of the branch that fit the budget. One round trip."""
    text = await tx.finish(READ_REPLAY, conversation=request.conversation, budget=request.budget)
    if text is None:
        raise NotFound("you have no such conversation", hint="list your conversations with: todo chat list")
    return decode(text, Replay)


@handler(StoreSummary)
async def store_summary(tx: Transaction, request: StoreSummary) -> StepStored:
    """Store a summary outside the branch, once per message that a summary reaches."""
    row = message_row("summary", request.text)
    names = ("turn", "attempt", "lease", "conversation", "reaches", "model")
    values = {name: getattr(request, name) for name in names}
    values |= {"text": row["content"], "tokens": row["tokens"], "usage": _encode_usage(request.usage)}
    text = await tx.finish(LOCK_CONVERSATION, INSERT_SUMMARY, **values)
    step = decode(text, StepResult) if text else None
    if step is None or step.fenced:
        raise fenced_error(step, request.attempt)
    return msgspec.convert({"head": step.head or 0, "state": step.state, "stop": step.stop}, StepStored)


@handler(StoreTitle)
async def store_title(tx: Transaction, request: StoreTitle) -> StepStored:
    """Store a title, unless the user has chosen one. One round trip."""
    values = {
        "conversation": request.conversation,
        "turn": request.turn,
        "model": request.model,
        "usage": _encode_usage(request.usage),
        "first_words": validation.shorten_title(request.first_message),
        "title": request.title and validation.check_line("title", request.title),
    }
    text = await tx.finish(LOCK_CONVERSATION_BY_ID, UPDATE_TITLE, **values)
    if text is None:
        raise NotFound("you have no such conversation", hint="list your conversations with: todo chat list")
    return decode(text, StepStored)


def _encode_usage(usage: UsageRecord | None) -> str | None:
    return msgspec.json.encode(usage).decode() if usage else None


@handler(ReadEvents)
async def read_events(tx: Transaction, request: ReadEvents) -> TurnProgress:
    """Read the events after a batch, in order."""
    text = await tx.finish(READ_EVENTS, turn=request.turn, after=request.after, limit=request.limit)
    if text is None:
        raise_turn_not_found()
    return decode(text or "", TurnProgress)

"""Append messages to a conversation, guarded by the turn's fencing token.

A step locks the conversation first. Its next statement therefore sees the conversation as the lock left it. A step that
also changes tasks locks the space before the conversation: space, conversation, tasks is the lock order everywhere.

Under row-level security Postgres uses only columns and plain values as index conditions. A condition with coalesce() or
->> would read a whole conversation.
"""

from __future__ import annotations

from typing import Any, LiteralString

import msgspec

from todo_cli.contract.turn_steps import ENDED_STATES, MessageCall
from todo_cli.db.sql import Sql
from todo_cli.errors import Conflict, NotFound

LEASE_SECONDS = 30.0
CHARS_PER_TOKEN = 4
"""An estimate that suits every provider well enough for a budget."""
TOKENS_PER_MESSAGE = 8
"""What the role and the separators of a message cost, about."""

LOCK_CONVERSATION = Sql("""
SELECT 1 FROM todo.conversations
 WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid
   AND id = (
       SELECT conversation_id FROM todo.turns
        WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid AND id = %(turn)s::uuid)
   FOR NO KEY UPDATE""")

LEASE_UNTIL: LiteralString = "clock_timestamp() + make_interval(secs => %(lease)s::float8)"
_IS_END_STATE: LiteralString = "%(state)s::text IN ('done', 'stopped', 'failed')"

# the head moves to the last message of the branch; a message with the key "aside" stays outside of it
APPEND = Sql(f"""
WITH current AS MATERIALIZED (
    SELECT c.id, c.seq, c.head, c.head_of, t.attempt, t.state, t.stop
      FROM todo.turns t
      JOIN todo.conversations c ON c.space_id = t.space_id AND c.user_id = %(me)s::uuid
         AND c.id = t.conversation_id
     WHERE t.space_id = %(space)s::uuid AND t.user_id = %(me)s::uuid AND t.id = %(turn)s::uuid),
given AS MATERIALIZED (
    SELECT r, place, (r ->> 'call_seq')::bigint AS call_seq, (r ->> 'call_index')::int AS call_index
      FROM jsonb_array_elements(%(rows)s::jsonb) WITH ORDINALITY AS x(r, place)),
unanswered AS MATERIALIZED (
    SELECT r, r ? 'aside' AS aside, row_number() OVER (ORDER BY place) AS n,
           count(*) FILTER (WHERE NOT r ? 'aside') OVER (ORDER BY place) AS in_branch
      FROM current, given
     WHERE (%(after)s::bigint IS NULL OR current.head = %(after)s::bigint)
       AND (call_seq IS NULL OR (
           SELECT m.seq FROM todo.messages m
            WHERE m.space_id = %(space)s::uuid AND m.user_id = %(me)s::uuid
               AND m.conversation_id = current.id
              AND m.call_seq = given.call_seq AND m.call_index = given.call_index) IS NULL)),
total AS MATERIALIZED (
    SELECT count(*) AS messages, count(*) FILTER (WHERE NOT aside) AS in_branch FROM unanswered),
fence AS (
    UPDATE todo.turns t
       SET lease_until = {LEASE_UNTIL}, state = coalesce(%(state)s, t.state),
           attempt = t.attempt + %(bump)s::int, runner = coalesce(%(runner)s::uuid, t.runner),
           usage = coalesce(%(total)s::jsonb, t.usage), error = coalesce(%(error)s::jsonb, t.error),
           approved = coalesce(%(approved)s::boolean, t.approved),
           held = coalesce(%(held)s::jsonb, t.held),
           last = CASE WHEN {_IS_END_STATE} THEN
               CASE WHEN total.in_branch > 0 THEN current.seq + total.messages
                   ELSE current.head END END,
           ended_at = CASE WHEN {_IS_END_STATE} THEN clock_timestamp() END
      FROM current, total
     WHERE t.space_id = %(space)s::uuid AND t.user_id = %(me)s::uuid
        AND t.id = %(turn)s::uuid AND t.attempt = %(attempt)s::int
       AND t.state = ANY (%(states)s::text[])
    RETURNING t.state, t.stop, t.attempt),
conversation AS (
    UPDATE todo.conversations c
       SET seq = current.seq + total.messages,
           head = CASE WHEN total.in_branch > 0 THEN current.seq + total.messages
               ELSE current.head END,
           head_of = CASE WHEN total.in_branch > 0 THEN NULL ELSE current.head_of END
      FROM current, total, fence
     WHERE c.space_id = %(space)s::uuid AND c.user_id = %(me)s::uuid
        AND c.id = current.id AND total.messages > 0
    RETURNING c.head),
inserted AS (
    INSERT INTO todo.messages (space_id, conversation_id, seq, parent, parent_of, turn_id, attempt,
        role, status, content, calls, call_seq, call_index, reaches, tokens, model, usage)
    SELECT %(space)s::uuid, current.id, current.seq + n,
           CASE WHEN aside OR in_branch = 1 THEN current.head ELSE current.seq + n - 1 END,
           CASE WHEN aside OR in_branch = 1 THEN current.head_of END,
           %(turn)s::uuid, %(attempt)s::int, r ->> 'role', r ->> 'status', r ->> 'content',
           r -> 'calls', (r ->> 'call_seq')::bigint, (r ->> 'call_index')::int,
           (r ->> 'reaches')::bigint, (r ->> 'tokens')::int, r ->> 'model', r -> 'usage'
      FROM unanswered, current, fence)
SELECT json_build_object('fenced', NOT EXISTS (SELECT FROM fence), 'attempt', current.attempt,
    'head', coalesce((SELECT head FROM conversation), current.head),
    'state', coalesce((SELECT state FROM fence), current.state), 'stop', current.stop)::text
  FROM current
""")


class StepResult(msgspec.Struct):
    """The conversation and the turn after a step.

    `fenced` is True where nothing was stored, because another attempt holds the turn or the turn has ended.
    """

    fenced: bool
    attempt: int
    head: int | None
    state: str
    stop: bool


def append_values(turn: str, attempt: int, rows: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """Return the values of APPEND; `changes` are the columns of the turn that change with it."""
    defaults: dict[str, Any] = {
        "after": None,
        "state": None,
        "bump": 0,
        "runner": None,
        "total": None,
        "error": None,
        "approved": None,
        "held": None,
        "lease": LEASE_SECONDS,
        "states": ["running"],
    }
    for name in ("total", "error", "held"):
        if changes.get(name) is not None:
            changes[name] = _encode(changes[name])
    return defaults | {"turn": turn, "attempt": attempt, "rows": _encode(rows)} | changes


def _encode(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def message_row(role: str, content: str, *, calls: tuple[MessageCall, ...] = (), **fields: Any) -> dict[str, Any]:
    """Return a message as APPEND stores it."""
    stored_calls = [
        {name: replace_unstorable(value) for name, value in msgspec.to_builtins(call).items()} for call in calls
    ]
    content = replace_unstorable(content)
    chars = len(content) + sum(len(call["name"]) + len(call["arguments"]) for call in stored_calls)
    tokens = chars // CHARS_PER_TOKEN + TOKENS_PER_MESSAGE
    row = {"role": role, "content": content, "status": "whole", "tokens": tokens} | fields
    row = {name: value for name, value in row.items() if value is not None}
    return row | ({"calls": stored_calls} if stored_calls else {})


def tool_result_row(message: int, index: int, content: str, **fields: Any) -> dict[str, Any]:
    """Return the message that answers call `index` of `message`."""
    return message_row("tool", content, call_seq=message, call_index=index, **fields)


def replace_unstorable(text: str) -> str:
    """Replace the characters that Postgres cannot store: NUL and surrogates."""
    return "".join("\ufffd" if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in text)


def fenced_error(step: StepResult | None, attempt: int) -> Conflict | NotFound:
    """Return the error that says why the database refused a step."""
    if step is None:
        return NotFound("there is no such turn")
    if step.attempt != attempt:
        return Conflict("another attempt has taken the turn over", reason="fenced")
    why = "has ended" if step.state in ENDED_STATES else "is waiting for an approval"
    return Conflict(f"the turn {why}", reason="fenced", state=step.state)

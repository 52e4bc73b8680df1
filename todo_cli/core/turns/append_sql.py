"""The line of a conversation: the one statement that adds to it, behind the turn's fence.

A step locks the conversation first, and what it does is the next statement, which sees the line as it then is. Those
that also change tasks lock the space before that: space, conversation, tasks is the order everywhere.

Behind row-level security only columns and values make index conditions: coalesce and ->> would read a whole conversation.
"""

from __future__ import annotations

from typing import Any, LiteralString

import msgspec

from todo_cli.contract.turn_steps import ENDED, Wish
from todo_cli.db.sql import Sql
from todo_cli.errors import Conflict, NotFound

LOCK = Sql("""SELECT 1 FROM todo.conversations WHERE space_id = %(space)s::uuid AND id = (SELECT conversation_id
  FROM todo.turns WHERE space_id = %(space)s::uuid AND id = %(turn)s::uuid) FOR NO KEY UPDATE""")

LEASED: LiteralString = "clock_timestamp() + make_interval(secs => %(lease)s::float8)"
_ENDS: LiteralString = "%(state)s::text IN ('done', 'stopped', 'failed')"

_INSERT: LiteralString = """INSERT INTO todo.messages (space_id, conversation_id, seq, parent, parent_of, turn_id, attempt,
      role, status, content, calls, call_seq, call_index, reaches, tokens, model, usage)"""
_VALUES: LiteralString = """%(turn)s::uuid, %(attempt)s::int, r ->> 'role', r ->> 'status', r ->> 'content',
      r -> 'calls', (r ->> 'call_seq')::bigint, (r ->> 'call_index')::int, (r ->> 'reaches')::bigint,
      (r ->> 'tokens')::int, r ->> 'model', r -> 'usage'"""

APPEND = Sql(f"""
WITH was AS MATERIALIZED (SELECT c.id, c.seq, c.head, c.head_of, t.attempt, t.state, t.stop FROM todo.turns t
    JOIN todo.conversations c ON c.space_id = t.space_id AND c.id = t.conversation_id
  WHERE t.space_id = %(space)s::uuid AND t.id = %(turn)s::uuid),
given AS MATERIALIZED (SELECT r, place, (r ->> 'call_seq')::bigint AS call_seq, (r ->> 'call_index')::int AS call_index
  FROM jsonb_array_elements(%(rows)s::jsonb) WITH ORDINALITY AS x(r, place)),
new AS MATERIALIZED (SELECT r, r ? 'aside' AS aside, row_number() OVER (ORDER BY place) AS n,
    count(*) FILTER (WHERE NOT r ? 'aside') OVER (ORDER BY place) AS in_line
  FROM was, given WHERE (%(after)s::bigint IS NULL OR was.head = %(after)s::bigint)
    AND (call_seq IS NULL OR (SELECT m.seq FROM todo.messages m WHERE m.space_id = %(space)s::uuid AND m.conversation_id = was.id
      AND m.call_seq = given.call_seq AND m.call_index = given.call_index) IS NULL)),
sum AS MATERIALIZED (SELECT count(*) AS all, count(*) FILTER (WHERE NOT aside) AS in_line FROM new),
fence AS (UPDATE todo.turns t SET lease_until = {LEASED}, state = coalesce(%(state)s, t.state), attempt = t.attempt + %(bump)s::int,
    runner = coalesce(%(runner)s::uuid, t.runner), usage = coalesce(%(total)s::jsonb, t.usage),
    error = coalesce(%(error)s::jsonb, t.error), approved = coalesce(%(approved)s::boolean, t.approved),
    held = coalesce(%(held)s::jsonb, t.held),
    last = CASE WHEN {_ENDS} THEN CASE WHEN sum.in_line > 0 THEN was.seq + sum.all ELSE was.head END END,
    ended_at = CASE WHEN {_ENDS} THEN clock_timestamp() END
  FROM was, sum WHERE t.space_id = %(space)s::uuid AND t.id = %(turn)s::uuid AND t.attempt = %(attempt)s::int
    AND t.state = ANY (%(states)s::text[]) RETURNING t.state, t.stop, t.attempt),
moved AS (UPDATE todo.conversations c SET seq = was.seq + sum.all,
    head = CASE WHEN sum.in_line > 0 THEN was.seq + sum.all ELSE was.head END,
    head_of = CASE WHEN sum.in_line > 0 THEN NULL ELSE was.head_of END
  FROM was, sum, fence WHERE c.space_id = %(space)s::uuid AND c.id = was.id AND sum.all > 0 RETURNING c.head),
stored AS ({_INSERT}
  SELECT %(space)s::uuid, was.id, was.seq + n, CASE WHEN aside OR in_line = 1 THEN was.head ELSE was.seq + n - 1 END,
      CASE WHEN aside OR in_line = 1 THEN was.head_of END, {_VALUES} FROM new, was, fence)
SELECT json_build_object('fenced', NOT EXISTS (SELECT FROM fence), 'was', was.state, 'attempt', was.attempt,
    'head', coalesce((SELECT head FROM moved), was.head), 'state', coalesce((SELECT state FROM fence), was.state),
    'stop', was.stop)::text FROM was
""")


class StepResult(msgspec.Struct):
    """Where the line and the turn stand after APPEND; `fenced`: nothing was done, the turn is another's or has ended."""

    fenced: bool
    was: str
    attempt: int
    head: int | None
    state: str
    stop: bool


def append(turn: str, attempt: int, rows: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """The values of APPEND."""
    empty: dict[str, Any] = {
        "after": None, "state": None, "bump": 0, "runner": None, "total": None, "error": None, "approved": None,
        "held": None, "lease": 30.0, "states": ["running"],
    }  # fmt: skip
    for name in ("total", "error", "held"):
        if more.get(name) is not None:
            more[name] = msgspec.json.encode(more[name]).decode()
    return empty | {"turn": turn, "attempt": attempt, "rows": msgspec.json.encode(rows).decode()} | more


def row(role: str, content: str, *, calls: tuple[Wish, ...] = (), **more: Any) -> dict[str, Any]:
    """A message to be added."""
    kept = [{name: clean(value) for name, value in msgspec.to_builtins(one).items()} for one in calls]
    content = clean(content)
    size = len(content) + sum(len(one["name"]) + len(one["arguments"]) for one in kept)
    made = {"role": role, "content": content, "status": "whole", "tokens": size // 4 + 8} | more
    return {name: value for name, value in made.items() if value is not None} | ({"calls": kept} if kept else {})


def result(message: int, index: int, content: str, **more: Any) -> dict[str, Any]:
    """The message that answers a call."""
    return row("tool", content, call_seq=message, call_index=index, **more)


def clean(text: str) -> str:
    """What a model wrote, without what Postgres cannot hold."""
    return "".join("\ufffd" if one == "\0" or "\ud800" <= one <= "\udfff" else one for one in text)


def late(line: StepResult | None, attempt: int) -> Conflict | NotFound:
    """Why a step is refused."""
    if line is None:
        return NotFound("there is no such turn")
    if line.attempt != attempt:
        return Conflict("the turn was taken over by another", reason="fenced")
    why = "has ended" if line.state in ENDED else "waits for an answer"
    return Conflict(f"the turn {why}", reason="fenced", state=line.state)

"""The steps of a running turn but its tool calls (`run_call.py`). Each is one transaction; an older attempt is refused."""

from __future__ import annotations

import msgspec

from todo_cli.contract import turn_steps
from todo_cli.contract.codec import decode
from todo_cli.contract.turn_events import StoreEvents
from todo_cli.contract.turn_steps import ENDED_STATES, StepStored
from todo_cli.core.dispatch import handler
from todo_cli.core.turns.append_sql import (
    APPEND,
    LEASE_UNTIL,
    LOCK_CONVERSATION,
    StepResult,
    append_values,
    fenced_error,
    message_row,
    tool_result_row,
)
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction

SCHEDULE_TITLE = Sql("SELECT todo.schedule_title(%(turn)s::uuid)::text")

INSERT_EVENTS = Sql(f"""
WITH fence AS (
    UPDATE todo.turns t
       SET lease_until = {LEASE_UNTIL},
           events = greatest(t.events, %(first)s::bigint
               + (jsonb_array_length(%(batch)s::jsonb) > 0)::int)
     WHERE t.space_id = %(space)s::uuid AND t.user_id = %(me)s::uuid
        AND t.id = %(turn)s::uuid AND t.attempt = %(attempt)s::int
       AND t.state = 'running'
    RETURNING t.id),
inserted AS (
    INSERT INTO todo.events (space_id, turn_id, n, attempt, after, batch)
    SELECT %(space)s::uuid, fence.id, %(first)s::bigint, %(attempt)s::int, %(after)s::bigint,
           %(batch)s::jsonb
      FROM fence WHERE jsonb_array_length(%(batch)s::jsonb) > 0 ON CONFLICT DO NOTHING)
SELECT json_build_object('fenced', NOT EXISTS (SELECT FROM fence), 'attempt', t.attempt, 'head', 0,
    'state', t.state, 'stop', t.stop)::text
  FROM todo.turns t WHERE t.space_id = %(space)s::uuid AND t.user_id = %(me)s::uuid
     AND t.id = %(turn)s::uuid""")


def to_stored(text: str | None, attempt: int, *, may_have_ended: bool = False) -> StepStored:
    """Convert the database's answer to a step; raise Conflict where another attempt holds the turn."""
    step = decode(text, StepResult) if text else None
    is_repeat = step and may_have_ended and step.state in ENDED_STATES and step.attempt == attempt
    if step is None or (step.fenced and not is_repeat):
        raise fenced_error(step, attempt)
    return msgspec.convert({"head": step.head or 0, "state": step.state, "stop": step.stop}, StepStored)


@handler(turn_steps.StoreAnswer)
async def store_answer(tx: Transaction, request: turn_steps.StoreAnswer) -> StepStored:
    """Store the model's tool calls before any of them runs."""
    row = message_row("assistant", request.text, calls=request.calls, model=request.model, usage=request.usage)
    values = append_values(request.turn, request.attempt, [row], after=request.after, lease=request.lease)
    return to_stored(await tx.finish(LOCK_CONVERSATION, APPEND, **values), request.attempt)


@handler(turn_steps.StoreResults)
async def store_results(tx: Transaction, request: turn_steps.StoreResults) -> StepStored:
    """Store a result for each call that has none."""
    rows = [tool_result_row(result.message, result.index, result.text) for result in request.results]
    values = append_values(request.turn, request.attempt, rows, lease=request.lease)
    return to_stored(await tx.finish(LOCK_CONVERSATION, APPEND, **values), request.attempt)


@handler(turn_steps.EndTurn)
async def end_turn(tx: Transaction, request: turn_steps.EndTurn) -> StepStored:
    """Store the last message and end the turn. One round trip, with the job that titles the conversation."""
    text = request.text or "(no words)"
    row = message_row("assistant", text, model=request.model, usage=request.usage, status=request.status)
    changes = {"state": request.state, "total": request.total, "error": request.error}
    values = append_values(request.turn, request.attempt, [row], **changes)
    statements = [LOCK_CONVERSATION, APPEND, *([SCHEDULE_TITLE] if request.wants_title else [])]
    async with tx.steps() as steps:
        _, answer, *_ = await steps.commit_calls([(statement, values) for statement in statements])
    return to_stored(answer, request.attempt, may_have_ended=True)


@handler(StoreEvents)
async def store_events(tx: Transaction, request: StoreEvents) -> StepStored:
    """Store a batch of events once, and renew the lease."""
    values = {
        "turn": request.turn,
        "attempt": request.attempt,
        "lease": request.lease,
        "first": request.first,
        "after": request.after,
        "batch": msgspec.json.encode(request.batch).decode().replace("\\u0000", "\\ufffd"),
    }
    return to_stored(await tx.finish(LOCK_CONVERSATION, INSERT_EVENTS, **values), request.attempt)

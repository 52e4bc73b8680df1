"""The steps of a running turn: each one transaction, each refused for who has an older attempt."""

from __future__ import annotations

from typing import Any

import msgspec

from todo_cli.contract import turn_steps as ask
from todo_cli.contract.base import Request
from todo_cli.contract.codec import convert_request, decode
from todo_cli.contract.registry import BY_VERB
from todo_cli.contract.turn_events import StoreEvents
from todo_cli.contract.turn_steps import ENDED, Ran, Stored
from todo_cli.core.dispatch import handle, handler
from todo_cli.core.turns.append_sql import APPEND, LEASED, LOCK, StepResult, append, late, result, row
from todo_cli.core.turns.tool_result import told, told_error
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import ConnectionLost, Steps, Transaction
from todo_cli.errors import Invalid, TodoError, Unavailable

FENCE = Sql(f"""
WITH fence AS (UPDATE todo.turns SET lease_until = {LEASED} WHERE space_id = %(space)s::uuid AND id = %(turn)s::uuid
    AND attempt = %(attempt)s::int AND state = 'running' RETURNING conversation_id)
SELECT json_build_object('line', json_build_object('fenced', NOT EXISTS (SELECT FROM fence), 'was', t.state,
    'attempt', t.attempt, 'head', c.head, 'state', t.state, 'stop', t.stop), 'conversation', c.id,
  'zone', coalesce((SELECT timezone FROM todo.preferences WHERE user_id = %(me)s::uuid), 'UTC'),
  'old', (SELECT content FROM todo.messages m WHERE m.space_id = c.space_id AND m.conversation_id = c.id
      AND m.call_seq = %(message)s::bigint AND m.call_index = %(index)s::int),
  'calls', (SELECT jsonb_array_length(m.calls) FROM todo.messages m WHERE m.space_id = c.space_id
      AND m.conversation_id = c.id AND m.seq = %(message)s::bigint AND m.turn_id = t.id))::text
FROM todo.turns t JOIN todo.conversations c ON c.space_id = t.space_id AND c.id = t.conversation_id
WHERE t.space_id = %(space)s::uuid AND t.id = %(turn)s::uuid""")

EVENTS = Sql(f"""
WITH fence AS (UPDATE todo.turns t SET lease_until = {LEASED}, events = greatest(t.events, %(first)s::bigint +
      (jsonb_array_length(%(batch)s::jsonb) > 0)::int)
    WHERE t.space_id = %(space)s::uuid AND t.id = %(turn)s::uuid AND t.attempt = %(attempt)s::int AND t.state = 'running'
    RETURNING t.id),
kept AS (INSERT INTO todo.events (space_id, turn_id, n, attempt, after, batch)
  SELECT %(space)s::uuid, fence.id, %(first)s::bigint, %(attempt)s::int, %(after)s::bigint, %(batch)s::jsonb FROM fence
   WHERE jsonb_array_length(%(batch)s::jsonb) > 0 ON CONFLICT DO NOTHING)
SELECT json_build_object('fenced', NOT EXISTS (SELECT FROM fence), 'was', t.state, 'attempt', t.attempt, 'head', 0,
    'state', t.state, 'stop', t.stop)::text FROM todo.turns t
WHERE t.space_id = %(space)s::uuid AND t.id = %(turn)s::uuid""")

TOOLS: dict[str, type[Request[Any]]] = {verb: kind for verb, kind in BY_VERB.items() if kind.tool}


class _Fence(msgspec.Struct):
    line: StepResult
    conversation: str
    zone: str
    old: str | None = None
    calls: int | None = None


def _stored(text: str | None, attempt: int, *, ended: bool = False) -> Stored:
    line = decode(text, StepResult) if text else None
    again = line and ended and line.state in ENDED and line.attempt == attempt
    if line is None or (line.fenced and not again):
        raise late(line, attempt)
    return msgspec.convert({"head": line.head or 0, "state": line.state, "stop": line.stop}, Stored)


@handler(ask.StoreAnswer)
async def store_answer(tx: Transaction, request: ask.StoreAnswer) -> Stored:
    """What the model wishes, before anything of it is done."""
    said = row("assistant", request.text, calls=request.calls, model=request.model, usage=request.usage)
    values = append(request.turn, request.attempt, [said], after=request.after, lease=request.lease)
    return _stored(await tx.answer(LOCK, APPEND, **values), request.attempt)


@handler(ask.StoreResults)
async def store_results(tx: Transaction, request: ask.StoreResults) -> Stored:
    """An answer to each call that has none yet."""
    rows = [result(one.message, one.index, one.text) for one in request.results]
    values = append(request.turn, request.attempt, rows, lease=request.lease)
    return _stored(await tx.answer(LOCK, APPEND, **values), request.attempt)


@handler(ask.EndTurn)
async def end_turn(tx: Transaction, request: ask.EndTurn) -> Stored:
    """The last words and the end, together."""
    said = row(
        "assistant", request.text or "(no words)", model=request.model, usage=request.usage, status=request.status
    )
    values = append(
        request.turn, request.attempt, [said], state=request.state, total=request.total, error=request.error
    )
    return _stored(await tx.answer(LOCK, APPEND, **values), request.attempt, ended=True)


@handler(StoreEvents)
async def store_events(tx: Transaction, request: StoreEvents) -> Stored:
    """A batch, once; and a sign of life."""
    batch = msgspec.json.encode(request.batch).decode().replace("\\u0000", "\\ufffd")
    values = {
        "turn": request.turn,
        "attempt": request.attempt,
        "lease": request.lease,
        "first": request.first,
        "after": request.after,
    }
    return _stored(await tx.answer(LOCK, EVENTS, **values, batch=batch), request.attempt)


@handler(ask.RunCall)
async def run_call(tx: Transaction, request: ask.RunCall) -> Ran:
    """The wished request, its journal row and its result in one transaction; three round trips."""
    async with tx.steps() as steps:
        place = {"turn": request.turn, "attempt": request.attempt, "message": request.message, "index": request.index}
        text = await steps.run(LOCK, FENCE, **place, lease=request.lease)
        found = decode(text, _Fence) if text else None
        if found is None or found.line.fenced:
            raise late(found.line if found else None, request.attempt)
        if found.old is not None:
            return Ran(content=found.old, head=found.line.head or 0, new=False, stop=found.line.stop)
        if request.index >= (found.calls or 0):
            raise Invalid(f"message {request.message} has no call {request.index}")
        tx.in_zone(found.zone)
        # our own key: a provider's ids are minted anew, and used again
        key = f"call:{found.conversation}:{request.message}:{request.index}"
        content = await acted(tx, steps, request.turn, key, request.operation, request.arguments)
        rows = [result(request.message, request.index, content)]
        stored = _stored(
            await steps.finish(APPEND, **append(request.turn, request.attempt, rows, lease=request.lease)),
            request.attempt,
        )
    return Ran(content=content, head=stored.head, stop=stored.stop)


async def acted(tx: Transaction, steps: Steps, turn: str, key: str, verb: str, arguments: dict[str, Any]) -> str:
    """The wished request's result; its own error is one too, and leaves the transaction as it was."""
    try:
        wished = wished_request(verb, arguments)
    except Invalid as error:
        return told_error(error)
    inner = tx.inner(type(wished), key, enter=True, within=turn)
    try:
        return told(await handle(inner, wished))
    except (ConnectionLost, Unavailable):
        raise
    except TodoError as error:
        steps.give_up(inner)
        return told_error(error)


def wished_request(verb: str, arguments: dict[str, Any]) -> Request[Any]:
    """The request that a model wishes, checked; raises Invalid, also for what is no model's to ask."""
    if verb not in TOOLS:
        raise Invalid(f"{verb[:40]!r} is not among the tools")
    return convert_request(arguments, TOOLS[verb])

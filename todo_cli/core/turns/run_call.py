"""Run one tool call of a turn: its effect, its journal row and its result commit together, once."""

from __future__ import annotations

from typing import Any

import msgspec

from todo_cli.contract.base import Request
from todo_cli.contract.codec import convert_request, decode
from todo_cli.contract.registry import BY_VERB
from todo_cli.contract.tasks import ShowTask
from todo_cli.contract.tool_requests import FENCE_ARGUMENT, KEY_ARGUMENT, complete_tool_request
from todo_cli.contract.turn_steps import CallResult, RunCall
from todo_cli.core.dispatch import handle, handler
from todo_cli.core.journal import make_stamp
from todo_cli.core.tasks.change import find_write, prepare_change
from todo_cli.core.turns.append_sql import (
    APPEND,
    LEASE_UNTIL,
    LOCK_CONVERSATION,
    StepResult,
    append_values,
    fenced_error,
    tool_result_row,
)
from todo_cli.core.turns.consent import needs_approval
from todo_cli.core.turns.steps import to_stored
from todo_cli.core.turns.tool_result import error_json, result_json
from todo_cli.db.errors import ConnectionLost
from todo_cli.db.sql import Sql, StatementCall
from todo_cli.db.transaction import Steps, Transaction
from todo_cli.errors import Invalid, TodoError, Unavailable

CHECK_FENCE = Sql(f"""
WITH fence AS (
    UPDATE todo.turns SET lease_until = {LEASE_UNTIL}
     WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid
        AND id = %(turn)s::uuid AND attempt = %(attempt)s::int
       AND state = 'running'
    RETURNING conversation_id)
SELECT json_build_object(
    'step', json_build_object('fenced', NOT EXISTS (SELECT FROM fence), 'attempt', t.attempt,
        'head', c.head, 'state', t.state, 'stop', t.stop),
    'conversation', c.id,
    'stored_result', (
        SELECT content FROM todo.messages m
         WHERE m.space_id = c.space_id AND m.user_id = %(me)s::uuid AND m.conversation_id = c.id
           AND m.call_seq = %(message)s::bigint AND m.call_index = %(index)s::int),
    'calls', (
        SELECT jsonb_array_length(m.calls) FROM todo.messages m
         WHERE m.space_id = c.space_id AND m.user_id = %(me)s::uuid AND m.conversation_id = c.id
           AND m.seq = %(message)s::bigint AND m.turn_id = t.id))::text
  FROM todo.turns t
  JOIN todo.conversations c ON c.space_id = t.space_id AND c.user_id = %(me)s::uuid
     AND c.id = t.conversation_id
 WHERE t.space_id = %(space)s::uuid AND t.user_id = %(me)s::uuid AND t.id = %(turn)s::uuid""")

TOOLS: dict[str, type[Request[Any]]] = {verb: kind for verb, kind in BY_VERB.items() if kind.tool}


class _CallState(msgspec.Struct):
    """A call before it runs: its turn, and its result where it has one already."""

    step: StepResult
    conversation: str
    stored_result: str | None = None
    calls: int | None = None


@handler(RunCall)
async def run_call(tx: Transaction, request: RunCall) -> CallResult:
    """Run a tool call. Its effect, its journal row and its result commit together; three round trips.

    A change that needs approval is decided and not stored.
    """
    async with tx.steps() as steps:
        call = await _check_fence(steps, request)
        if call.stored_result is not None:
            return CallResult(content=call.stored_result, head=call.step.head or 0, new=False, stop=call.step.stop)
        if request.index >= (call.calls or 0):
            raise Invalid(f"message {request.message} has no call {request.index}")
        # our own key: a provider may use the id of a call again
        key = f"call:{call.conversation}:{request.message}:{request.index}"
        result = await execute_tool_call(tx, steps, request, key)
        if result is None:
            return CallResult(content="", head=call.step.head or 0, stop=call.step.stop, needs_approval=True)
        content, store = result
        rows = [tool_result_row(request.message, request.index, content)]
        values = append_values(request.turn, request.attempt, rows, lease=request.lease)
        texts = await steps.commit_calls([*store, (APPEND, values)])
        stored = to_stored(texts[-1], request.attempt)
    return CallResult(content=content, head=stored.head, stop=stored.stop)


async def _check_fence(steps: Steps, request: RunCall) -> _CallState:
    place = {"turn": request.turn, "attempt": request.attempt, "message": request.message, "index": request.index}
    text = await steps.fetch(LOCK_CONVERSATION, CHECK_FENCE, **place, lease=request.lease)
    call = decode(text, _CallState) if text else None
    if call is None or call.step.fenced:
        raise fenced_error(call.step if call else None, request.attempt)
    return call


async def execute_tool_call(
    tx: Transaction, steps: Steps, call: RunCall, key: str
) -> tuple[str, list[StatementCall]] | None:
    """Run the Request of a tool call. Return its result, and the statements that store what it changes.

    A refused Request leaves the transaction unchanged, and the refusal is the result. Return None for a change that needs
    approval.
    """
    try:
        request = parse_tool_request(call.operation, call.arguments)
    except Invalid as error:
        return error_json(error), []
    zone = (await tx.read_clock()).zone
    inner = tx.inner(type(request), call.arguments.get(KEY_ARGUMENT) or key, enter=True, turn=call.turn)
    try:
        if find_write(type(request)) is None:
            answer = await handle(inner, request)
            return result_json(answer, zone, with_details=isinstance(request, ShowTask)), []
        async with inner.steps() as inner_steps:
            prepared = await prepare_change(inner, inner_steps, request, make_stamp(inner, request))
        if getattr(request, "dry_run", False):
            return result_json(prepared.answer, zone), []
        if prepared.change and needs_approval(prepared.change, call.consent):
            return None
        return result_json(prepared.answer, zone), prepared.calls
    except (ConnectionLost, Unavailable):
        raise
    except TodoError as error:
        steps.discard(inner)
        return error_json(error), []


def parse_tool_request(verb: str, arguments: dict[str, Any]) -> Request[Any]:
    """Return the Request of a tool call; raise Invalid also for a verb that is not a tool."""
    if verb not in TOOLS:
        raise Invalid(f"{verb[:40]!r} is not among the tools")
    fields = {name: value for name, value in arguments.items() if name not in (KEY_ARGUMENT, FENCE_ARGUMENT)}
    request = convert_request(fields, TOOLS[verb])
    return complete_tool_request(request, has_key=KEY_ARGUMENT in arguments)

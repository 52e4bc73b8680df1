"""Hold the tool calls that need a person's approval, and apply them once the person approves.

A held call is stored as a plan of the exact change. An approval applies precisely that plan. The answer, the changes and
the results of the calls are one transaction, so an approval that arrives twice acts once. All plans are compared with the
tasks before the first plan is applied.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from todo_cli.contract.codec import decode
from todo_cli.contract.conversations import AnswerTurn, Turn
from todo_cli.contract.ids import id_of
from todo_cli.contract.journal import Redo, Undo
from todo_cli.contract.turn_steps import CallToApprove, HoldCalls, PendingCall, PendingCalls
from todo_cli.core.dispatch import handle, handler
from todo_cli.core.history.plans import FETCHED, IMAGE, LIFE, TOUCHED, Fetched, Touched, applicable, kept_values
from todo_cli.core.turns.append_sql import (
    APPEND,
    LEASE_SECONDS,
    LOCK_CONVERSATION,
    StepResult,
    append_values,
    fenced_error,
    tool_result_row,
)
from todo_cli.core.turns.lifecycle import REFUSED_RESULT
from todo_cli.core.turns.snapshot import READ_TURN, TurnSnapshot, raise_turn_not_found, to_turn
from todo_cli.core.turns.steps import CHECK_FENCE, parse_tool_request
from todo_cli.core.turns.tool_result import error_json, result_json
from todo_cli.db.batch import RELEASE, RequestBatch
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import TAKE_BACK, Steps, Transaction
from todo_cli.errors import Conflict, Invalid, NotFound, TodoError

INSERT_PLANS = Sql(f"""
INSERT INTO todo.plans (space_id, id, verb, arguments, targets, differences, expires_at)
SELECT %(space)s::uuid, id, verb, arguments, targets, differences, clock_timestamp()
    + interval '{LIFE}'
  FROM jsonb_to_recordset(%(plans)s::jsonb)
       AS x(id uuid, verb text, arguments jsonb, targets jsonb, differences jsonb)
ON CONFLICT (space_id, id) DO NOTHING""")

STORE_HELD_CALLS = Sql(f"""
UPDATE todo.turns t
   SET held = CASE WHEN t.state = 'awaiting' THEN (
       SELECT jsonb_agg(jsonb_build_object('message', h.message, 'index', h.index, 'plan',
           {IMAGE}) ORDER BY h.place)
         FROM unnest(%(ids)s::uuid[], %(messages)s::bigint[], %(indexes)s::int[])
              WITH ORDINALITY AS h(id, message, index, place)
         JOIN todo.plans p ON p.space_id = %(space)s::uuid AND p.id = h.id) ELSE t.held END
  FROM todo.conversations c
 WHERE t.space_id = %(space)s::uuid AND t.id = %(turn)s::uuid
   AND c.space_id = t.space_id AND c.id = t.conversation_id
RETURNING json_build_object('held', CASE WHEN t.state = 'awaiting' THEN t.held ELSE '[]' END,
    'head', c.head, 'state', t.state)::text""")

READ_HELD_PLANS = Sql(f"""
SELECT json_build_object('plans', coalesce(json_agg({FETCHED}), '[]'),
    'zone', coalesce((SELECT timezone FROM todo.preferences
        WHERE user_id = %(me)s::uuid), 'UTC'))::text
  FROM todo.plans p
 WHERE p.space_id = %(space)s::uuid AND p.user_id = %(me)s::uuid AND p.id = ANY (ARRAY(
     SELECT (h #>> '{{plan,id}}')::uuid FROM todo.turns t, jsonb_array_elements(t.held) AS h
      WHERE t.space_id = %(space)s::uuid AND t.id = %(turn)s::uuid))""")

CLOSE_PLANS = Sql("""
UPDATE todo.plans
   SET state = CASE WHEN id = ANY (%(done)s::uuid[]) THEN 'applied' ELSE 'refused' END,
       decided_at = clock_timestamp()
 WHERE space_id = %(space)s::uuid AND id = ANY (%(plans)s::uuid[]) AND user_id = %(me)s::uuid
   AND state = 'open'""")


class _TurnFence(msgspec.Struct):
    step: StepResult
    conversation: str
    zone: str


class _HeldPlans(msgspec.Struct):
    plans: list[Fetched]
    zone: str


@handler(HoldCalls)
async def hold_calls(tx: Transaction, request: HoldCalls) -> PendingCalls:
    """Plan the calls and let the turn wait. Three round trips: the fence; the real changes, rolled back; the plans."""
    async with tx.steps() as steps:
        first = {"message": request.calls[0].message, "index": request.calls[0].index}
        values = {"turn": request.turn, "attempt": request.attempt, "lease": LEASE_SECONDS} | first
        text = await steps.run(LOCK_CONVERSATION, CHECK_FENCE, **values)
        fence = decode(text, _TurnFence) if text else None
        if fence is None or fence.step.fenced:
            return await _repeat_hold(steps, request, fence)
        tx.in_zone(fence.zone)
        plans, errors = await _plan_calls(tx, request, fence.conversation)
        rows = [tool_result_row(call.message, call.index, error_json(error)) for call, error in errors]
        values = append_values(request.turn, request.attempt, rows, state="awaiting" if plans else None)
        plan_values = {
            "plans": msgspec.json.encode([plan for _, plan in plans]).decode(),
            "ids": [plan["id"] for _, plan in plans],
            "messages": [call.message for call, _ in plans],
            "indexes": [call.index for call, _ in plans],
        }
        answer = await steps.finish(INSERT_PLANS, APPEND, STORE_HELD_CALLS, **values, **plan_values)
    return decode(answer or "", PendingCalls)


async def _repeat_hold(steps: Steps, request: HoldCalls, fence: _TurnFence | None) -> PendingCalls:
    """Return the stored answer again: the first one was lost on its way."""
    if fence is None or fence.step.attempt != request.attempt or fence.step.state != "awaiting":
        raise fenced_error(fence.step if fence else None, request.attempt)
    turn = decode(await steps.run(READ_TURN, turn=request.turn) or "", TurnSnapshot)
    held = msgspec.convert(turn.held or (), tuple[PendingCall, ...])
    return PendingCalls(held=held, head=fence.step.head or 0, state="awaiting")


async def _plan_calls(
    tx: Transaction, request: HoldCalls, conversation: str
) -> tuple[list[tuple[CallToApprove, dict[str, Any]]], list[tuple[CallToApprove, TodoError]]]:
    """Return the plan of each call, and the error of each call that is impossible."""
    with RequestBatch(tx, TOUCHED, TAKE_BACK, RELEASE) as batch:
        started = [
            (call, await _start_call(batch, call.verb, call.arguments, within=request.turn)) for call in request.calls
        ]
        await batch.settle()
    plans, errors = [], []
    for call, item in started:
        if error := _error_of(item):
            errors.append((call, error))
        else:
            plans.append((call, _plan_values(conversation, call, decode(item.behind[0] or "", Touched))))
    return plans, errors


async def _start_call(batch: RequestBatch, verb: str, arguments: dict[str, Any], **options: Any) -> Any:
    """Add the call's Request to the batch; return the batch's item, or the error of arguments that do not fit."""
    try:
        request = parse_tool_request(verb, arguments)
    except Invalid as error:
        return error
    return await batch.add(type(request), lambda inner: handle(inner, request), **options)


def _error_of(item: Any) -> TodoError | None:
    error: TodoError | None = item if isinstance(item, TodoError) else item.error
    return error


def _plan_values(conversation: str, call: CallToApprove, touched: Touched) -> dict[str, Any]:
    arguments = call.arguments
    if call.verb in (Undo.verb, Redo.verb):
        # the plan names the change: by the time of the approval another one may be the last
        arguments = arguments | {"id": touched.undoes}
    values = kept_values(call.verb, arguments, touched)
    columns = {name: msgspec.Raw(value.encode()) for name, value in values.items()}
    return {"id": id_of("call", conversation, str(call.message), str(call.index)), "verb": call.verb, **columns}


@handler(AnswerTurn)
async def answer_turn(tx: Transaction, request: AnswerTurn) -> Turn:
    """Approve or refuse the held calls. Three round trips to approve, two to refuse.

    The first answer counts, and the same answer again changes nothing. Calls that are not chosen are refused in the same
    transaction.
    """
    async with tx.steps() as steps:
        _, text, held_plans = await steps.each(LOCK_CONVERSATION, READ_TURN, READ_HELD_PLANS, turn=request.turn)
        if text is None:
            raise_turn_not_found()
        turn = decode(text or "", TurnSnapshot)
        if turn.state != "awaiting":
            return _repeat_answer(turn, request)
        held = msgspec.convert(turn.held or [], list[PendingCall])
        places = _approved_places(request, held)
        done: list[str] = []
        rows = [_refused_row(call) for call in held]
        if places:
            plans = decode(held_plans or "", _HeldPlans)
            tx.in_zone(plans.zone)
            done, results = await _apply_plans(tx, request.turn, [held[place] for place in places], plans.plans)
            for place, row in zip(places, results, strict=True):
                rows[place] = row
        values = append_values(
            request.turn, turn.attempt, rows, state="answered", approved=request.yes, states=["awaiting"]
        )
        plan_ids = {"plans": [call.plan.id for call in held], "done": done}
        step = decode(await steps.finish(CLOSE_PLANS, APPEND, **values, **plan_ids) or "", StepResult)
        if step.fenced:
            raise fenced_error(step, turn.attempt)
    return to_turn(turn, state="answered", approved=request.yes, held=())


def _approved_places(request: AnswerTurn, held: list[PendingCall]) -> list[int]:
    """Return the places of the approved calls, in order."""
    if request.only is UNSET:
        return list(range(len(held))) if request.yes else []
    if not request.yes or not request.only:
        raise Invalid("`only` needs a yes and at least one call", hint="leave `only` out to refuse all calls")
    if max(request.only) >= len(held):
        raise Invalid(f"there are only {len(held)} calls to choose from", hint="their places count from 0")
    return sorted(set(request.only))


def _repeat_answer(turn: TurnSnapshot, request: AnswerTurn) -> Turn:
    if turn.approved is None:
        raise Conflict("the turn is not waiting for an approval", state=turn.state)
    if turn.approved != request.yes:
        answer = "approved" if turn.approved else "refused"
        raise Conflict(f"the calls were {answer} already", state=turn.state)
    return to_turn(turn)


def _refused_row(call: PendingCall) -> dict[str, Any]:
    return tool_result_row(call.message, call.index, REFUSED_RESULT)


async def _apply_plans(
    tx: Transaction, turn: str, calls: list[PendingCall], plans: list[Fetched]
) -> tuple[list[str], list[dict[str, Any]]]:
    """Apply the plans of the calls; return the ids of the applied plans, and the result of every call in order."""
    plan_by_id = {plan.plan.id: plan for plan in plans}
    errors = [_check_plan(plan_by_id.get(call.plan.id)) for call in calls]
    with RequestBatch(tx) as batch:
        items: list[Any] = [
            error
            or await _start_call(batch, call.plan.verb, call.plan.arguments, key=f"plan:{call.plan.id}", within=turn)
            for call, error in zip(calls, errors, strict=True)
        ]
        await batch.settle()
    done: list[str] = []
    rows: list[dict[str, Any]] = []
    for call, item in zip(calls, items, strict=True):
        error = _error_of(item)
        done += [] if error else [call.plan.id]
        content = error_json(error) if error else result_json(item.answer)
        rows.append(tool_result_row(call.message, call.index, content))
    return done, rows


def _check_plan(plan: Fetched | None) -> TodoError | None:
    """Return the error of a plan that no longer applies."""
    if plan is None:
        return NotFound("the plan does not exist any more; nothing was changed")
    try:
        applicable(plan)
    except TodoError as error:
        return error
    return None

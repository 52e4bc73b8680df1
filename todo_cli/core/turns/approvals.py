"""Hold the tool calls that need a person's approval, and apply them once the person approves.

A held call is stored as a plan of the exact change. An approval applies precisely that plan. The answer, the changes and
the results of the calls are one transaction, so an approval that arrives twice acts once. All plans are compared with the
tasks before the first plan is applied.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from todo_cli.contract.codec import decode
from todo_cli.contract.conversations import AnswerTurn, Turn
from todo_cli.contract.ids import id_of
from todo_cli.contract.journal import Redo, Undo
from todo_cli.contract.tool_requests import KEY_ARGUMENT
from todo_cli.contract.turn_steps import CallToApprove, HoldCalls, PendingCall, PendingCalls
from todo_cli.core.dispatch import handler
from todo_cli.core.history.plans import IMAGE, LIFE, PLAN_WITH_CONFLICTS, PlanWithConflicts, plan_values, raise_for_plan
from todo_cli.core.tasks.store import DecidedChange, store_calls
from todo_cli.core.turns.append_sql import (
    APPEND,
    LEASE_SECONDS,
    LOCK_CONVERSATION,
    StepResult,
    append_values,
    fenced_error,
    tool_result_row,
)
from todo_cli.core.turns.choices import ApprovedCall, read_choices
from todo_cli.core.turns.plan_calls import DecidedCall, UndecidedCall, decide_calls
from todo_cli.core.turns.run_call import CHECK_FENCE
from todo_cli.core.turns.snapshot import READ_TURN, TurnSnapshot, raise_turn_not_found, to_turn
from todo_cli.core.turns.tool_result import error_json, refused_json, result_json
from todo_cli.db.sql import Sql, StatementCall
from todo_cli.db.transaction import Steps, Transaction
from todo_cli.errors import Conflict, NotFound, TodoError

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
 WHERE t.space_id = %(space)s::uuid AND t.user_id = %(me)s::uuid AND t.id = %(turn)s::uuid
   AND c.space_id = t.space_id AND c.user_id = %(me)s::uuid AND c.id = t.conversation_id
RETURNING json_build_object('held', CASE WHEN t.state = 'awaiting' THEN t.held ELSE '[]' END,
    'head', c.head, 'state', t.state)::text""")

READ_HELD_PLANS = Sql(f"""
SELECT json_build_object('plans', coalesce(json_agg({PLAN_WITH_CONFLICTS}), '[]'))::text
  FROM todo.plans p
 WHERE p.space_id = %(space)s::uuid AND p.user_id = %(me)s::uuid AND p.id = ANY (ARRAY(
     SELECT (h #>> '{{plan,id}}')::uuid FROM todo.turns t, jsonb_array_elements(t.held) AS h
      WHERE t.space_id = %(space)s::uuid AND t.user_id = %(me)s::uuid
         AND t.id = %(turn)s::uuid))""")

CLOSE_PLANS = Sql("""
UPDATE todo.plans
   SET state = CASE WHEN id = ANY (%(done)s::uuid[]) THEN 'applied' ELSE 'refused' END,
       decided_at = clock_timestamp()
 WHERE space_id = %(space)s::uuid AND id = ANY (%(plans)s::uuid[]) AND user_id = %(me)s::uuid
   AND state = 'open'""")


class _TurnFence(msgspec.Struct):
    step: StepResult
    conversation: str


class _HeldPlans(msgspec.Struct):
    plans: list[PlanWithConflicts]


@handler(HoldCalls)
async def hold_calls(tx: Transaction, request: HoldCalls) -> PendingCalls:
    """Plan the calls and let the turn wait. Three round trips: the fence; what the calls must read; the plans."""
    async with tx.steps() as steps:
        first = {"message": request.calls[0].message, "index": request.calls[0].index}
        values = {"turn": request.turn, "attempt": request.attempt, "lease": LEASE_SECONDS} | first
        text = await steps.fetch(LOCK_CONVERSATION, CHECK_FENCE, **values)
        fence = decode(text, _TurnFence) if text else None
        if fence is None or fence.step.fenced:
            return await _repeat_hold(steps, request, fence)
        decided = await decide_calls(tx, steps, [UndecidedCall(call.verb, call.arguments) for call in request.calls])
        plans: list[tuple[CallToApprove, dict[str, Any]]] = []
        rows: list[dict[str, Any]] = []
        for call, outcome in zip(request.calls, decided, strict=True):
            if isinstance(outcome, TodoError):
                rows.append(tool_result_row(call.message, call.index, error_json(outcome)))
            elif outcome.change:
                plans.append((call, _plan_row(fence.conversation, call, outcome.change)))
        changes = append_values(request.turn, request.attempt, rows, state="awaiting" if plans else None)
        values = changes | _plan_values(plans)
        texts = await steps.commit_calls([(INSERT_PLANS, values), (APPEND, values), (STORE_HELD_CALLS, values)])
    return decode(texts[-1] or "", PendingCalls)


def _plan_values(plans: list[tuple[CallToApprove, dict[str, Any]]]) -> dict[str, Any]:
    return {
        "plans": msgspec.json.encode([plan for _, plan in plans]).decode(),
        "ids": [plan["id"] for _, plan in plans],
        "messages": [call.message for call, _ in plans],
        "indexes": [call.index for call, _ in plans],
    }


async def _repeat_hold(steps: Steps, request: HoldCalls, fence: _TurnFence | None) -> PendingCalls:
    """Return the stored answer again: the first one was lost on its way."""
    if fence is None or fence.step.attempt != request.attempt or fence.step.state != "awaiting":
        raise fenced_error(fence.step if fence else None, request.attempt)
    turn = decode(await steps.fetch(READ_TURN, turn=request.turn) or "", TurnSnapshot)
    held = msgspec.convert(turn.held or (), tuple[PendingCall, ...])
    return PendingCalls(held=held, head=fence.step.head or 0, state="awaiting")


def _plan_row(conversation: str, call: CallToApprove, change: DecidedChange) -> dict[str, Any]:
    arguments = call.arguments
    if call.verb in (Undo.verb, Redo.verb):
        # The plan names the change: by the time of the approval another one may be the last.
        arguments = arguments | {"id": change.edits.undoes}
    values = plan_values(call.verb, arguments, change)
    columns = {name: msgspec.Raw(value.encode()) for name, value in values.items()}
    return {"id": id_of("call", conversation, str(call.message), str(call.index)), "verb": call.verb, **columns}


@handler(AnswerTurn)
async def answer_turn(tx: Transaction, request: AnswerTurn) -> Turn:
    """Approve or refuse the held calls. Three round trips to approve, two to refuse.

    The first answer counts, and the same answer again changes nothing. Calls and tasks that are not chosen are refused in
    the same transaction.
    """
    async with tx.steps() as steps:
        _, text, held_plans = await steps.fetch_all(LOCK_CONVERSATION, READ_TURN, READ_HELD_PLANS, turn=request.turn)
        if text is None:
            raise_turn_not_found()
        turn = decode(text or "", TurnSnapshot)
        if turn.state != "awaiting":
            return _repeat_answer(turn, request)
        held = msgspec.convert(turn.held or [], list[PendingCall])
        approved = read_choices(request, held)
        applied: list[str] = []
        rows = [_refused_row(call) for call in held]
        store: list[StatementCall] = []
        if approved:
            plans = decode(held_plans or "", _HeldPlans)
            outcomes = await _apply_plans(tx, steps, request.turn, approved, plans.plans)
            zone = (await tx.read_clock()).zone
            for choice, outcome in zip(approved, outcomes, strict=True):
                rows[choice.place] = _result_row(choice, outcome, zone)
            applied = [
                choice.call.plan.id
                for choice, outcome in zip(approved, outcomes, strict=True)
                if not isinstance(outcome, TodoError)
            ]
            store = await store_calls(
                [outcome.change for outcome in outcomes if isinstance(outcome, DecidedCall) and outcome.change]
            )
        values = append_values(
            request.turn, turn.attempt, rows, state="answered", approved=request.yes, states=["awaiting"]
        ) | {"plans": [call.plan.id for call in held], "done": applied}
        texts = await steps.commit_calls([*store, (CLOSE_PLANS, values), (APPEND, values)])
        step = decode(texts[-1] or "", StepResult)
        if step.fenced:
            raise fenced_error(step, turn.attempt)
    return to_turn(turn, state="answered", approved=request.yes, held=())


def _repeat_answer(turn: TurnSnapshot, request: AnswerTurn) -> Turn:
    if turn.approved is None:
        raise Conflict("the turn is not waiting for an approval", state=turn.state)
    if turn.approved != request.yes:
        answer = "approved" if turn.approved else "refused"
        raise Conflict(f"the calls were {answer} already", state=turn.state)
    return to_turn(turn)


def _refused_row(call: PendingCall) -> dict[str, Any]:
    return tool_result_row(call.message, call.index, refused_json(call.plan))


def _result_row(choice: ApprovedCall, outcome: DecidedCall | TodoError, zone: str) -> dict[str, Any]:
    call = choice.call
    if isinstance(outcome, TodoError):
        return tool_result_row(call.message, call.index, error_json(outcome))
    refused = [target for target in call.plan.targets if target.number in choice.refused]
    return tool_result_row(call.message, call.index, result_json(outcome.answer, zone, refused=refused))


async def _apply_plans(
    tx: Transaction, steps: Steps, turn: str, choices: list[ApprovedCall], plans: list[PlanWithConflicts]
) -> list[DecidedCall | TodoError]:
    """Decide the approved calls one after the other; all are compared with the tasks before the first is decided."""
    plan_by_id = {plan.plan.id: plan for plan in plans}
    errors = [_check_plan(plan_by_id.get(choice.call.plan.id), choice.refused) for choice in choices]
    valid = [
        UndecidedCall(
            choice.call.plan.verb,
            choice.arguments,
            key=choice.call.plan.arguments.get(KEY_ARGUMENT) or f"plan:{choice.call.plan.id}",
            turn=turn,
        )
        for choice, error in zip(choices, errors, strict=True)
        if error is None
    ]
    decided = iter(await decide_calls(tx, steps, valid, in_order=True))
    return [error or next(decided) for error in errors]


def _check_plan(plan: PlanWithConflicts | None, refused: tuple[int, ...]) -> TodoError | None:
    """Return the error of a plan that no longer applies. Its refused tasks may have moved on."""
    if plan is None:
        return NotFound("the plan does not exist any more; nothing was changed")
    if refused and plan.plan.state == "applied":
        return Conflict("the plan was applied before, with all of its tasks; nothing was changed")
    moved = [number for number in plan.moved or () if int(number) not in refused]
    try:
        raise_for_plan(replace(plan, moved=moved))
    except TodoError as error:
        return error
    return None

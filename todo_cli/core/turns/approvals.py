"""Calls that need a person's yes: what they would do is worked out and kept; the yes does precisely that.

The answer, the changes and the calls' results are one transaction, so that a yes given twice, or from two machines, acts
once. What was planned is compared with the tasks as they are, for all calls before the first of them acts.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from todo_cli.contract.codec import decode
from todo_cli.contract.conversations import AnswerTurn, Turn
from todo_cli.contract.ids import id_of
from todo_cli.contract.journal import Redo, Undo
from todo_cli.contract.turn_steps import Call, Held, HoldCalls, Parked
from todo_cli.core.dispatch import handle, handler
from todo_cli.core.history.plans import FETCHED, IMAGE, LIFE, TOUCHED, Fetched, Touched, applicable, kept_values
from todo_cli.core.turns.append_sql import APPEND, LOCK, StepResult, append, late, result
from todo_cli.core.turns.lifecycle import LOOK_ONE, REFUSED, TurnSnapshot, no_turn, shown
from todo_cli.core.turns.steps import FENCE, wished_request
from todo_cli.core.turns.tool_result import told, told_error
from todo_cli.db.batch import RELEASE, RequestBatch
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import TAKE_BACK, Steps, Transaction
from todo_cli.errors import Conflict, Invalid, NotFound, TodoError

KEEP = Sql(f"""INSERT INTO todo.plans (space_id, id, verb, arguments, targets, differences, expires_at)
  SELECT %(space)s::uuid, id, verb, arguments, targets, differences, clock_timestamp() + interval '{LIFE}'
    FROM jsonb_to_recordset(%(plans)s::jsonb) AS x(id uuid, verb text, arguments jsonb, targets jsonb, differences jsonb)
  ON CONFLICT (space_id, id) DO NOTHING""")

HOLD = Sql(f"""UPDATE todo.turns t SET held = CASE WHEN t.state = 'awaiting' THEN (
    SELECT jsonb_agg(jsonb_build_object('message', h.message, 'index', h.index, 'plan', {IMAGE}) ORDER BY h.place)
      FROM unnest(%(ids)s::uuid[], %(messages)s::bigint[], %(indexes)s::int[]) WITH ORDINALITY AS h(id, message, index, place)
      JOIN todo.plans p ON p.space_id = %(space)s::uuid AND p.id = h.id) ELSE t.held END
  FROM todo.conversations c WHERE t.space_id = %(space)s::uuid AND t.id = %(turn)s::uuid
    AND c.space_id = t.space_id AND c.id = t.conversation_id
  RETURNING json_build_object('held', CASE WHEN t.state = 'awaiting' THEN t.held ELSE '[]' END,
    'head', c.head, 'state', t.state)::text""")

JUDGE = Sql(f"""SELECT json_build_object('plans', coalesce(json_agg({FETCHED}), '[]'),
  'zone', coalesce((SELECT timezone FROM todo.preferences WHERE user_id = %(me)s::uuid), 'UTC'))::text FROM todo.plans p
  WHERE p.space_id = %(space)s::uuid AND p.user_id = %(me)s::uuid AND p.id = ANY (ARRAY(
    SELECT (h #>> '{{plan,id}}')::uuid FROM todo.turns t, jsonb_array_elements(t.held) AS h
     WHERE t.space_id = %(space)s::uuid AND t.id = %(turn)s::uuid))""")

DECIDE = Sql("""UPDATE todo.plans SET state = CASE WHEN id = ANY (%(done)s::uuid[]) THEN 'applied' ELSE 'refused' END,
    decided_at = clock_timestamp()
  WHERE space_id = %(space)s::uuid AND id = ANY (%(plans)s::uuid[]) AND user_id = %(me)s::uuid AND state = 'open'""")


class _Fence(msgspec.Struct):
    line: StepResult
    conversation: str
    zone: str


class _Judged(msgspec.Struct):
    plans: list[Fetched]
    zone: str


@handler(HoldCalls)
async def hold_calls(tx: Transaction, request: HoldCalls) -> Parked:
    """Three round trips: the fence, all the real changes and taking them back, the plans. Then the turn waits."""
    async with tx.steps() as steps:
        first = {"message": request.calls[0].message, "index": request.calls[0].index}
        text = await steps.run(LOCK, FENCE, turn=request.turn, attempt=request.attempt, lease=30.0, **first)
        found = decode(text, _Fence) if text else None
        if found is None or found.line.fenced:
            return await _parked_before(steps, request, found)
        tx.in_zone(found.zone)
        plans, errors = await _worked_out(tx, request, found.conversation)
        rows = [result(call.message, call.index, told_error(error)) for call, error in errors]
        values = append(request.turn, request.attempt, rows, state="awaiting" if plans else None)
        kept = {"plans": msgspec.json.encode([plan for _, plan in plans]).decode(), "ids": [one["id"] for _, one in plans],
                "messages": [call.message for call, _ in plans], "indexes": [call.index for call, _ in plans]}  # fmt: skip
        return decode(await steps.finish(KEEP, APPEND, HOLD, **values, **kept) or "", Parked)


async def _parked_before(steps: Steps, request: HoldCalls, found: _Fence | None) -> Parked:
    """Its first answer was lost: the same again."""
    if found is None or found.line.attempt != request.attempt or found.line.state != "awaiting":
        raise late(found.line if found else None, request.attempt)
    was = decode(await steps.run(LOOK_ONE, turn=request.turn) or "", TurnSnapshot)
    return Parked(held=msgspec.convert(was.held or (), tuple[Held, ...]), head=found.line.head or 0, state="awaiting")


async def _worked_out(
    tx: Transaction, request: HoldCalls, conversation: str
) -> tuple[list[tuple[Call, dict[str, Any]]], list[tuple[Call, TodoError]]]:
    """What each call would do, as a plan that is to be kept; and the calls that cannot be done."""
    with RequestBatch(tx, TOUCHED, TAKE_BACK, RELEASE) as together:
        tried = [
            (call, await _tried(together, call.verb, call.arguments, within=request.turn)) for call in request.calls
        ]
        await together.settle()
    plans, errors = [], []
    for call, going in tried:
        if error := _error(going):
            errors.append((call, error))
        else:
            plans.append((call, _plan(conversation, call, decode(going.behind[0] or "", Touched))))
    return plans, errors


async def _tried(together: RequestBatch, verb: str, arguments: dict[str, Any], **how: Any) -> Any:
    """The call on its way, or why it is none."""
    try:
        wished = wished_request(verb, arguments)
    except Invalid as error:
        return error
    return await together.add(type(wished), lambda inner: handle(inner, wished), **how)


def _error(tried: Any) -> TodoError | None:
    found: TodoError | None = tried if isinstance(tried, TodoError) else tried.error
    return found


def _plan(conversation: str, call: Call, touched: Touched) -> dict[str, Any]:
    arguments = call.arguments
    if call.verb in (Undo.verb, Redo.verb):
        # the last change may be another one by the time of the yes
        arguments = arguments | {"id": touched.undoes}
    kept = {name: msgspec.Raw(value.encode()) for name, value in kept_values(call.verb, arguments, touched).items()}
    return {"id": id_of("call", conversation, str(call.message), str(call.index)), "verb": call.verb, **kept}


@handler(AnswerTurn)
async def answer_turn(tx: Transaction, request: AnswerTurn) -> Turn:
    """The first answer counts; the same again changes nothing. Three round trips for a yes, two for a no.

    What is not chosen of the calls has its no in the same transaction.
    """
    async with tx.steps() as steps:
        _, text, judged = await steps.each(LOCK, LOOK_ONE, JUDGE, turn=request.turn)
        if text is None:
            no_turn()
        was = decode(text or "", TurnSnapshot)
        if was.state != "awaiting":
            return _answered_before(was, request)
        held = msgspec.convert(was.held or [], list[Held])
        chosen = _chosen(request, held)
        done: list[str] = []
        rows = [_refusal(one) for one in held]
        if chosen:
            found = decode(judged or "", _Judged)
            tx.in_zone(found.zone)
            done, acted = await _carried_out(tx, request.turn, [held[place] for place in chosen], found.plans)
            for place, row in zip(chosen, acted, strict=True):
                rows[place] = row
        values = append(request.turn, was.attempt, rows, state="answered", approved=request.yes, states=["awaiting"])
        ids = {"plans": [one.plan.id for one in held], "done": done}
        line = decode(await steps.finish(DECIDE, APPEND, **values, **ids) or "", StepResult)
        if line.fenced:
            raise late(line, was.attempt)
    return shown(was, state="answered", approved=request.yes, held=())


def _chosen(request: AnswerTurn, held: list[Held]) -> list[int]:
    """The places of the calls that are agreed to, in order."""
    if request.only is UNSET:
        return list(range(len(held))) if request.yes else []
    if not request.yes or not request.only:
        raise Invalid("a choice among the calls is a yes to one of them at least", hint="leave `only` out of a no")
    if max(request.only) >= len(held):
        raise Invalid(f"there are only {len(held)} calls to choose from", hint="their places count from 0")
    return sorted(set(request.only))


def _answered_before(was: TurnSnapshot, request: AnswerTurn) -> Turn:
    if was.approved is None:
        raise Conflict("the turn waits for no answer", state=was.state)
    if was.approved != request.yes:
        raise Conflict(f"the answer was {'yes' if was.approved else 'no'} already", state=was.state)
    return shown(was)


def _refusal(one: Held) -> dict[str, Any]:
    return result(one.message, one.index, REFUSED)


async def _carried_out(
    tx: Transaction, turn: str, held: list[Held], plans: list[Fetched]
) -> tuple[list[str], list[dict[str, Any]]]:
    """The plans that were, and every call's result, in order; all have been judged before the first one acts."""
    found = {one.plan.id: one for one in plans}
    judged = [_judged(found.get(one.plan.id)) for one in held]
    with RequestBatch(tx) as together:
        tried: list[Any] = [
            error or await _tried(together, one.plan.verb, one.plan.arguments, key=f"plan:{one.plan.id}", within=turn)
            for one, error in zip(held, judged, strict=True)
        ]
        await together.settle()
    done: list[str] = []
    rows: list[dict[str, Any]] = []
    for one, going in zip(held, tried, strict=True):
        error = _error(going)
        done += [] if error else [one.plan.id]
        rows.append(result(one.message, one.index, told_error(error) if error else told(going.answer)))
    return done, rows


def _judged(found: Fetched | None) -> TodoError | None:
    if found is None:
        return NotFound("the plan is not there any more; nothing was changed")
    try:
        applicable(found)
    except TodoError as error:
        return error
    return None

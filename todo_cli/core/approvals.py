"""Calls that need a person's yes: what they would do is worked out and kept; the yes does precisely that.

The answer, the changes and the calls' results are one transaction, so that a yes given twice, or from two machines, acts
once. What was planned is compared with the tasks as they are, for all calls before the first of them acts.
"""

from __future__ import annotations

from typing import Any

import msgspec

from todo_cli.contract.chat import Call, Held, HoldCalls, Parked
from todo_cli.contract.conversations import AnswerTurn, Turn
from todo_cli.contract.ids import id_of
from todo_cli.contract.journal import Redo, Undo
from todo_cli.contract.plans import Plan
from todo_cli.contract.wire import decode
from todo_cli.core.brief import told_error
from todo_cli.core.chat import FENCE, acted, wished_request
from todo_cli.core.lines import APPEND, LOCK, Line, append, late, result
from todo_cli.core.plans import FETCH, KEEP, TOUCHED, Fetched, Touched, applicable, kept_values
from todo_cli.core.rules import Rules
from todo_cli.core.turns import LOOK_ONE, REFUSED, Stands, no_turn, shown
from todo_cli.db.connect import Lost, Steps, Tx
from todo_cli.db.sql import Sql
from todo_cli.errors import Conflict, Invalid, NotFound, TodoError, Unavailable

DECIDE = Sql("""UPDATE todo.plans SET state = CASE WHEN id = ANY (%(done)s::uuid[]) THEN 'applied' ELSE 'refused' END,
    decided_at = clock_timestamp()
  WHERE space_id = %(space)s::uuid AND id = ANY (%(plans)s::uuid[]) AND user_id = %(me)s::uuid AND state = 'open'""")


class _Fence(msgspec.Struct):
    line: Line
    conversation: str


async def hold_calls(tx: Tx, it: HoldCalls) -> Parked:
    """Three round trips a call: the real change, what it touched and taking it back, the plan. Then the turn waits."""
    async with tx.steps() as steps:
        first = {"message": it.calls[0].message, "index": it.calls[0].index}
        text = await steps.run(LOCK, FENCE, turn=it.turn, attempt=it.attempt, lease=30.0, **first)
        found = decode(text, _Fence) if text else None
        if found is None or found.line.fenced:
            return await _parked_before(steps, it, found)
        held: list[Held] = []
        rows: list[dict[str, Any]] = []
        for call in it.calls:
            plan = await _planned(tx, steps, it.turn, found.conversation, call)
            if isinstance(plan, Plan):
                held.append(Held(message=call.message, index=call.index, plan=plan))
            else:
                rows.append(result(call.message, call.index, told_error(plan)))
        waits = msgspec.to_builtins(held) if held else None
        values = append(it.turn, it.attempt, rows, state="awaiting" if held else None, held=waits)
        line = decode(await steps.finish(APPEND, **values) or "", Line)
    return _parked(held, line)


def _parked(held: list[Held], line: Line) -> Parked:
    return msgspec.convert({"held": held, "head": line.head or 0, "state": line.state}, Parked, from_attributes=True)


async def _parked_before(steps: Steps, it: HoldCalls, found: _Fence | None) -> Parked:
    """Its first answer was lost: the same again."""
    if found is None or found.line.attempt != it.attempt or found.line.state != "awaiting":
        raise late(found.line if found else None, it.attempt)
    was = decode(await steps.run(LOOK_ONE, turn=it.turn) or "", Stands)
    return _parked(msgspec.convert(was.held or [], list[Held]), found.line)


async def _planned(tx: Tx, steps: Steps, turn: str, conversation: str, call: Call) -> Plan | TodoError:
    """What the call would do, or why it cannot be done."""
    from todo_cli.core.handlers import handle

    try:
        wished = wished_request(call.verb, call.arguments)
    except Invalid as error:
        return error
    inner = tx.inner(type(wished), None, enter=True, within=turn)
    try:
        await handle(inner, wished)
    except (Lost, Unavailable):
        raise
    except TodoError as error:
        steps.give_up(inner)
        return error
    touched = decode(await steps.take_back(TOUCHED) or "", Touched)
    arguments = call.arguments
    if isinstance(wished, Undo | Redo):
        # the last change may be another one by the time of the yes
        arguments = arguments | {"id": touched.undoes}
    values = {"id": id_of("call", conversation, str(call.message), str(call.index)), "verb": call.verb}
    return decode(await steps.run(KEEP, **values, **kept_values(arguments, touched)) or "", Plan)


async def answer_turn(tx: Tx, it: AnswerTurn) -> Turn:
    """The first answer counts; the same again changes nothing. Two round trips a call that it lets through."""
    async with tx.steps() as steps:
        text = await steps.run(LOCK, LOOK_ONE, turn=it.turn)
        if text is None:
            no_turn()
        was = decode(text or "", Stands)
        if was.state != "awaiting":
            return _answered_before(was, it)
        held = msgspec.convert(was.held or [], list[Held])
        judged = [await _judged(steps, one) if it.yes else None for one in held]
        rows = await _carried_out(tx, steps, it.turn, held, judged) if it.yes else [_refusal(one) for one in held]
        values = append(it.turn, was.attempt, rows, state="answered", approved=it.yes, states=["awaiting"])
        done = [one.plan.id for one, error in zip(held, judged, strict=True) if it.yes and not error]
        plans = {"plans": [one.plan.id for one in held], "done": done}
        line = decode(await steps.finish(DECIDE, APPEND, **values, **plans) or "", Line)
        if line.fenced:
            raise late(line, was.attempt)
    return shown(was, state="answered", approved=it.yes, held=())


def _answered_before(was: Stands, it: AnswerTurn) -> Turn:
    if was.approved is None:
        raise Conflict("the turn waits for no answer", state=was.state)
    if was.approved != it.yes:
        raise Conflict(f"the answer was {'yes' if was.approved else 'no'} already", state=was.state)
    return shown(was)


def _refusal(one: Held) -> dict[str, Any]:
    return result(one.message, one.index, REFUSED)


async def _carried_out(
    tx: Tx, steps: Steps, turn: str, held: list[Held], judged: list[TodoError | None]
) -> list[dict[str, Any]]:
    """Every call's result, in order; all have been judged before the first one acts."""
    rows = []
    for one, error in zip(held, judged, strict=True):
        plan = one.plan
        content = told_error(error) if error else await acted(
            tx, steps, turn, f"plan:{plan.id}", plan.verb, plan.arguments
        )  # fmt: skip
        rows.append(result(one.message, one.index, content))
    return rows


async def _judged(steps: Steps, one: Held) -> TodoError | None:
    text = await steps.run(FETCH, id=one.plan.id)
    if text is None:
        return NotFound("the plan is not there any more; nothing was changed")
    try:
        applicable(decode(text, Fetched))
    except TodoError as error:
        return error
    return None


HANDLERS: Rules = {HoldCalls: hold_calls, AnswerTurn: answer_turn}

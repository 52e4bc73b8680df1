"""Plans: decide a change and store the plan of it; later make precisely that change, or refuse.

`--plan`, approvals and proposals share one table and these functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString

import msgspec

from todo_cli.contract.base import Request
from todo_cli.contract.claims import ClaimTask
from todo_cli.contract.codec import convert_request, decode
from todo_cli.contract.copies import CopyTasks
from todo_cli.contract.edits import EditEachTask
from todo_cli.contract.order import MoveTasks
from todo_cli.contract.plans import ApplyPlan, ListPlans, MakePlan, Plan, PlanPage, PlanTarget, RefusePlan
from todo_cli.contract.registry import BY_VERB
from todo_cli.contract.tasks import AddTask, AddTasks, Changed, CompleteTasks, OnTasks, Task
from todo_cli.core.dispatch import handler
from todo_cli.core.journal import build_journaled, differences, make_stamp, run_journaled
from todo_cli.core.json_sql import format_instant
from todo_cli.core.tasks.change import prepare_change
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.tasks.store import DecidedChange
from todo_cli.db.sign_in import ENTER
from todo_cli.db.sql import Sql, StatementCall
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Conflict, Invalid, NotFound

LIFE = "1 day"

PLANNABLE = {
    verb: kind
    for verb, kind in BY_VERB.items()
    if issubclass(kind, OnTasks | AddTask | AddTasks | CopyTasks | EditEachTask | MoveTasks)
}

IMAGE: LiteralString = f"""jsonb_build_object(
  'id', p.id, 'verb', p.verb, 'arguments', p.arguments, 'targets', p.targets,
  'differences', p.differences, 'made_at', {format_instant("p.made_at")},
  'expires_at', {format_instant("p.expires_at")},
  'state', CASE WHEN p.state = 'open' AND p.expires_at <= clock_timestamp() THEN 'expired'
    ELSE p.state END)"""

STORE = Sql(f"""
WITH stored AS (
  INSERT INTO todo.plans (space_id, id, verb, arguments, targets, differences, expires_at)
  VALUES (%(space)s::uuid, %(id)s::uuid, %(verb)s, %(arguments)s::jsonb, %(targets)s::jsonb,
    %(differences)s::jsonb, clock_timestamp() + interval '{LIFE}')
  ON CONFLICT (space_id, id) DO NOTHING RETURNING *)
SELECT {IMAGE}::text FROM (
  SELECT * FROM stored
  UNION ALL
  SELECT * FROM todo.plans
  WHERE space_id = %(space)s::uuid AND id = %(id)s::uuid AND user_id = %(me)s::uuid) AS p
LIMIT 1""")

PLAN_WITH_CONFLICTS: LiteralString = f"""json_build_object('plan', {IMAGE}, 'moved', (
    SELECT json_agg(target.number::text ORDER BY target.number)
    FROM jsonb_to_recordset(p.targets) AS target(number bigint, rev bigint)
      LEFT JOIN todo.tasks t ON t.space_id = %(space)s::uuid AND t.number = target.number
    WHERE t.rev IS DISTINCT FROM target.rev))"""
"""A plan, and the numbers of its tasks that have moved on."""

FETCH = Sql(f"""
SELECT {PLAN_WITH_CONFLICTS}::text FROM todo.plans p
WHERE p.space_id = %(space)s::uuid AND p.id = %(id)s::uuid AND p.user_id = %(me)s::uuid""")

CLOSE = Sql("""
UPDATE todo.plans SET state = %(state)s, decided_at = coalesce(decided_at, clock_timestamp())
WHERE space_id = %(space)s::uuid AND id = %(id)s::uuid AND user_id = %(me)s::uuid
RETURNING state""")

REFUSE = build_journaled(f"""
  UPDATE todo.plans p SET state = 'refused', decided_at = clock_timestamp()
  WHERE space_id = %(space)s::uuid AND id = %(id)s::uuid AND user_id = %(me)s::uuid
    AND state = 'open' AND NOT EXISTS (SELECT FROM known)
  RETURNING {IMAGE} AS answer""")

LIST = Sql(f"""
SELECT json_build_object('plans', coalesce(json_agg({IMAGE} ORDER BY made_at DESC), '[]'))::text
FROM (
  SELECT * FROM todo.plans
  WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid AND state = 'open'
    AND expires_at > clock_timestamp()
  ORDER BY made_at DESC LIMIT 100) AS p""")


class PlanWithConflicts(msgspec.Struct):
    """A plan, and the numbers of its tasks that have moved on."""

    plan: Plan
    moved: list[str] | None = None


@handler(MakePlan)
async def make_plan(tx: Transaction, request: MakePlan) -> Plan:
    """Load and decide as the planned Request does, and store the plan instead: two round trips."""
    planned = _parse_planned(request.operation, request.arguments)
    async with tx.steps() as steps:
        stamp = make_stamp(tx, planned)._replace(key=None)
        change = (await prepare_change(tx, steps, planned, stamp, first=check_verb(tx, planned))).change
        assert change  # noqa: S101  # without a key no change is known
        values = {"id": request.id, "verb": request.operation} | plan_values(
            request.operation, request.arguments, change
        )
        [plan] = await steps.commit_calls([(STORE, values)])
    return decode(plan or "", Plan)


def plan_values(verb: str, arguments: dict[str, Any], change: DecidedChange) -> dict[str, str]:
    """Return what a plan stores of a decided change: the arguments with exact numbers, the revs, the differences."""
    before = change.before
    targets = [PlanTarget(number=row.number, rev=row.rev, title=row.title) for row in before]
    values = {
        "arguments": with_exact_numbers(verb, arguments, before),
        "targets": targets,
        "differences": differences(before, change.rows),
    }
    return {name: msgspec.json.encode(value).decode() for name, value in values.items()}


def with_exact_numbers(verb: str, arguments: dict[str, Any], before: Sequence[TaskRow]) -> dict[str, Any]:
    """Return the arguments with the numbers of the tasks that were found, in place of a filter or of subtasks."""
    if verb == ClaimTask.verb:
        return {name: value for name, value in arguments.items() if name != "filter"} | {"number": before[0].number}
    if not issubclass(PLANNABLE.get(verb, AddTask), OnTasks):
        return arguments
    if arguments.get("numbers") and not arguments.get("with_subtasks"):
        return arguments
    # A task in the trash is a next occurrence, which the completion itself brings back.
    brings_back = verb == CompleteTasks.verb
    numbers = [row.number for row in before if not (brings_back and row.status == "deleted")]
    kept = {name: value for name, value in arguments.items() if name not in ("filter", "with_subtasks")}
    return kept | {"numbers": numbers}


def _parse_planned(verb: str, arguments: dict[str, Any]) -> Request[Any]:
    if verb not in PLANNABLE:
        raise Invalid(f"{verb!r} cannot be planned", hint=f"these can: {', '.join(PLANNABLE)}")
    return convert_request(arguments, PLANNABLE[verb])


def check_verb(tx: Transaction, planned: Request[Any]) -> list[StatementCall]:
    """Return the statement that refuses a planned change which the caller's token may not make itself."""
    return [(ENTER, {"scope": planned.scope, "verb": planned.verb})] if tx.limits else []


@handler(ApplyPlan)
async def apply_plan(tx: Transaction, request: ApplyPlan) -> Changed:
    """Change exactly the planned tasks at exactly the planned revs, in three round trips.

    The change has the plan's own key: applied twice, or from two machines, it acts once and answers the same.
    """
    async with tx.steps() as steps:
        text = await steps.fetch(FETCH, id=request.id)
        if text is None:
            raise NotFound(f"you have no plan {request.id}", hint="see the open ones with: todo apply")
        found = decode(text, PlanWithConflicts)
        raise_for_plan(found)
        planned = _parse_planned(found.plan.verb, found.plan.arguments)
        stamp = make_stamp(tx, planned)._replace(key=f"plan:{request.id}")
        prepared = await prepare_change(tx, steps, planned, stamp, first=check_verb(tx, planned))
        await steps.commit_calls([*prepared.calls, (CLOSE, {"id": request.id, "state": "applied"})])
    return to_changed(prepared.answer)


def to_changed(answer: Changed | Task) -> Changed:
    """Return the answer to a planned change; one task becomes a change of one task."""
    if isinstance(answer, Changed):
        return answer
    return Changed(tasks=(answer,), seq=answer.rev, new=bool(answer.new))


def raise_for_plan(found: PlanWithConflicts) -> None:
    """Raise Conflict where the plan can no longer be carried out as it was shown."""
    plan = found.plan
    if plan.state == "applied":
        return
    if plan.state != "open":
        raise Conflict(f"the plan was {plan.state}; nothing was changed", hint="make a new one with --plan")
    if found.moved:
        named = ", ".join(f"#{number}" for number in found.moved[:10])
        raise Conflict(f"task {named} has moved on since the plan was made; nothing was changed", hint="make a new one")


@handler(RefusePlan)
async def refuse_plan(tx: Transaction, request: RefusePlan) -> Plan:
    """Refuse the plan, which can then never be applied; raises NotFound for a plan that is not open."""
    return await run_journaled(tx, REFUSE, request, f"you have no open plan {request.id}", id=request.id)


@handler(ListPlans)
async def list_plans(tx: Transaction, request: ListPlans) -> PlanPage:
    """Return the newest hundred."""
    return decode(await tx.finish(LIST) or "", PlanPage)

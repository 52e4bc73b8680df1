"""Plans: run the real change, keep what it would do, take it back; later do precisely that, or refuse.

One table and one function for `--plan`, for approvals and for what an agent may only propose.
"""

from __future__ import annotations

from typing import Any, LiteralString

import msgspec

from todo_cli.contract.base import Request
from todo_cli.contract.codec import convert_request, decode
from todo_cli.contract.journal import Difference
from todo_cli.contract.plans import ApplyPlan, ListPlans, MakePlan, Plan, PlanPage, RefusePlan
from todo_cli.contract.registry import BY_VERB
from todo_cli.contract.tasks import AddTask, AddTasks, Changed, CompleteTasks, OnTasks, Task
from todo_cli.core.dispatch import handle, handler
from todo_cli.core.journal import differences, journaled, write
from todo_cli.core.tasks.snapshot_sql import instant
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Conflict, Invalid, NotFound

LIFE = "1 day"

PLANNABLE = {verb: kind for verb, kind in BY_VERB.items() if issubclass(kind, OnTasks | AddTask | AddTasks)}

IMAGE: LiteralString = f"""jsonb_build_object('id', p.id, 'verb', p.verb, 'arguments', p.arguments, 'targets', p.targets,
  'differences', p.differences, 'made_at', {instant("p.made_at")}, 'expires_at', {instant("p.expires_at")},
  'state', CASE WHEN p.state = 'open' AND p.expires_at <= clock_timestamp() THEN 'expired' ELSE p.state END)"""

TOUCHED = Sql("""SELECT json_build_object('before', before, 'after', after, 'undoes', undoes)::text FROM todo.changes
  WHERE space_id = %(space)s::uuid AND seq = (SELECT seq FROM todo.spaces WHERE id = %(space)s::uuid)""")

KEEP = Sql(f"""WITH made AS (INSERT INTO todo.plans (space_id, id, verb, arguments, targets, differences, expires_at)
  VALUES (%(space)s::uuid, %(id)s::uuid, %(verb)s, %(arguments)s::jsonb, %(targets)s::jsonb, %(differences)s::jsonb,
          clock_timestamp() + interval '{LIFE}') ON CONFLICT (space_id, id) DO NOTHING RETURNING *)
SELECT {IMAGE}::text FROM (SELECT * FROM made UNION ALL SELECT * FROM todo.plans
  WHERE space_id = %(space)s::uuid AND id = %(id)s::uuid AND user_id = %(me)s::uuid) AS p LIMIT 1""")

# a plan with the numbers of its tasks that have moved on
FETCHED: LiteralString = f"""json_build_object('plan', {IMAGE}, 'moved', (
    SELECT json_agg(t.number::text ORDER BY t.number) FROM jsonb_to_recordset(p.targets) AS t(number bigint, rev bigint)
      LEFT JOIN todo.tasks k ON k.space_id = %(space)s::uuid AND k.number = t.number
     WHERE k.rev IS DISTINCT FROM t.rev))"""

FETCH = Sql(f"""SELECT {FETCHED}::text
FROM todo.plans p WHERE p.space_id = %(space)s::uuid AND p.id = %(id)s::uuid AND p.user_id = %(me)s::uuid""")

CLOSE = Sql("""UPDATE todo.plans SET state = %(state)s, decided_at = coalesce(decided_at, clock_timestamp())
  WHERE space_id = %(space)s::uuid AND id = %(id)s::uuid AND user_id = %(me)s::uuid RETURNING state""")

REFUSE = journaled(f"""UPDATE todo.plans p SET state = 'refused', decided_at = clock_timestamp()
  WHERE space_id = %(space)s::uuid AND id = %(id)s::uuid AND user_id = %(me)s::uuid AND state = 'open'
    AND NOT EXISTS (SELECT FROM old) RETURNING {IMAGE} AS answer""")

LIST = Sql(f"""SELECT json_build_object('plans', coalesce(json_agg({IMAGE} ORDER BY made_at DESC), '[]'))::text
FROM (SELECT * FROM todo.plans WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid AND state = 'open'
       AND expires_at > clock_timestamp() ORDER BY made_at DESC LIMIT 100) AS p""")


class Touched(msgspec.Struct):
    """The images of what a change touched."""

    before: list[dict[str, Any]]
    after: list[dict[str, Any]]
    undoes: int | None = None


class Fetched(msgspec.Struct):
    """A plan, and the numbers of its tasks that have moved on."""

    plan: Plan
    moved: list[str] | None = None


@handler(MakePlan)
async def make_plan(tx: Transaction, request: MakePlan) -> Plan:
    """Three round trips: the real change, what it touched, and taking it back with the plan kept."""
    wished = _wished(request.operation, request.arguments)
    async with tx.steps() as steps:
        await handle(tx.inner(type(wished), None), wished)
        touched = decode(await steps.take_back(TOUCHED) or "", Touched)
        kept = await steps.finish(
            KEEP, id=request.id, verb=request.operation, **kept_values(request.operation, request.arguments, touched)
        )
    return decode(kept or "", Plan)


def kept_values(verb: str, arguments: dict[str, Any], touched: Touched) -> dict[str, str]:
    """What KEEP keeps of a change that was worked out: of whatever it found, the exact numbers."""
    arguments = _exact(verb, arguments, touched)
    targets = [{"number": image["number"], "rev": image["rev"], "title": image["title"]} for image in touched.before]
    found: tuple[Difference, ...] = differences(touched.before, touched.after)
    values = {"arguments": arguments, "targets": targets, "differences": found}
    return {name: msgspec.json.encode(value).decode() for name, value in values.items()}


def _exact(verb: str, arguments: dict[str, Any], touched: Touched) -> dict[str, Any]:
    if not issubclass(PLANNABLE.get(verb, AddTask), OnTasks):
        return arguments
    if arguments.get("numbers") and not arguments.get("with_subtasks"):
        return arguments
    # what was in the bin is a next occurrence, which the change itself brings back
    brings_back = verb == CompleteTasks.verb
    numbers = [one["number"] for one in touched.before if not (brings_back and one["status"] == "deleted")]
    return {name: value for name, value in arguments.items() if name not in ("filter", "with_subtasks")} | {
        "numbers": numbers
    }


def _wished(verb: str, arguments: dict[str, Any]) -> Request[Any]:
    if verb not in PLANNABLE:
        raise Invalid(f"{verb!r} cannot be planned", hint=f"these can: {', '.join(PLANNABLE)}")
    return convert_request(arguments, PLANNABLE[verb])


@handler(ApplyPlan)
async def apply_plan(tx: Transaction, request: ApplyPlan) -> Changed:
    """Exactly the planned tasks at exactly the planned revs; a plan that was applied answers again."""
    async with tx.steps() as steps:
        text = await steps.run(FETCH, id=request.id)
        if text is None:
            raise NotFound(f"you have no plan {request.id}", hint="see the open ones with: todo apply")
        found = decode(text, Fetched)
        applicable(found)
        wished = _wished(found.plan.verb, found.plan.arguments)
        # the plan's own key: applied twice, from two machines, it acts once
        result = await handle(tx.inner(type(wished), f"plan:{request.id}"), wished)
        await steps.finish(CLOSE, id=request.id, state="applied")
    return _changed(result)


def applicable(found: Fetched) -> None:
    """Raises Conflict where the plan can no longer be carried out as it was shown."""
    plan = found.plan
    if plan.state == "applied":
        return
    if plan.state != "open":
        raise Conflict(f"the plan was {plan.state}; nothing was changed", hint="make a new one with --plan")
    if found.moved:
        named = ", ".join(f"#{number}" for number in found.moved[:10])
        raise Conflict(f"task {named} has moved on since the plan was made; nothing was changed", hint="make a new one")


def _changed(result: Changed | Task) -> Changed:
    if isinstance(result, Changed):
        return result
    return Changed(tasks=(result,), seq=result.rev, new=bool(result.new))


@handler(RefusePlan)
async def refuse_plan(tx: Transaction, request: RefusePlan) -> Plan:
    """It can never be applied; raises NotFound for one that is not open."""
    return await write(tx, REFUSE, request, f"you have no open plan {request.id}", id=request.id)


@handler(ListPlans)
async def list_plans(tx: Transaction, request: ListPlans) -> PlanPage:
    """The newest hundred."""
    return decode(await tx.answer(LIST) or "", PlanPage)

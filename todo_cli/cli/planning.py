"""Plans on the command line: made by --plan, shown, applied."""

from __future__ import annotations

import msgspec

from todo_cli.cli.render import json, text
from todo_cli.cli.render.changes import difference_line
from todo_cli.cli.session import Session
from todo_cli.contract.ids import new_id
from todo_cli.contract.plans import MakePlan, Plan
from todo_cli.contract.tasks import OnTasks

SHOWN = 20


def make(session: Session, request: OnTasks, *, as_json: bool) -> None:
    """Keep the request as a plan and show the exact rows of the real change."""
    arguments = msgspec.to_builtins(request)
    plan = session.send(MakePlan(id=new_id(), verb=type(request).__name__, arguments=arguments))
    if as_json:
        json.document(plan)
        return
    show(plan)
    text.note("Nothing has been changed. Do precisely this within a day:")
    text.write(f"todo apply {plan.id}")


def show(plan: Plan) -> None:
    """Its rows, a task a line."""
    for one in plan.differences[:SHOWN]:
        text.write(f"  {difference_line(one)}")
    if len(plan.differences) > SHOWN:
        text.write(f"  … and {len(plan.differences) - SHOWN} more")
    if not plan.differences:
        text.write("  nothing would change")

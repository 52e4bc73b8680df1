"""Plans on the command line: made by --plan, shown, applied."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from todo_cli.cli.render import json, text
from todo_cli.cli.render.changes import difference_line
from todo_cli.cli.session import Session
from todo_cli.contract.ids import new_id
from todo_cli.contract.plans import MakePlan, Plan
from todo_cli.contract.tasks import OnTasks

SHOWN = 20


def planned(session: Session, request: OnTasks) -> Plan:
    """The request as a plan that is kept; a filter's has the exact numbers that it found."""
    arguments = msgspec.to_builtins(request)
    return session.send(MakePlan(id=new_id(), operation=request.verb, arguments=arguments))


def make(session: Session, request: OnTasks, *, as_json: bool) -> None:
    """Keep the request as a plan and show the exact rows of the real change."""
    plan = planned(session, request)
    if as_json:
        json.document(plan)
        return
    show(plan)
    text.note("Nothing has been changed. Do precisely this within a day:")
    text.write(f"todo apply {plan.id}")


def show(plan: Plan, write: Callable[[str], None] = text.write) -> None:
    """Its rows, a task a line; of many the first, and how many there are."""
    for one in plan.differences[:SHOWN]:
        write(f"  {difference_line(one)}")
    if len(plan.differences) > SHOWN:
        write(f"  … and {len(plan.differences) - SHOWN:,} more, {len(plan.differences):,} in all")
    if not plan.differences:
        write("  nothing would change")


def counted(many: int) -> str:
    """`1 task`, `1,200 tasks`."""
    return f"{many:,} task{'' if many == 1 else 's'}"

"""Plans on the command line: made by --plan, shown, applied."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from todo_cli.cli.render import json, text
from todo_cli.cli.render.changes import format_difference
from todo_cli.cli.session import Session
from todo_cli.contract.ids import new_id
from todo_cli.contract.plans import MakePlan, Plan
from todo_cli.contract.tasks import OnTasks

MAX_SHOWN_TASKS = 20


def make_plan(session: Session, request: OnTasks) -> Plan:
    """The request as a plan that is kept; a filter's has the exact numbers that it found."""
    arguments = msgspec.to_builtins(request)
    return session.send(MakePlan(id=new_id(), operation=request.verb, arguments=arguments))


def print_new_plan(session: Session, request: OnTasks, *, as_json: bool) -> None:
    """Keep the request as a plan and show the exact rows of the real change."""
    plan = make_plan(session, request)
    if as_json:
        json.write_document(plan)
        return
    print_plan_rows(plan)
    text.note("Nothing has been changed. Do precisely this within a day:")
    text.write(f"todo apply {plan.id}")


def print_plan_rows(plan: Plan, write: Callable[[str], None] = text.write) -> None:
    """Its rows, a task a line; of many the first, and how many there are."""
    for one in plan.differences[:MAX_SHOWN_TASKS]:
        write(f"  {format_difference(one)}")
    if len(plan.differences) > MAX_SHOWN_TASKS:
        write(f"  … and {len(plan.differences) - MAX_SHOWN_TASKS:,} more, {len(plan.differences):,} in all")
    if not plan.differences:
        write("  nothing would change")


def format_task_count(many: int) -> str:
    """`1 task`, `1,200 tasks`."""
    return f"{many:,} task{'' if many == 1 else 's'}"

"""Make plans from the command line, and print them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from todo_cli.cli.render import json, text
from todo_cli.cli.render.changes import format_difference
from todo_cli.cli.render.list_view import open_view
from todo_cli.cli.session import Session
from todo_cli.contract.base import Request
from todo_cli.contract.ids import new_id
from todo_cli.contract.plans import MakePlan, Plan
from todo_cli.contract.proposals import Proposal

MAX_SHOWN_TASKS = 20


def make_plan(session: Session, request: Request[Any]) -> Plan:
    """Store the request as a plan; a filter becomes the exact task numbers that it matches now."""
    arguments = msgspec.to_builtins(request)
    return session.send(MakePlan(id=new_id(), operation=request.verb, arguments=arguments))


def print_new_plan(session: Session, request: Request[Any], *, as_json: bool) -> None:
    """Store the request as a plan and print the exact rows that it would change."""
    print_plan(session, make_plan(session, request), as_json=as_json)


def print_plan(session: Session, plan: Plan, *, as_json: bool) -> None:
    """Print the rows that a stored plan would change, and the command that applies it."""
    if as_json:
        json.write_document(plan)
        return
    print_plan_rows(session, plan)
    text.note("Nothing was changed. To make exactly these changes, within a day:")
    text.write(f"todo apply {plan.id}")


def print_plan_rows(session: Session, plan: Plan | Proposal, write: Callable[[str], None] = text.write_wrapped) -> None:
    """Print one line per changed task; of many tasks the first ones and their number."""
    view = open_view(session)
    for difference in plan.differences[:MAX_SHOWN_TASKS]:
        write(f"  {format_difference(difference, view)}")
    if len(plan.differences) > MAX_SHOWN_TASKS:
        left = len(plan.differences) - MAX_SHOWN_TASKS
        write(f"  {view.signs.ellipsis} and {left:,} more, {len(plan.differences):,} in all")
    if not plan.differences:
        write("  no changes")


def format_task_count(count: int) -> str:
    """Return `1 task`, `1,200 tasks`."""
    return f"{count:,} task{'' if count == 1 else 's'}"

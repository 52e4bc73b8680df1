"""Release claimed tasks."""

from __future__ import annotations

from typing import Annotated

import typer
from msgspec import UNSET

from todo_cli.cli.change_tasks import change_tasks
from todo_cli.cli.filter_args import FilterCommand
from todo_cli.cli.options import IfRev, Json, JsonLines, Key, PlanOnly, Yes
from todo_cli.cli.task_args import TasksArgument, parse_task_args
from todo_cli.contract.claims import ReleaseTasks

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command(cls=FilterCommand)
def release(
    ctx: typer.Context,
    tasks: TasksArgument,
    force: Annotated[bool, typer.Option("--force", help="Release claims of other tokens too.")] = False,
    if_rev: IfRev = None,
    plan: PlanOnly = False,
    yes: Yes = False,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Release claimed tasks, so that others can claim them.

    todo release 12

    todo release claimed:me --yes
    """
    request = ReleaseTasks(**parse_task_args(tasks), force=force or UNSET, if_rev=if_rev)
    change_tasks(ctx, request, key, plan=plan, yes=yes, as_json=as_json, as_lines=as_lines)

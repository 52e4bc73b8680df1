"""Stop tracking time on tasks."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.change_tasks import change_tasks
from todo_cli.cli.filter_args import FilterCommand
from todo_cli.cli.options import IfRev, Json, JsonLines, Key, PlanOnly, Yes
from todo_cli.cli.task_args import TASKS_HELP, parse_task_args
from todo_cli.contract.time_tracking import StopTasks

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command(cls=FilterCommand)
def stop(
    ctx: typer.Context,
    tasks: Annotated[
        list[str] | None, typer.Argument(help=TASKS_HELP, metavar="[N... | FILTER]", show_default=False)
    ] = None,
    if_rev: IfRev = None,
    plan: PlanOnly = False,
    yes: Yes = False,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Stop tracking time on tasks; without arguments, on all tasks that are started.

    todo stop

    todo stop 12
    """
    request = StopTasks(**(parse_task_args(tasks) if tasks else {}), if_rev=if_rev)
    change_tasks(ctx, request, key, plan=plan, yes=yes, as_json=as_json, as_lines=as_lines)

"""Move tasks to the trash."""

from __future__ import annotations

import typer

from todo_cli.cli.change_tasks import change_tasks
from todo_cli.cli.filter_args import FilterCommand
from todo_cli.cli.options import IfRev, Json, JsonLines, Key, PlanOnly, Yes
from todo_cli.cli.task_args import TasksArgument, parse_task_args
from todo_cli.contract.tasks import DeleteTasks

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command(cls=FilterCommand)
def rm(
    ctx: typer.Context,
    tasks: TasksArgument,
    if_rev: IfRev = None,
    plan: PlanOnly = False,
    yes: Yes = False,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Move tasks to the bin: all of them or none. They keep their numbers.

    todo rm 12

    todo rm 'project:old due<2025-01-01' --plan
    """
    request = DeleteTasks(**parse_task_args(tasks), if_rev=if_rev)
    change_tasks(ctx, request, "Deleted", key, plan=plan, yes=yes, as_json=as_json, as_lines=as_lines)

"""Skip one occurrence of recurring tasks."""

from __future__ import annotations

import typer

from todo_cli.cli.change_tasks import change_tasks
from todo_cli.cli.filter_args import FilterCommand
from todo_cli.cli.options import IfRev, Json, JsonLines, Key, PlanOnly, Yes
from todo_cli.cli.task_args import TasksArgument, parse_task_args
from todo_cli.contract.time_tracking import SkipTasks

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command(cls=FilterCommand)
def skip(
    ctx: typer.Context,
    tasks: TasksArgument,
    if_rev: IfRev = None,
    plan: PlanOnly = False,
    yes: Yes = False,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Let one occurrence of recurring tasks pass: they move on to their next date.

    todo skip 12

    todo skip 12 --plan
    """
    request = SkipTasks(**parse_task_args(tasks), if_rev=if_rev)
    change_tasks(ctx, request, "Skipped", key, plan=plan, yes=yes, as_json=as_json, as_lines=as_lines)

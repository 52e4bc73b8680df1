"""Mark tasks as done."""

from __future__ import annotations

from typing import Annotated

import typer
from msgspec import UNSET

from todo_cli.cli.change_tasks import change_tasks
from todo_cli.cli.filter_args import FilterCommand
from todo_cli.cli.options import IfRev, Json, JsonLines, Key, PlanOnly, Yes
from todo_cli.cli.task_args import TasksArgument, parse_task_args
from todo_cli.contract.tasks import CompleteTasks

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command(cls=FilterCommand)
def done(
    ctx: typer.Context,
    tasks: TasksArgument,
    with_subtasks: Annotated[
        bool, typer.Option("--with-subtasks", help="Complete open subtasks of every level too.")
    ] = False,
    if_claimed: Annotated[
        bool, typer.Option("--if-claimed", help="Fail if another token has claimed the task since yours did.")
    ] = False,
    if_rev: IfRev = None,
    plan: PlanOnly = False,
    yes: Yes = False,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Mark tasks as done: all of them, or none if one is missing. A recurring task gets its next occurrence.

    todo done 3 7-9

    todo done 'project:move @phone' --plan

    If a filter matches more than three tasks or searches for words, the tasks
    are shown and you are asked first.
    """
    request = CompleteTasks(
        **parse_task_args(tasks), if_rev=if_rev, with_subtasks=with_subtasks or UNSET, if_claimed=if_claimed or UNSET
    )
    change_tasks(ctx, request, key, plan=plan, yes=yes, as_json=as_json, as_lines=as_lines)

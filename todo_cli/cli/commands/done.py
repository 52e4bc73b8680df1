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
        bool, typer.Option("--with-subtasks", help="Finish their open subtasks, too, all the way down.")
    ] = False,
    if_claimed: Annotated[
        bool, typer.Option("--if-claimed", help="Refuse when another has claimed the task since this token did.")
    ] = False,
    if_rev: IfRev = None,
    plan: PlanOnly = False,
    yes: Yes = False,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Mark tasks as done: all of them, or none when one is missing. A recurring one makes its next occurrence.

    todo done 3 7-9

    todo done 'project:move @phone' --plan

    What a filter finds is shown and asked about where it is more than three tasks, or where words are looked for.
    """
    request = CompleteTasks(
        **parse_task_args(tasks), if_rev=if_rev, with_subtasks=with_subtasks or UNSET, if_claimed=if_claimed or UNSET
    )
    change_tasks(ctx, request, "Done", key, plan=plan, yes=yes, as_json=as_json, as_lines=as_lines)

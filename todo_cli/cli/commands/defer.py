"""Hide tasks until a date."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.change_tasks import change_tasks
from todo_cli.cli.filter_args import FilterCommand
from todo_cli.cli.options import IfRev, Json, JsonLines, Key, PlanOnly, Yes
from todo_cli.cli.task_args import parse_task_args
from todo_cli.contract.tasks import EditTasks
from todo_cli.errors import Invalid

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command(cls=FilterCommand)
def defer(
    ctx: typer.Context,
    tasks: Annotated[
        list[str],
        typer.Argument(
            help="Task numbers or a filter, then the date: 3 7-9 monday.",
            metavar="N... | FILTER, WHEN",
            show_default=False,
        ),
    ],
    if_rev: IfRev = None,
    plan: PlanOnly = False,
    yes: Yes = False,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Hide tasks from lists until a date. Show them again with: todo edit N --clear defer.

    todo defer 12 monday

    todo defer '#garden due<fri' 'in 2 weeks'
    """
    *words, until = tasks
    if not words:
        raise Invalid("the date is missing", hint="for example: todo defer 12 monday")
    request = EditTasks(**parse_task_args(words), defer=until, if_rev=if_rev)
    change_tasks(ctx, request, key, plan=plan, yes=yes, as_json=as_json, as_lines=as_lines, past="Deferred")

"""Sort tasks within the manual order."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.change_tasks import print_changed
from todo_cli.cli.filter_args import FilterCommand
from todo_cli.cli.options import Json, JsonLines, Key, output_form
from todo_cli.cli.session import session_of
from todo_cli.cli.task_args import TASKS_HELP, parse_task_args
from todo_cli.contract.order import SortTasks

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command(cls=FilterCommand)
def sort(
    ctx: typer.Context,
    tasks: Annotated[
        list[str] | None, typer.Argument(help=TASKS_HELP, metavar="N... | FILTER", show_default=False)
    ] = None,
    by: Annotated[str, typer.Option(help="Sort keys, as of todo list --sort.", metavar="KEYS")] = "due",
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Sort tasks within the manual order. They exchange their places; other tasks keep theirs.

    todo sort --by due

    todo sort '#home' --by priority,-due && todo list --sort position

    Without tasks it sorts all open ones, 1,000 at most.
    """
    form = output_form(as_json, as_lines)
    request = SortTasks(**parse_task_args(tasks or ["status:open"]), by=by)
    print_changed(ctx, session_of(ctx).send(request, key), request.past, form)

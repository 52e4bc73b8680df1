"""List the most urgent tasks that can be done now."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.list_output import ListChoices, print_list
from todo_cli.cli.options import Json, JsonLines, output_form
from todo_cli.contract.tasks import ListTasks

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command("next")
def next_tasks(
    ctx: typer.Context,
    limit: Annotated[int, typer.Argument(help="Maximum number of tasks.", metavar="N", min=1, max=200)] = 10,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """List the most urgent tasks that can be done now: those that are not blocked, deferred or scheduled for later.

    The last column is the urgency. It is computed as in Taskwarrior: from due
    date, priority, age, tags, blocked tasks and more.

    todo next

    todo next 3 --json
    """
    request = ListTasks(filter="is:ready", sort="urgency", limit=limit)
    form = output_form(as_json, as_lines)
    print_list(ctx, request, ListChoices("No task can be done now.", form, more=f"todo next {2 * limit}"))

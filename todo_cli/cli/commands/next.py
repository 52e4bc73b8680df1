"""List the tasks to do next, most urgent first."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli import list_output
from todo_cli.cli.options import Json, JsonLines
from todo_cli.contract.tasks import ListTasks

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command("next")
def next_tasks(
    ctx: typer.Context,
    many: Annotated[int, typer.Argument(help="How many at most.", metavar="N", min=1, max=200)] = 10,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Show what to do next: tasks that wait for nothing, the most urgent first.

    Urgency weighs due date, priority, age, tags, what waits for the task and more, as Taskwarrior does.

    todo next

    todo next 3 --json
    """
    it = ListTasks(filter="is:ready", sort="urgency", limit=many)
    list_output.print_list(
        ctx, it, everything=False, as_json=as_json, as_lines=as_lines, nothing="Nothing can be done now."
    )

"""List the tasks that are due or scheduled today, and the overdue ones."""

from __future__ import annotations

import typer

from todo_cli.cli import list_output
from todo_cli.cli.filter_args import FilterArgument, FilterCommand, join_filter
from todo_cli.cli.options import Json, JsonLines
from todo_cli.contract.tasks import ListTasks

PANEL = "Tasks"
app = typer.Typer(add_completion=False)

FILTER = "due<=today or scheduled<=today"


@app.command(cls=FilterCommand)
def today(
    ctx: typer.Context,
    words: FilterArgument = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """List what is due or begins today, and what is overdue; a filter narrows it down.

    todo today

    todo today -@work --json
    """
    said = join_filter(words)
    it = ListTasks(filter=f"({FILTER}) and ({said})" if said else FILTER)
    list_output.print_list(
        ctx, it, everything=True, as_json=as_json, as_lines=as_lines, nothing="Nothing is due today."
    )

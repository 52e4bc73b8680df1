"""List the overdue tasks."""

from __future__ import annotations

import typer

from todo_cli.cli import list_output
from todo_cli.cli.filter_args import FilterArgument, FilterCommand, join_filter
from todo_cli.cli.options import Json, JsonLines
from todo_cli.contract.tasks import ListTasks

PANEL = "Tasks"
app = typer.Typer(add_completion=False)

FILTER = "is:overdue"


@app.command(cls=FilterCommand)
def overdue(
    ctx: typer.Context,
    words: FilterArgument = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """List what should have been done, the longest overdue first; a filter narrows it down.

    todo overdue

    todo overdue '#home or @phone'
    """
    said = join_filter(words)
    it = ListTasks(filter=f"({FILTER}) and ({said})" if said else FILTER)
    list_output.print_list(ctx, it, everything=True, as_json=as_json, as_lines=as_lines, nothing="Nothing is overdue.")

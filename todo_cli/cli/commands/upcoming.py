"""List the tasks that are due in the coming days."""

from __future__ import annotations

import typer

from todo_cli.cli import list_output
from todo_cli.cli.filter_args import FilterArgument, FilterCommand, join_filter
from todo_cli.cli.options import Json, JsonLines
from todo_cli.contract.tasks import ListTasks

PANEL = "Tasks"
app = typer.Typer(add_completion=False)

FILTER = "due>today due<=7d"


@app.command(cls=FilterCommand)
def upcoming(
    ctx: typer.Context,
    words: FilterArgument = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """List what is due in the seven days after today, soonest first; a filter narrows it down.

    todo upcoming

    todo upcoming p1 --json
    """
    said = join_filter(words)
    it = ListTasks(filter=f"({FILTER}) and ({said})" if said else FILTER)
    list_output.print_list(
        ctx, it, everything=True, as_json=as_json, as_lines=as_lines, nothing="Nothing is due in the next seven days."
    )

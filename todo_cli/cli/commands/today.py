"""List tasks that are overdue, due today or scheduled for today."""

from __future__ import annotations

import typer

from todo_cli.cli.filter_args import FilterArgument, FilterCommand, narrow_filter
from todo_cli.cli.list_output import ListChoices, print_list
from todo_cli.cli.options import Json, JsonLines, output_form
from todo_cli.contract.tasks import ListTasks

PANEL = "Tasks"
app = typer.Typer(add_completion=False)

FILTER = "due<=today or scheduled<=today"
EMPTY_MESSAGE = "Nothing is due today."


@app.command(cls=FilterCommand)
def today(ctx: typer.Context, words: FilterArgument = None, as_json: Json = False, as_lines: JsonLines = False) -> None:
    """List tasks that are overdue, due today or scheduled for today; a filter narrows the list.

    todo today

    todo today -@work --json
    """
    request = ListTasks(filter=narrow_filter(FILTER, words), sort="due")
    print_list(ctx, request, ListChoices(EMPTY_MESSAGE, output_form(as_json, as_lines), everything=True))

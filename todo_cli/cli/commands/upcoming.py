"""List tasks that are due in the next seven days."""

from __future__ import annotations

import typer

from todo_cli.cli.empty_lists import explain_no_match, explain_with
from todo_cli.cli.filter_args import FilterArgument, FilterCommand, join_filter, narrow_filter
from todo_cli.cli.list_options import AbsoluteOption, ColumnsOption, FormatOption, ListScreen, WrapOption, parse_columns
from todo_cli.cli.list_output import ListChoices, print_list
from todo_cli.cli.options import Json, JsonLines, output_form
from todo_cli.contract.tasks import ListTasks

PANEL = "Tasks"
app = typer.Typer(add_completion=False)

FILTER = "due>today due<=7d"
EMPTY_MESSAGE = "Nothing is due in the next seven days."


@app.command(cls=FilterCommand)
def upcoming(
    ctx: typer.Context,
    words: FilterArgument = None,
    columns: ColumnsOption = None,
    wrap: WrapOption = False,
    absolute: AbsoluteOption = False,
    format: FormatOption = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """List tasks that are due in the next seven days, soonest first; a filter narrows the list.

    todo upcoming

    todo upcoming p1 --json
    """
    request = ListTasks(filter=narrow_filter(FILTER, words), sort="due")
    screen = ListScreen(parse_columns(columns), wrap=wrap, absolute=absolute, format=format)
    explain = explain_no_match(join_filter(words)) if words else explain_with(EMPTY_MESSAGE)
    print_list(ctx, request, ListChoices(explain, output_form(as_json, as_lines), screen, everything=True))

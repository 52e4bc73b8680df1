"""List the most urgent tasks that can be done now."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.empty_lists import explain_none_ready
from todo_cli.cli.list_options import AbsoluteOption, ColumnsOption, FormatOption, ListScreen, WrapOption, parse_columns
from todo_cli.cli.list_output import ListChoices, print_list
from todo_cli.cli.options import Json, JsonLines, output_form
from todo_cli.contract.tasks import ListTasks

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command("next")
def next_tasks(
    ctx: typer.Context,
    limit: Annotated[int, typer.Argument(help="Maximum number of tasks.", metavar="N", min=1, max=200)] = 10,
    explain: Annotated[bool, typer.Option("--explain", help="Show the parts that make each urgency.")] = False,
    columns: ColumnsOption = None,
    wrap: WrapOption = False,
    absolute: AbsoluteOption = False,
    format: FormatOption = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """List the most urgent tasks that you can do now: not blocked, deferred, scheduled for later or claimed by others.

    The urgency is computed as in Taskwarrior: from due date, priority, age,
    tags, blocked tasks and more. A wide terminal shows it in the last column.

    todo next

    todo next 3 --explain
    """
    request = ListTasks(filter="is:ready or claimed:me", sort="urgency", limit=limit, explain=explain)
    screen = ListScreen(parse_columns(columns), wrap=wrap, absolute=absolute, format=format)
    form = output_form(as_json, as_lines)
    print_list(ctx, request, ListChoices(explain_none_ready, form, screen, more=f"todo next {2 * limit}"))

"""Move tasks within the manual order."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from msgspec import UNSET

from todo_cli.cli.change_tasks import print_changed
from todo_cli.cli.options import Json, JsonLines, Key, output_form, parse_number, parse_numbers
from todo_cli.cli.session import session_of
from todo_cli.contract.order import MoveTasks

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command()
def move(
    ctx: typer.Context,
    tasks: Annotated[list[str], typer.Argument(help="Task numbers, in their new order.", metavar="N...")],
    before: Annotated[str | None, typer.Option(help="Move before this task.", metavar="N")] = None,
    after: Annotated[str | None, typer.Option(help="Move after this task.", metavar="N")] = None,
    first: Annotated[bool, typer.Option("--first", help="Move before all open tasks.")] = False,
    last: Annotated[bool, typer.Option("--last", help="Move after all open tasks.")] = False,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Move tasks within the manual order, which todo list --sort position shows.

    todo move 12 --before 7

    todo move 12 14 --first && todo list --sort position

    A task that was never moved stands in the order of the numbers.
    """
    form = output_form(as_json, as_lines)
    places: dict[str, Any] = {"before": before, "behind": after}
    request = MoveTasks(
        numbers=parse_numbers(tasks),
        first=first,
        last=last,
        **{name: UNSET if word is None else parse_number(word) for name, word in places.items()},
    )
    print_changed(ctx, session_of(ctx).send(request, key), request.past, form)

"""Copy tasks."""

from __future__ import annotations

from typing import Annotated

import typer
from msgspec import UNSET

from todo_cli.cli.change_tasks import print_changed
from todo_cli.cli.field_words import split_field_words
from todo_cli.cli.filter_args import FilterCommand
from todo_cli.cli.options import Json, JsonLines, Key, output_form, parse_numbers
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.copies import CopyTasks
from todo_cli.contract.tasks import Changed

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command(cls=FilterCommand)
def dup(
    ctx: typer.Context,
    tasks: Annotated[list[str], typer.Argument(help="Task numbers, then fields to change.", metavar="N... [FIELD...]")],
    title: Annotated[str | None, typer.Option(help="Title of the copy.", metavar="TEXT")] = None,
    with_subtasks: Annotated[
        bool, typer.Option("--with-subtasks", help="Copy open subtasks of every level too.")
    ] = False,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Copy tasks. Fields after the numbers replace those of the copies.

    todo dup 12

    todo dup 12 14 due:tomorrow #home --with-subtasks

    A copy is open and new: it has no comments, attachments, claims and
    tracked time. Subtasks keep their own fields. Copies of one command are
    undone together.
    """
    form = output_form(as_json, as_lines)
    names, fields = split_field_words(tasks)
    request = CopyTasks(
        numbers=parse_numbers(names), with_subtasks=with_subtasks or UNSET, title=title or UNSET, **fields
    )
    session = session_of(ctx)
    result = session.send(request, key)
    if form == "text" and result.copied_from:
        _print_copies(session, result)
    else:
        print_changed(ctx, result, "Added", form)


def _print_copies(session: Session, result: Changed) -> None:
    """Print each copy after the number of its original."""
    from todo_cli.cli.render import text

    zone = session.load_zone_for(result.tasks)
    for original, task in zip(result.copied_from or (), result.tasks, strict=True):
        shown = text.format_task(task, zone, session.clock.now, absolute=session.absolute_dates)
        text.write_wrapped(f"Copied #{original} to {shown}")

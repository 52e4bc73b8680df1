"""Show who set each field of a task."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.list_options import AbsoluteOption
from todo_cli.cli.options import Json, parse_number
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.blame import BlameTask, TaskBlame

PANEL = "History"
app = typer.Typer(add_completion=False)


@app.command()
def blame(
    ctx: typer.Context,
    task: Annotated[str, typer.Argument(help="Task number.", metavar="N")],
    absolute: AbsoluteOption = False,
    as_json: Json = False,
) -> None:
    """Show who set each field of a task, when, and by which change.

    todo blame 12

    todo blame 12 --json | jq .fields
    """
    session = session_of(ctx)
    answer = session.send(BlameTask(number=parse_number(task)))
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(answer)
    else:
        _print_fields(session, answer, absolute=absolute)


def _print_fields(session: Session, answer: TaskBlame, *, absolute: bool) -> None:
    from todo_cli.cli.render import text
    from todo_cli.cli.render.blame import blame_cells, format_blame
    from todo_cli.cli.render.list_view import open_view

    if session.is_terminal:
        from todo_cli.cli.render.cells import read_width
        from todo_cli.cli.render.pager import print_screen

        print_screen(session, format_blame(answer, open_view(session, absolute=absolute), read_width()))
    else:
        for field in answer.fields:
            text.write("\t".join(blame_cells(field)))
    if answer.cut:
        text.note("fields that older changes have set are missing")

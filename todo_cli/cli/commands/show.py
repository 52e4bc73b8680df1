"""Show one task."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.options import Json, parse_number
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.tasks import ShowTask, Task

PANEL = "Tasks"
app = typer.Typer(add_completion=False)

MAX_SHOWN_COMMENTS = 100  # in an answer to ShowTask


@app.command()
def show(
    ctx: typer.Context,
    task: Annotated[str, typer.Argument(help="Task number.", metavar="N")],
    as_json: Json = False,
) -> None:
    """Show one task with all its fields and comments, also if it is done or deleted.

    todo show 12

    todo show 12 --json | jq .rev
    """
    session = session_of(ctx)
    shown = session.send(ShowTask(number=parse_number(task)))
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(shown)
    else:
        _print_task(session, shown)


def _print_task(session: Session, task: Task) -> None:
    from todo_cli.cli.render import text
    from todo_cli.cli.render.list_view import open_view
    from todo_cli.cli.render.task_details import format_details, format_plain_details

    view = open_view(session)
    if session.is_terminal:
        from todo_cli.cli.render.cells import read_width
        from todo_cli.cli.render.pager import print_screen

        print_screen(session, format_details(task, view, read_width()))
    else:
        for line in format_plain_details(task, view):
            text.write(line)
    if task.comments and len(task.comments) == MAX_SHOWN_COMMENTS:
        text.note(f"the newest {MAX_SHOWN_COMMENTS} comments; see all with: todo comment {task.number}")

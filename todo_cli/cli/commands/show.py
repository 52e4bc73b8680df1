"""Show one task."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import UNSET

from todo_cli.cli.list_options import AbsoluteOption, AsOfOption, FormatOption
from todo_cli.cli.options import Json, parse_number
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.journal import ChangePage, ListChanges
from todo_cli.contract.tasks import ShowTask, Task

if TYPE_CHECKING:
    from todo_cli.cli.render.signs import Signs

PANEL = "Tasks"
app = typer.Typer(add_completion=False)

SHOWN_CHANGES = 3
MAX_SCREEN_CELLS = 100
MAX_SHOWN_COMMENTS = 100  # in an answer to ShowTask


@app.command()
def show(
    ctx: typer.Context,
    task: Annotated[str, typer.Argument(help="Task number.", metavar="N")],
    as_of: AsOfOption = None,
    absolute: AbsoluteOption = False,
    format: FormatOption = None,
    as_json: Json = False,
) -> None:
    """Show one task with all its fields and comments, also if it is done or deleted.

    A terminal also shows the tasks around it and its last changes.

    todo show 12

    todo show 12 --json | jq .rev

    todo show 12 --as-of 'yesterday 18:00'
    """
    session = session_of(ctx)
    request = ShowTask(number=parse_number(task), as_of=UNSET if as_of is None else as_of)
    session.choose_format(format)
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(session.send(request))
    elif session.is_terminal:
        _print_screen(session, request, absolute=absolute)
    else:
        _print_lines(session, session.send(request))


def _print_screen(session: Session, request: ShowTask, *, absolute: bool) -> None:
    """Print the task and its last changes, which are read together."""
    from todo_cli.cli.render.cells import read_width
    from todo_cli.cli.render.list_view import open_view
    from todo_cli.cli.render.pager import print_screen
    from todo_cli.cli.render.task_screen import format_details

    task: Task
    history: ChangePage | None = None
    if request.as_of is UNSET:
        task, history = session.send_all(request, ListChanges(number=request.number, limit=SHOWN_CHANGES))
    else:
        task = session.send(request)
    view = open_view(session, absolute=absolute)
    # where there are no colours, bold and underlined text would be lost
    render_note = partial(_render_note, signs=view.signs) if session.use_color else None
    width = min(read_width(), MAX_SCREEN_CELLS)  # dates stand at the right edge, not far from their titles
    print_screen(session, format_details(task, view, width, history, render_note=render_note))
    _note_left_out(task)


def _render_note(note: str, width: int, signs: Signs) -> list[str]:
    """Draw Markdown; importing its renderer takes longer than a note without marks needs."""
    from todo_cli.cli.render.markdown import MarkdownRenderer

    return MarkdownRenderer(colored=True, signs=signs).render_text(note, width)


def _print_lines(session: Session, task: Task) -> None:
    from todo_cli.cli.render import text
    from todo_cli.cli.render.list_view import open_view
    from todo_cli.cli.render.task_details import format_plain_details

    for line in format_plain_details(task, open_view(session)):
        text.write(line)
    _note_left_out(task)


def _note_left_out(task: Task) -> None:
    from todo_cli.cli.render import text

    if task.comments and len(task.comments) == MAX_SHOWN_COMMENTS:
        text.note(f"the newest {MAX_SHOWN_COMMENTS} comments; see all with: todo comment {task.number}")

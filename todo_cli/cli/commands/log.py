"""Show the history of changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from todo_cli.cli.options import Json, JsonLines, output_form, parse_number
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.journal import Change, ListChanges

PANEL = "History"
app = typer.Typer(add_completion=False)


@app.command()
def log(
    ctx: typer.Context,
    task: Annotated[str | None, typer.Argument(help="Show only changes of this task.", metavar="[N]")] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", help="Maximum number of changes.", min=1, max=1000, metavar="COUNT")
    ] = 20,
    before: Annotated[int | None, typer.Option(help="Show only changes before this one.", min=1, metavar="SEQ")] = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Show changes, newest first: what was changed, when, and by whom: you, a model, an agent or another user.

    todo log 12

    todo log -n 100 --jsonl
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    page = session.send(ListChanges(number=parse_number(task) if task else None, before=before, limit=limit))
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(page) if form == "json" else json.write_lines(page.changes)
        return
    _print_changes(session, page.changes)
    if page.next and session.is_terminal:
        from todo_cli.cli.render import text

        text.hint(session, f"older changes: todo log {f'{task} ' if task else ''}--before {page.next}")


def _print_changes(session: Session, changes: Sequence[Change]) -> None:
    from todo_cli.cli.render import text
    from todo_cli.cli.render.changes import change_cells, format_changes

    if not session.is_terminal:
        for change in changes:
            text.write("\t".join(change_cells(change)))
    elif not changes:
        text.note("No changes yet. Undo and history begin with the first one: todo add 'Buy milk'")
    else:
        from todo_cli.cli.render.cells import read_width
        from todo_cli.cli.render.list_view import open_view
        from todo_cli.cli.render.pager import print_screen

        print_screen(session, format_changes(changes, open_view(session), read_width()))

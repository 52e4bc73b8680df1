"""Show the history of changes."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.options import Json, JsonLines, output_form, parse_number
from todo_cli.cli.session import session_of
from todo_cli.contract.journal import ListChanges

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
    """Show changes, newest first: what was changed, when, by whom and with which token.

    todo log 12

    todo log -n 100 --jsonl
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    page = session.send(ListChanges(number=parse_number(task) if task else None, before=before, limit=limit))
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(page) if form == "json" else json.write_lines(page.changes)
        return
    from todo_cli.cli.render import text
    from todo_cli.cli.render.changes import change_cells, format_change

    now = session.local_now()
    for change in page.changes:
        for line in format_change(change, now) if session.is_terminal else ["\t".join(change_cells(change))]:
            text.write(line)
    if not page.changes and session.is_terminal:
        text.note("No changes yet.")
    if page.next:
        text.note(f"older changes: todo log {f'{task} ' if task else ''}--before {page.next}")

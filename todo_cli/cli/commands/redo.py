"""Redo what was undone."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.options import Json, Key
from todo_cli.cli.undo_output import show_undo
from todo_cli.contract.journal import Redo

PANEL = "History"
app = typer.Typer(add_completion=False)


@app.command()
def redo(
    ctx: typer.Context,
    change: Annotated[
        int | None, typer.Option("--id", help="The change to redo, from: todo log.", min=1, metavar="SEQ")
    ] = None,
    partial: Annotated[bool, typer.Option("--partial", help="Leave alone what has moved on.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be done.")] = False,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Do again what my last undo took back.

    todo redo --dry-run

    todo redo --id 40 --partial
    """
    request = Redo(id=change, partial=partial, dry_run=dry_run)
    show_undo(ctx, request, "Redid", key, as_json=as_json)

"""Undo my last change."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.options import Json, Key
from todo_cli.cli.undo_output import show_undo
from todo_cli.contract.journal import Undo

PANEL = "History"
app = typer.Typer(add_completion=False)


@app.command()
def undo(
    ctx: typer.Context,
    change: Annotated[
        int | None, typer.Option("--id", help="The change to undo, from: todo log.", min=1, metavar="SEQ")
    ] = None,
    partial: Annotated[bool, typer.Option("--partial", help="Leave alone what has moved on.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be done.")] = False,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Take back my last change, a group as one; refused where rows have moved on.

    todo undo --dry-run

    todo undo --id 40 --partial
    """
    request = Undo(id=change, partial=partial, dry_run=dry_run)
    show_undo(ctx, request, "Undid", key, as_json=as_json)

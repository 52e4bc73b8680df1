"""Redo the change that you undid last."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.options import DryRun, Json, Key, Partial
from todo_cli.cli.undo_output import show_undo
from todo_cli.contract.journal import Redo

PANEL = "History"
app = typer.Typer(add_completion=False)


@app.command()
def redo(
    ctx: typer.Context,
    change: Annotated[
        int | None, typer.Option("--id", help="Change to redo (see: todo log).", min=1, metavar="SEQ")
    ] = None,
    partial: Partial = False,
    dry_run: DryRun = False,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Redo the change that you undid last.

    todo redo --dry-run

    todo redo --id 40 --partial
    """
    show_undo(ctx, Redo(id=change, partial=partial, dry_run=dry_run), key, as_json=as_json)

"""Undo your last change."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.options import DryRun, Json, Key, Partial
from todo_cli.cli.undo_output import show_undo
from todo_cli.contract.journal import Undo, UndoToken
from todo_cli.errors import Invalid

PANEL = "History"
app = typer.Typer(add_completion=False)


@app.command()
def undo(
    ctx: typer.Context,
    change: Annotated[
        int | None, typer.Option("--id", help="Change to undo (see: todo log).", min=1, metavar="SEQ")
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Undo all that this token of yours has changed.", metavar="TOKEN")
    ] = None,
    since: Annotated[str | None, typer.Option(help="With --by: since then. 1h, monday.", metavar="WHEN")] = None,
    partial: Partial = False,
    dry_run: DryRun = False,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Undo your last change. Changes of one group are undone together. Fail if a task has changed since.

    todo undo --dry-run

    todo undo --by shopper --since 1h
    """
    if since is not None and by is None:
        raise Invalid("--since needs --by", hint="for example: todo undo --by shopper --since 1h")
    if by is not None:
        if change is not None:
            raise Invalid("--by and --id cannot be used together")
        request = UndoToken(token=by, since=since, partial=partial, dry_run=dry_run)
        show_undo(ctx, request, key, as_json=as_json)
        return
    show_undo(ctx, Undo(id=change, partial=partial, dry_run=dry_run), key, as_json=as_json)

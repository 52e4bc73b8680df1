"""Show figures of the whole database: `todo admin stats`."""

from __future__ import annotations

import msgspec
import typer

from todo_cli.cli.options import Json
from todo_cli.cli.session import session_of
from todo_cli.contract.server_stats import ReadServerStats

NAMES = {
    "schema": "schema version",
    "disabled_users": "disabled users",
    "tasks": "tasks (about)",
    "changes": "changes (about)",
    "messages": "messages (about)",
    "running_turns": "running turns",
    "due_jobs": "due jobs",
    "dead_jobs": "dead jobs",
    "unsettled_files": "unsettled files",
}
SIZES = ("file_bytes", "table_bytes")


def stats(ctx: typer.Context, as_json: Json = False) -> None:
    """Show how many users, tasks and files the database has, and their size, as an administrator.

    todo admin stats

    todo admin stats --json | jq .table_bytes
    """
    found = session_of(ctx).send(ReadServerStats())
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(found)
        return
    from todo_cli.cli.render import text
    from todo_cli.cli.render.attachments import format_size

    for name, value in msgspec.to_builtins(found).items():
        if name in SIZES:
            shown = format_size(value)
            text.write(f"{'size of files' if name == 'file_bytes' else 'size of tables':<16} {shown:>12}")
        else:
            text.write(f"{NAMES.get(name, name):<16} {value:>12,}")

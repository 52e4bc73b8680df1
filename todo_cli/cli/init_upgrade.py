"""Upgrade the local Postgres to the major version of the installed one: `todo init --upgrade`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from todo_cli.cli import init_service
from todo_cli.cli.render import text
from todo_cli.cli.session import Session
from todo_cli.local_postgres.cluster import LocalPostgres


def upgrade_postgres(
    session: Session,
    postgres: LocalPostgres,
    old_bin: Path | None,
    *,
    copy_files: bool,
    migrate: Callable[[LocalPostgres], None],
) -> None:
    """Upgrade the data and start the new server; the old data goes once that works. Raises Unavailable."""
    from todo_cli.local_postgres.upgrade import remove_old_data, upgrade

    init_service.place_of(session, postgres).stop()
    old, new = upgrade(postgres, old_bin, by_files=copy_files, notice=text.note)
    postgres.ensure(text.note)
    migrate(postgres)
    remove_old_data(postgres)
    init_service.start_service(session)
    if old == new:
        text.write(f"Your list is already in Postgres {new}.")
    else:
        text.write(f"Upgraded your list from Postgres {old} to {new}. Every table has as many rows as before.")

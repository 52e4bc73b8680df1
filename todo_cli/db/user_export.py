"""Export every row of one user, as the database's owner. No secret and no hash of one is exported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from todo_cli.contract.codec import normalize_text
from todo_cli.db.errors import translate_error
from todo_cli.db.user_rows import UserAccount, UserTable, find_account, read_user_tables

DERIVED_TABLES = frozenset({"words"})
"""The index of the search repeats the words of the tasks."""
SECRET_COLUMNS = ["hash", "code_hash", "used_code_hash", "secret", "user_code"]
ROWS_PER_FETCH = 500


@contextmanager
def export_user(url: str, name: str) -> Iterator[Iterator[tuple[str, Any]]]:
    """Yield the table and the content of each row of a user, at one moment; raises TodoError."""
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            account = find_account(connection, normalize_text(name))
            yield _read_rows(connection, account)
    except psycopg.Error as error:
        raise translate_error(error) from error


def _read_rows(connection: psycopg.Connection[Any], account: UserAccount) -> Iterator[tuple[str, Any]]:
    tables = [table for table in read_user_tables(connection) if table.name not in DERIVED_TABLES]
    for table in reversed(tables):  # what others refer to comes first
        with connection.cursor(name="export") as cursor:
            cursor.itersize = ROWS_PER_FETCH
            cursor.execute(_select(table), {"user": account.id, "secret": SECRET_COLUMNS})
            for (row,) in cursor:
                yield table.name, row


def _select(table: UserTable) -> sql.Composed:
    owner = "id" if table.name in ("users", "spaces") else None
    names = [owner] if owner else [name for name in ("space_id", "user_id") if name in table.columns]
    conditions = [sql.SQL("t.{} = %(user)s::uuid").format(sql.Identifier(str(name))) for name in names]
    return sql.SQL("SELECT to_jsonb(t) - %(secret)s::text[] FROM {} AS t WHERE {}").format(
        sql.Identifier("todo", table.name), sql.SQL(" OR ").join(conditions)
    )

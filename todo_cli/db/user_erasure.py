"""Erase one user from a database, as its owner, in one transaction: `todo.erase_user()` and the database's login."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from todo_cli.contract.codec import normalize_text
from todo_cli.db.errors import translate_error
from todo_cli.db.user_rows import find_account


@contextmanager
def erase_user(url: str, name: str) -> Iterator[Counter[str]]:
    """Erase a user and yield the number of erased rows by table; committed at the end of the block without an error.

    Raises NotFound, and Conflict where the user is the only owner of a space that others use.
    """
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            account = find_account(connection, normalize_text(name))
            (rows,) = connection.execute("SELECT todo.erase_user(%s)", [account.id]).fetchone() or ({},)
            if account.login:
                connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(account.login)))
                connection.execute("UPDATE todo.users SET login = NULL WHERE id = %s", [account.id])
            yield Counter(rows)
    except psycopg.Error as error:
        raise translate_error(error) from error

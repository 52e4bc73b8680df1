"""What only a database's owner does: making people with logins of their own, and setting logins' passwords."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from todo_cli.contract.base import Secret
from todo_cli.contract.ids import new_id, new_token, token_hash
from todo_cli.db.errors import translated
from todo_cli.errors import NotFound


class Owner:
    """A connection as the database's owner, for one piece of work in one transaction."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def person(self, name: str) -> str | None:
        """The id of the person of that name."""
        row = self._connection.execute("SELECT id::text FROM todo.users WHERE name = %s", [name]).fetchone()
        return row[0] if row else None

    def make_person(self, name: str, *, admin: bool, zone: str | None) -> tuple[str, Secret]:
        """A person with a space and a first token of every scope: the id and the token."""
        user_id = new_id()
        token = new_token(user_id)
        self._connection.execute(
            "SELECT todo.make_user(%s, %s, %s, %s, decode(%s, 'hex'), %s)",
            [user_id, name, admin, new_id(), token_hash(token), zone],
        )
        return user_id, token

    def make_token(self, user_id: str, name: str) -> Secret:
        """One more token of every scope, for somebody who has lost theirs; one of the same name is revoked."""
        token = new_token(user_id)
        self._connection.execute(
            "UPDATE todo.tokens SET revoked_at = clock_timestamp() WHERE user_id = %s AND name = %s AND revoked_at IS NULL",
            [user_id, name],
        )
        self._connection.execute(
            "INSERT INTO todo.tokens (user_id, id, name, hash, scopes) VALUES (%s, %s, %s, decode(%s, 'hex'), '{all}')",
            [user_id, new_id(), name, token_hash(token)],
        )
        return token

    def make_login(self, user_id: str, password: Secret) -> str:
        """The person's own database login, made or given a new password; its name."""
        login = f"todo_{user_id.replace('-', '')}"
        name = sql.Identifier(login)
        if not self._connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [login]).rowcount:
            self._connection.execute(sql.SQL("CREATE ROLE {} LOGIN IN ROLE todo_person").format(name))
        self.set_password(login, password)
        self._settings(name)
        done = self._connection.execute("UPDATE todo.users SET login = %s WHERE id = %s", [login, user_id])
        if done.rowcount != 1:
            raise NotFound(f"there is no person {user_id}")
        return login

    def set_password(self, login: str, password: Secret) -> None:
        """Only the SCRAM verifier travels, so that no log of the server can hold the password."""
        encoding = self._connection.info.encoding
        verifier = self._connection.pgconn.encrypt_password(
            password.reveal().encode(encoding), login.encode(encoding), b"scram-sha-256"
        )
        self._connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(login), sql.Literal(verifier.decode()))
        )

    def _settings(self, name: sql.Identifier) -> None:
        database = sql.Identifier(self._connection.info.dbname)
        for setting, value in (("statement_timeout", "30s"), ("lock_timeout", "10s")):
            self._connection.execute(
                sql.SQL("ALTER ROLE {} IN DATABASE {} SET {} = {}").format(
                    name, database, sql.Identifier(setting), sql.Literal(value)
                )
            )


@contextmanager
def owner(url: str) -> Iterator[Owner]:
    """Work as the owner; committed at the end. Raises TodoError."""
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            yield Owner(connection)
    except psycopg.Error as error:
        raise translated(error) from error

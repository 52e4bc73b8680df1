"""The work of a database's owner: create users with logins of their own, and set the passwords of logins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from todo_cli.contract.base import Secret
from todo_cli.contract.codec import normalize_text
from todo_cli.contract.ids import new_id, new_token, token_hash
from todo_cli.db.errors import translate_error
from todo_cli.db.policies import MAX_CONNECTIONS_PER_LOGIN, PERSON_TIMEOUTS
from todo_cli.errors import NotFound


class OwnerSession:
    """A connection of the database's owner in one transaction."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def find_user(self, name: str) -> str | None:
        """Return the id of the user of that name, None if there is none."""
        row = self._connection.execute(
            "SELECT id::text FROM todo.users WHERE name = %s", [normalize_text(name)]
        ).fetchone()
        return row[0] if row else None

    def create_user(self, name: str, *, admin: bool, zone: str | None) -> tuple[str, Secret]:
        """Create a user with a personal space; return the id and a first token of every scope."""
        user_id = new_id()
        token = new_token(user_id)
        self._connection.execute(
            "SELECT todo.create_user(%s, %s, %s, %s, decode(%s, 'hex'), %s)",
            [user_id, normalize_text(name), admin, new_id(), token_hash(token), zone],
        )
        return user_id, token

    def create_token(self, user_id: str, name: str) -> Secret:
        """Create a token of every scope for a user who has lost theirs; revoke the token of the same name."""
        token = new_token(user_id)
        self._connection.execute(
            """UPDATE todo.tokens SET revoked_at = clock_timestamp()
                WHERE user_id = %s AND name = %s AND revoked_at IS NULL""",
            [user_id, name],
        )
        self._connection.execute(
            "INSERT INTO todo.tokens (user_id, id, name, hash, scopes) VALUES (%s, %s, %s, decode(%s, 'hex'), '{all}')",
            [user_id, new_id(), name, token_hash(token)],
        )
        return token

    def create_login(self, user_id: str, password: Secret) -> str:
        """Create the user's own database login, or set its password if it exists; return its name."""
        login = f"todo_{user_id.replace('-', '')}"
        if not self._connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [login]).rowcount:
            statement = sql.SQL("CREATE ROLE {} LOGIN IN ROLE todo_person")
            self._connection.execute(statement.format(sql.Identifier(login)))
        limit = sql.SQL("ALTER ROLE {} CONNECTION LIMIT {}")
        self._connection.execute(limit.format(sql.Identifier(login), sql.Literal(MAX_CONNECTIONS_PER_LOGIN)))
        # so that todo.end_idle_sessions() may end the login's sessions
        self._connection.execute(sql.SQL("GRANT {} TO todo_auth").format(sql.Identifier(login)))
        self.set_password(login, password)
        self._set_timeouts(login)
        updated = self._connection.execute("UPDATE todo.users SET login = %s WHERE id = %s", [login, user_id])
        if updated.rowcount != 1:
            raise NotFound(f"user {user_id} does not exist")
        return login

    def set_password(self, login: str, password: Secret) -> None:
        """Send only the SCRAM verifier, so that no log of the server contains the password."""
        encoding = self._connection.info.encoding
        verifier = self._connection.pgconn.encrypt_password(
            password.reveal().encode(encoding), login.encode(encoding), b"scram-sha-256"
        )
        self._connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(login), sql.Literal(verifier.decode()))
        )

    def _set_timeouts(self, login: str) -> None:
        role, database = sql.Identifier(login), sql.Identifier(self._connection.info.dbname)
        for setting, value in PERSON_TIMEOUTS.items():
            statement = sql.SQL("ALTER ROLE {} IN DATABASE {} SET {} = {}").format(
                role, database, sql.Identifier(setting), sql.Literal(value)
            )
            self._connection.execute(statement)


@contextmanager
def open_owner_session(url: str) -> Iterator[OwnerSession]:
    """Connect as the owner and commit at the end; raise TodoError."""
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            yield OwnerSession(connection)
    except psycopg.Error as error:
        raise translate_error(error) from error

"""Refuse database logins that bypass row-level security: owners and superusers."""

from __future__ import annotations

import psycopg

from todo_cli.db.errors import translate_error, was_lost
from todo_cli.errors import NotAllowed

QUERY = """
SELECT r.rolsuper OR r.rolbypassrls OR EXISTS (
    SELECT FROM pg_tables t
     WHERE t.schemaname = 'todo' AND pg_has_role(r.rolname, t.tableowner, 'MEMBER'))
  FROM pg_roles r WHERE r.rolname = session_user"""


def refuse_owner(url: str) -> None:
    """Raise NotAllowed for a login that bypasses row-level security; accept a database that is down."""
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            row = connection.execute(QUERY).fetchone()
    except psycopg.Error as error:
        if was_lost(error):
            return
        raise translate_error(error) from None
    if row is not None and row[0]:
        raise NotAllowed(
            "a server must not connect as the database's owner or a superuser",
            hint="use the login todo_server: todo db password todo_server",
        )

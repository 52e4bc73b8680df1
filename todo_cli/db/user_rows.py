"""Which rows belong to a user, found in the catalogue, so that a new table is never forgotten.

A table belongs to a space by `space_id`, to a user by `user_id`, or to both. A user's own rows are those of the personal
space and, in every space, those that name the user.
"""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import Any, NamedTuple

import psycopg

from todo_cli.errors import NotFound

TABLES_OF_NOBODY = frozenset({"alembic_version", "schema", "attempts"})
"""They name no user: attempts to sign in are counted by a hash, for a quarter of an hour."""

_COLUMNS = """
SELECT c.relname::text, array_agg(a.attname::text ORDER BY a.attnum)
  FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relnamespace = 'todo'::regnamespace AND c.relkind = 'r'
 GROUP BY 1 ORDER BY 1"""

_REFERENCES = """
SELECT child.relname::text, parent.relname::text
  FROM pg_constraint f
  JOIN pg_class child ON child.oid = f.conrelid
  JOIN pg_class parent ON parent.oid = f.confrelid
 WHERE f.contype = 'f' AND f.connamespace = 'todo'::regnamespace AND child.oid <> parent.oid"""

_USER = "SELECT id::text, name, email, login FROM todo.users WHERE name = %s"

OwnerConnection = psycopg.Connection[Any]


class UserTable(NamedTuple):
    """A table with rows of users."""

    name: str
    columns: tuple[str, ...]


class UserAccount(NamedTuple):
    """A user with the names by which others know them."""

    id: str
    name: str
    email: str | None
    login: str | None


def find_account(connection: OwnerConnection, name: str) -> UserAccount:
    """Return the user of that name; raises NotFound."""
    row = connection.execute(_USER, [name]).fetchone()
    if row is None:
        raise NotFound(f"there is no user {name!r}", hint="see: todo admin user list")
    return UserAccount(*row)


def read_user_tables(connection: OwnerConnection) -> list[UserTable]:
    """Return the tables with rows of users, each after the tables that refer to it."""
    columns = {name: tuple(names) for name, names in connection.execute(_COLUMNS).fetchall()}
    parents: dict[str, set[str]] = {name: set() for name in columns}
    for child, parent in connection.execute(_REFERENCES).fetchall():
        parents[parent].add(child)
    ordered = TopologicalSorter(parents).static_order()
    return [UserTable(name, columns[name]) for name in ordered if name not in TABLES_OF_NOBODY]

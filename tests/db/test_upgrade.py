"""A database of the first schema with a row in every table keeps each of them through all migrations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic import command
from psycopg import sql

from tests.support.new_databases import create_database
from todo_cli.db.migrate import _config, _create_version_table, _transaction, migrate, status
from todo_cli.local_postgres.cluster import LocalPostgres

FIRST = "0001"
USER = "01a00000-0000-7000-8000-000000000001"

VALUES = {
    "uuid": USER,
    "text": "text",
    "timestamptz": "2026-11-01T09:00:00+00:00",
    "date": "2026-11-01",
    "int2": 1,
    "int4": 1,
    "int8": 1,
    "numeric": 1,
    "bool": True,
    "jsonb": "{}",
    "bytea": b"0123456789abcdef0123456789abcdef",
    "_text": ["all"],
}
"""A value of each type."""

CHOSEN: dict[tuple[str, str], Any] = {
    ("tasks", "status"): "open",
    ("tasks", "due_at"): None,
    ("tasks", "defer_at"): None,
    ("tasks", "scheduled_at"): None,
    ("links", "after"): 2,
    ("turns", "state"): "answered",
    ("plans", "state"): "open",
    ("messages", "status"): "whole",
    ("messages", "role"): "user",
    ("members", "role"): "owner",
}
"""Values that the constraints of a column ask for."""

COLUMNS = """
SELECT c.relname, a.attname, t.typname
FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relnamespace = 'todo'::regnamespace AND c.relkind = 'r' AND c.relname NOT IN ('alembic_version', 'schema')
ORDER BY 1, a.attnum"""


@pytest.fixture
def url(postgres: LocalPostgres) -> Iterator[str]:
    yield from create_database(postgres)


def upgrade_to_first(url: str) -> None:
    _create_version_table(url)
    with _transaction(url) as connection:
        command.upgrade(_config(connection), FIRST)


def read_columns(connection: psycopg.Connection[Any]) -> dict[str, dict[str, str]]:
    """Return the type of each column by table and name."""
    columns: dict[str, dict[str, str]] = {}
    for table, name, kind in connection.execute(COLUMNS):
        columns.setdefault(table, {})[name] = kind
    return columns


def insert_row(connection: psycopg.Connection[Any], table: str, columns: dict[str, str]) -> None:
    """Insert a row with a value in every column that a constraint does not keep null."""
    values = {name: CHOSEN.get((table, name), VALUES[kind]) for name, kind in columns.items()}
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier("todo", table),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(sql.Placeholder() * len(values)),
        ),
        list(values.values()),
    )


def read_rows(connection: psycopg.Connection[Any], table: str, names: dict[str, str]) -> list[tuple[Any, ...]]:
    query = sql.SQL("SELECT {} FROM {}").format(
        sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier("todo", table)
    )
    return connection.execute(query).fetchall()


def test_upgrade_of_the_first_schema_keeps_every_row(url: str) -> None:
    upgrade_to_first(url)
    with psycopg.connect(url) as connection:
        columns = read_columns(connection)
        connection.execute("SET session_replication_role = replica")  # the rows are of one user, not of one story
        for table, names in columns.items():
            insert_row(connection, table, names)
        before = {table: read_rows(connection, table, names) for table, names in columns.items()}
    assert all(before.values())
    migrate(url)
    assert status(url).current
    with psycopg.connect(url) as connection:
        assert {table: read_rows(connection, table, names) for table, names in columns.items()} == before

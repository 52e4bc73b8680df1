"""New databases in the test cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
from psycopg import sql

from todo_cli.local_postgres.cluster import LocalPostgres


def create_database(postgres: LocalPostgres, prepare: Callable[[str], object] = bool) -> Iterator[str]:
    """Create a database, prepare it and yield the URL of its owner; drop it at the end."""
    name = f"s{uuid4().hex[:12]}"
    with psycopg.connect(postgres.owner_url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        prepare(postgres.owner_url(name))
        yield postgres.owner_url(name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

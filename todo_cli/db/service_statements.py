"""Statements of a service itself, such as a sweep: they sign in nobody and call functions that only services may call."""

from __future__ import annotations

from typing import Any

import psycopg

from todo_cli.db.errors import translate_outcome
from todo_cli.db.pipeline import Connection, run
from todo_cli.db.sql import Sql


async def run_statement(connection: Connection, sql: Sql, values: dict[str, Any]) -> str | None:
    """Run a statement and return the first column of its row; raises TodoError."""
    try:
        (row,) = await run(connection, [(sql, sql.values(values))])
    except psycopg.Error as error:
        raise translate_outcome(error) from error
    return row[0] if row else None

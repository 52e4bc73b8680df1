"""Check before a start whether this release can work with the schema of a database."""

from __future__ import annotations

import psycopg

from todo_cli.db.errors import translate_error
from todo_cli.db.schema_version import SCHEMA_VERSION
from todo_cli.errors import Unavailable


def require_current_schema(url: str, hint: str) -> None:
    """Raise Unavailable with the hint if the schema is too old or too new for this release."""
    try:
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT version, oldest FROM todo.schema").fetchone()
    except psycopg.Error as error:
        raise translate_error(error) from None
    version, oldest = row or (0, 0)
    if not oldest <= SCHEMA_VERSION <= version:
        raise Unavailable(f"the database has schema {version}, and this todo needs {SCHEMA_VERSION}", hint=hint)

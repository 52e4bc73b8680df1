"""The schema's own version, which todo.enter() compares with the client's."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table

from todo_cli.db.tables.columns import metadata

schema = Table(
    "schema",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("oldest", Integer, nullable=False, comment="the oldest client that the database serves"),
)

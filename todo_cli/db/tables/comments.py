"""Comments on tasks."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Table

from todo_cli.db.tables.columns import INSTANT, NOW, TEXT, author_column, metadata, uuid_column

comments = Table(
    "comments",
    metadata,
    uuid_column("space_id", key=True),
    Column("number", BigInteger, primary_key=True),
    uuid_column("id", key=True),
    author_column(),
    Column("at", INSTANT, nullable=False, server_default=NOW),
    Column("edited_at", INSTANT),
    Column("text", TEXT, nullable=False),
    ForeignKeyConstraint(["space_id", "number"], ["todo.tasks.space_id", "todo.tasks.number"]),
)

"""Comments on tasks."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Table
from sqlalchemy.dialects.postgresql import JSONB

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
    Column("imported", JSONB, comment="the author (by) and the time (at) in the file that it was imported from"),
    ForeignKeyConstraint(["space_id", "number"], ["todo.tasks.space_id", "todo.tasks.number"]),
)

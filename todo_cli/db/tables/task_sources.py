"""Sources of imported tasks: the record of another tool's file that each task came from."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKeyConstraint, Index, Table, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB

from todo_cli.db.tables.columns import TEXT, metadata, space_column

task_sources = Table(
    "task_sources",
    metadata,
    space_column(),
    Column("format", TEXT, primary_key=True),
    Column("name", TEXT, primary_key=True, comment="the file's name, or the one that the user gave"),
    Column("source_id", TEXT, primary_key=True, comment="the task's id in the file"),
    Column("number", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False, comment="the change that imported the task"),
    Column("digest", TEXT, nullable=False, comment="of the record, to notice that it has changed in the file"),
    Column("kept_format", TEXT, nullable=False, comment="the format that kept and kept_id belong to"),
    Column("kept_id", TEXT, nullable=False, comment="the task's id in that format"),
    Column("kept", JSONB, nullable=False, comment="values that no column of a task can take"),
    Column("series", TEXT, comment="the id of the series in the file"),
    Column("left_out", JSONB, comment="parent and after that lead to no task or close a circle"),
    Column("pending", JSONB, comment="parent and after that come later in the file; null once they are set"),
    Column(
        "has_created_at",
        Boolean,
        nullable=False,
        server_default=text("true"),
        comment="false: the file does not say when the task was created",
    ),
    ForeignKeyConstraint(
        ["space_id", "number"],
        ["todo.tasks.space_id", "todo.tasks.number"],
        ondelete="CASCADE",  # the trash is emptied in the end
    ),
    UniqueConstraint("space_id", "number", name="task_sources_task"),
    Index("task_sources_pending", "space_id", "format", "name", "number", postgresql_where=text("pending IS NOT NULL")),
)

"""The tables of tasks: the task itself, its tags, what it waits for. What is rare has only partial indexes, so that an add pays nothing for it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    Table,
    UniqueConstraint,
    text,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import JSONB, UUID

from todo_cli.db.tables.columns import INSTANT, WORD, id_column, metadata, space_column

tasks = Table(
    "tasks", metadata,
    space_column(), Column("number", BigInteger, primary_key=True, autoincrement=False),
    id_column("id"),
    Column("title", WORD, nullable=False),
    Column("note", WORD),
    Column("status", WORD, CheckConstraint("status IN ('open', 'done', 'deleted')", name="tasks_status"),
           nullable=False, server_default=text("'open'")),
    Column("priority", SmallInteger, CheckConstraint("priority BETWEEN 1 AND 4", name="tasks_priority"),
           nullable=False, server_default=text("4"), comment="4 is none, so that it sorts last in an index"),
    Column("project", WORD),
    Column("due_on", Date, comment="a day without a time"),
    Column("due_at", INSTANT, comment="an instant; one of the two or neither"),
    Column("due_sort", INSTANT, Computed(
        "coalesce(due_at, timezone('UTC', due_on + interval '1 day' - interval '1 second'), 'infinity')", persisted=True),
        nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("completed_at", INSTANT),
    Column("deleted_at", INSTANT),
    Column("rev", BigInteger, nullable=False, comment="the seq of the change that last touched it"),
    Column("parent", BigInteger, comment="the task that it is a part of"),
    Column("defer_on", Date, comment="out of sight until then: a day"), Column("defer_at", INSTANT, comment="or an instant"),
    Column("scheduled_on", Date, comment="when its work is to begin: a day"),
    Column("scheduled_at", INSTANT, comment="or an instant"),
    Column("started_at", INSTANT, comment="it is being worked on, since then"),
    Column("tracked", BigInteger, nullable=False, server_default=text("0"), comment="seconds worked, in finished spans"),
    Column("series", UUID(as_uuid=False), comment="what the occurrences of a recurring task share"),
    Column("occurrence", Integer, comment="its place in the series, from 1"),
    Column("repeat", JSONB, comment="rule, from_done, anchor, zone, slot (this one's date by the rule), template (what edits of this one alone have hidden)"),
    Column("claimed_by", WORD), Column("claim_token", UUID(as_uuid=False)), Column("claimed_until", INSTANT),
    UniqueConstraint("space_id", "id", name="tasks_space_id_id"),
    CheckConstraint("due_on IS NULL OR due_at IS NULL", name="tasks_due"),
    CheckConstraint("defer_on IS NULL OR defer_at IS NULL", name="tasks_defer"),
    CheckConstraint("scheduled_on IS NULL OR scheduled_at IS NULL", name="tasks_scheduled"),
    ForeignKeyConstraint(["space_id", "parent"], ["todo.tasks.space_id", "todo.tasks.number"], name="tasks_parent"),
    Index("tasks_due", "space_id", "status", "due_sort", "number"),
    Index("tasks_priority", "space_id", "status", "priority", "number"),
    Index("tasks_created", "space_id", "status", "number"),
    Index("tasks_updated", "space_id", "status", "rev", "number"),
    Index("tasks_project", "space_id", "project", "status", "due_sort", "number",
          postgresql_where=text("project IS NOT NULL")),
    Index("tasks_subtasks", "space_id", "parent", "status", "number", postgresql_where=text("parent IS NOT NULL")),
    Index("tasks_series", "space_id", "series", "occurrence", unique=True, postgresql_where=text("series IS NOT NULL")),
    Index("tasks_started", "space_id", "started_at", "number", postgresql_where=text("started_at IS NOT NULL")),
    Index("tasks_claimed", "space_id", "claimed_until", "number", postgresql_where=text("claimed_until IS NOT NULL")),
)  # fmt: skip

task_tags = Table(
    "task_tags", metadata,
    Column("space_id", UUID(as_uuid=False), primary_key=True), Column("number", BigInteger, primary_key=True),
    Column("tag", WORD, primary_key=True),
    ForeignKeyConstraint(["space_id", "number"], ["todo.tasks.space_id", "todo.tasks.number"]),
    Index("task_tags_tag", "space_id", "tag", "number"),
)  # fmt: skip

links = Table(
    "links", metadata,
    Column("space_id", UUID(as_uuid=False), primary_key=True), Column("number", BigInteger, primary_key=True),
    Column("after", BigInteger, primary_key=True, comment="the task that this one waits for"),
    ForeignKeyConstraint(["space_id", "number"], ["todo.tasks.space_id", "todo.tasks.number"]),
    ForeignKeyConstraint(["space_id", "after"], ["todo.tasks.space_id", "todo.tasks.number"]),
    CheckConstraint("number <> after", name="links_other"),
    Index("links_after", "space_id", "after", "number"),
)  # fmt: skip

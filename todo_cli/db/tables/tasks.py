"""Tasks, their tags and their dependencies. Rare columns have only partial indexes, so that an add writes none of them."""

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
    Numeric,
    SmallInteger,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from todo_cli.db.tables.columns import INSTANT, TEXT, metadata, space_column, uuid_column

END_OF_DUE_DAY = "timezone('UTC', due_on + interval '1 day' - interval '1 second')"

tasks = Table(
    "tasks",
    metadata,
    space_column(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    uuid_column("id"),
    Column("title", TEXT, nullable=False),
    Column("note", TEXT),
    Column(
        "status",
        TEXT,
        CheckConstraint("status IN ('open', 'done', 'deleted')", name="tasks_status"),
        nullable=False,
        server_default=text("'open'"),
    ),
    Column(
        "priority",
        SmallInteger,
        CheckConstraint("priority BETWEEN 1 AND 4", name="tasks_priority"),
        nullable=False,
        server_default=text("4"),
        comment="4: none, so that it sorts last in an index",
    ),
    Column("project", TEXT),
    Column("due_on", Date, comment="a day without a time"),
    Column("due_at", INSTANT, comment="an instant; a task has one of the two or neither"),
    Column(
        "due_sort",
        INSTANT,
        Computed(f"coalesce(due_at, {END_OF_DUE_DAY}, 'infinity')", persisted=True),
        nullable=False,
    ),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("completed_at", INSTANT),
    Column("deleted_at", INSTANT),
    Column("rev", BigInteger, nullable=False, comment="the seq of the change that last touched the task"),
    Column("parent", BigInteger, comment="the task of which this is a subtask"),
    Column("defer_on", Date, comment="hidden until this day"),
    Column("defer_at", INSTANT, comment="or until this instant"),
    Column("scheduled_on", Date, comment="work is to begin on this day"),
    Column("scheduled_at", INSTANT, comment="or at this instant"),
    Column("started_at", INSTANT, comment="being worked on since then"),
    Column("tracked", BigInteger, nullable=False, server_default=text("0"), comment="seconds of finished work"),
    Column("series", UUID(as_uuid=False), comment="shared by all occurrences of a recurring task"),
    Column("occurrence", Integer, comment="position in the series, from 1"),
    Column(
        "repeat",
        JSONB,
        comment="rule, from_done, anchor, zone, slot (the date by the rule), template (values that edits of this"
        " occurrence alone replaced)",
    ),
    Column("claimed_by", TEXT),
    Column("claim_token", UUID(as_uuid=False)),
    Column("claimed_until", INSTANT),
    Column("title_key", TEXT, Computed("todo.sort_key(title)", persisted=True), nullable=False),
    Column("project_key", TEXT, Computed("todo.sort_key(project) || chr(1) || left(project, 100)", persisted=True)),
    Column("attachments", JSONB, comment="the attached files, as they are shown; null: none"),
    Column(
        "remind",
        JSONB,
        CheckConstraint("jsonb_typeof(remind) = 'array'", name="tasks_remind"),
        comment="reminders, each with its user and zone: days and seconds before the due date, or an instant",
    ),
    Column("fence", BigInteger, comment="the seq of the change that last gave or took its claim; null: never claimed"),
    Column("lost_claims", ARRAY(UUID(as_uuid=False)), comment="the tokens whose claims others took or released"),
    Column("discovered_from", BigInteger, comment="the task during which this one was found"),
    Column(
        "position",
        Numeric,
        CheckConstraint("abs(position) < 1e18 AND scale(position) <= 100", name="tasks_position_size"),
        comment="its place among the numbers of tasks, in an order by hand; null: at its own number",
    ),
    Column("assigned_to", TEXT, comment="the name of the member who is to finish the task"),
    UniqueConstraint("space_id", "id", name="tasks_space_id_id"),
    CheckConstraint("due_on IS NULL OR due_at IS NULL", name="tasks_due"),
    CheckConstraint("defer_on IS NULL OR defer_at IS NULL", name="tasks_defer"),
    CheckConstraint("scheduled_on IS NULL OR scheduled_at IS NULL", name="tasks_scheduled"),
    ForeignKeyConstraint(["space_id", "parent"], ["todo.tasks.space_id", "todo.tasks.number"], name="tasks_parent"),
    ForeignKeyConstraint(
        ["space_id", "discovered_from"], ["todo.tasks.space_id", "todo.tasks.number"], name="tasks_discovered_from"
    ),
    Index("tasks_due", "space_id", "status", "due_sort", "number"),
    Index("tasks_priority", "space_id", "status", "priority", "number"),
    Index("tasks_created", "space_id", "status", "number"),
    Index("tasks_updated", "space_id", "status", "rev", "number"),
    Index("tasks_title", "space_id", "status", "title_key", "number"),
    Index(
        "tasks_project",
        "space_id",
        "project",
        "status",
        "due_sort",
        "number",
        postgresql_where=text("project IS NOT NULL"),
    ),
    Index("tasks_subtasks", "space_id", "parent", "status", "number", postgresql_where=text("parent IS NOT NULL")),
    Index(
        "tasks_series",
        "space_id",
        "series",
        "occurrence",
        unique=True,
        postgresql_where=text("series IS NOT NULL"),
    ),
    *(
        Index(
            f"tasks_{name}",
            "space_id",
            name,
            postgresql_where=text(f"status = 'open' AND {name} IS NOT NULL"),
        )
        for name in ("defer_on", "defer_at")
    ),
    Index("tasks_scheduled_at", "space_id", "scheduled_at", postgresql_where=text("scheduled_at IS NOT NULL")),
    Index("tasks_started", "space_id", "started_at", "number", postgresql_where=text("started_at IS NOT NULL")),
    Index(
        "tasks_discovered",
        "space_id",
        "discovered_from",
        "number",
        postgresql_where=text("discovered_from IS NOT NULL"),
    ),
    Index(
        "tasks_position",
        "space_id",
        "status",
        "position",
        "number",
        postgresql_where=text("position IS NOT NULL"),
    ),
    Index(
        "tasks_assigned",
        "space_id",
        "assigned_to",
        "status",
        "due_sort",
        "number",
        postgresql_where=text("assigned_to IS NOT NULL"),
    ),
    Index("tasks_trash", "space_id", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    Index("tasks_claimed", "space_id", "claimed_until", "number", postgresql_where=text("claimed_until IS NOT NULL")),
)

task_tags = Table(
    "task_tags",
    metadata,
    uuid_column("space_id", key=True),
    Column("number", BigInteger, primary_key=True),
    Column("tag", TEXT, primary_key=True),
    ForeignKeyConstraint(["space_id", "number"], ["todo.tasks.space_id", "todo.tasks.number"]),
    Index("task_tags_tag", "space_id", "tag", "number"),
)

links = Table(
    "links",
    metadata,
    uuid_column("space_id", key=True),
    Column("number", BigInteger, primary_key=True),
    Column("after", BigInteger, primary_key=True, comment="the task that blocks this one while it is open"),
    ForeignKeyConstraint(["space_id", "number"], ["todo.tasks.space_id", "todo.tasks.number"]),
    ForeignKeyConstraint(["space_id", "after"], ["todo.tasks.space_id", "todo.tasks.number"]),
    CheckConstraint("number <> after", name="links_other"),
    Index("links_after", "space_id", "after", "number"),
)

TRIGGERS = (
    """CREATE TRIGGER claim_lease_bounded BEFORE INSERT OR UPDATE OF claimed_until ON todo.tasks
  FOR EACH ROW WHEN (NEW.claimed_until > clock_timestamp() + interval '7 days')
  EXECUTE FUNCTION todo.bound_claim_lease()""",
    """CREATE TRIGGER attachments_changed AFTER UPDATE OF attachments ON todo.tasks
  FOR EACH ROW WHEN (OLD.attachments IS DISTINCT FROM NEW.attachments)
  EXECUTE FUNCTION todo.note_unused_files()""",
    """CREATE TRIGGER attachments_deleted AFTER DELETE ON todo.tasks
  FOR EACH ROW WHEN (OLD.attachments IS NOT NULL)
  EXECUTE FUNCTION todo.note_unused_files()""",
)

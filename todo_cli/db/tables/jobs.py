"""Background work: the queue of jobs, users' channels for messages, and the delivery of each message."""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, Boolean, CheckConstraint, Column, Index, Integer, Table, text
from sqlalchemy.dialects.postgresql import UUID

from todo_cli.db.tables.columns import INSTANT, NOW, TEXT, metadata, user_column, uuid_column

KINDS = "'reminder', 'changes', 'test', 'title', 'sweep'"
STATES = "'waiting', 'sending', 'sent', 'failed', 'dead', 'unknown'"

channels = Table(
    "channels",
    metadata,
    user_column(),
    Column("name", TEXT, primary_key=True),
    Column(
        "kind",
        TEXT,
        CheckConstraint("kind IN ('webhook', 'email', 'push', 'desktop')", name="channels_kind"),
        nullable=False,
    ),
    Column("target", TEXT, nullable=False, comment="address; clients cannot read it, since it may be a secret"),
    Column("shown", TEXT, nullable=False, comment="the address without what may be secret"),
    Column("secret", TEXT, comment="key of the signature, or token of the push server; clients cannot read it"),
    Column("space_id", UUID(as_uuid=False), comment="the space whose changes it gets; null: it gets reminders"),
    Column("verbs", ARRAY(TEXT), comment="the verbs of those changes; null: all"),
    Column("seq", BigInteger, comment="the last change of the space that was sent or given up"),
    Column("created_at", INSTANT, nullable=False, server_default=NOW),
    Index("channels_space", "space_id", "user_id", postgresql_where=text("space_id IS NOT NULL")),
)

jobs = Table(
    "jobs",
    metadata,
    uuid_column("space_id", key=True),
    Column("id", UUID(as_uuid=False), primary_key=True, server_default=text("gen_random_uuid()")),
    Column("kind", TEXT, CheckConstraint(f"kind IN ({KINDS})", name="jobs_kind"), nullable=False),
    uuid_column("user_id"),
    Column("ref", TEXT, nullable=False, comment="names the work: one job of a kind, user and ref at a time"),
    Column("number", BigInteger, comment="the task of a reminder"),
    Column("moment", INSTANT, comment="when the reminder is wanted"),
    Column("due", INSTANT, nullable=False, comment="when a worker may take it: later while it is leased"),
    Column(
        "attempt",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="the fencing token: writes of an older attempt are refused",
    ),
    Column("tries", Integer, nullable=False, server_default=text("0"), comment="failures in a row"),
    Column("again", Boolean, nullable=False, server_default=text("false"), comment="more work came while it ran"),
    Column("error", TEXT),
    Column("dead_at", INSTANT, comment="given up, until a user retries it"),
    Index("jobs_ref", "space_id", "user_id", "kind", "ref", unique=True),
    Index("jobs_task", "space_id", "number", postgresql_where=text("number IS NOT NULL")),
    Index("jobs_due", "due", postgresql_where=text("dead_at IS NULL")),
    postgresql_with={"fillfactor": "70"},
)

deliveries = Table(
    "deliveries",
    metadata,
    uuid_column("space_id", key=True),
    uuid_column("user_id", key=True),
    Column("id", UUID(as_uuid=False), primary_key=True, server_default=text("gen_random_uuid()")),
    Column("kind", TEXT, nullable=False, comment="as in jobs"),
    Column("channel", TEXT, nullable=False, comment="its name; empty: the list of deliveries itself"),
    Column("number", BigInteger, comment="the task of a reminder"),
    Column("moment", INSTANT, comment="when the reminder was wanted"),
    Column("seq", BigInteger, comment="the change of the space"),
    Column(
        "state",
        TEXT,
        CheckConstraint(f"state IN ({STATES})", name="deliveries_state"),
        nullable=False,
        server_default=text("'waiting'"),
    ),
    Column("attempt", Integer, nullable=False, server_default=text("0"), comment="of the job that last sent it"),
    Column("error", TEXT),
    Column("created_at", INSTANT, nullable=False, server_default=NOW),
    Column("updated_at", INSTANT, nullable=False, server_default=NOW),
    Index(
        "deliveries_reminder",
        "space_id",
        "user_id",
        "number",
        "moment",
        "channel",
        unique=True,
        postgresql_where=text("kind = 'reminder'"),
    ),
    Index(
        "deliveries_change",
        "space_id",
        "user_id",
        "channel",
        "seq",
        unique=True,
        postgresql_where=text("kind = 'changes'"),
    ),
    Index("deliveries_newest", "space_id", "user_id", "updated_at"),
    postgresql_with={"fillfactor": "70"},
)

TRIGGERS = (
    """CREATE TRIGGER reminders_inserted AFTER INSERT ON todo.tasks FOR EACH ROW
  WHEN (NEW.remind IS NOT NULL)
  EXECUTE FUNCTION todo.schedule_reminders()""",
    """CREATE TRIGGER reminders_changed AFTER UPDATE ON todo.tasks FOR EACH ROW
  WHEN (num_nulls(OLD.remind, NEW.remind) < 2
    AND (OLD.remind, OLD.status, OLD.due_on, OLD.due_at)
      IS DISTINCT FROM (NEW.remind, NEW.status, NEW.due_on, NEW.due_at))
  EXECUTE FUNCTION todo.schedule_reminders()""",
    """CREATE TRIGGER changes_sent AFTER INSERT ON todo.changes
  REFERENCING NEW TABLE AS inserted_changes FOR EACH STATEMENT
  EXECUTE FUNCTION todo.schedule_changes()""",
    """CREATE TRIGGER title_set AFTER UPDATE OF title ON todo.conversations FOR EACH ROW
  EXECUTE FUNCTION todo.delete_title_job()""",
)

"""Spaces and their members. Triggers advance the counters of a space with the rows that they number."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Table, text

from todo_cli.db.tables.columns import TEXT, metadata, space_column, user_column, uuid_column

spaces = Table(
    "spaces",
    metadata,
    uuid_column("id", key=True),
    Column("name", TEXT, nullable=False),
    Column("next_number", BigInteger, nullable=False, server_default=text("1")),
    Column("seq", BigInteger, nullable=False, server_default=text("0")),
    Column("next_conversation", BigInteger, nullable=False, server_default=text("1")),
    postgresql_with={"fillfactor": "50"},
)

members = Table(
    "members",
    metadata,
    space_column(),
    user_column(),
    Column("role", TEXT, CheckConstraint("role IN ('owner', 'editor', 'viewer')", name="members_role"), nullable=False),
    Index("members_user", "user_id"),
)

TRIGGERS = (
    """CREATE TRIGGER tasks_numbered AFTER INSERT ON todo.tasks
  REFERENCING NEW TABLE AS inserted_tasks FOR EACH STATEMENT
  EXECUTE FUNCTION todo.advance_task_number()""",
    """CREATE TRIGGER changes_numbered AFTER INSERT ON todo.changes
  REFERENCING NEW TABLE AS inserted_changes FOR EACH STATEMENT
  EXECUTE FUNCTION todo.advance_seq()""",
    """CREATE TRIGGER conversations_numbered BEFORE INSERT ON todo.conversations FOR EACH ROW
  EXECUTE FUNCTION todo.number_conversation()""",
)

"""Spaces and their members. Triggers advance the counters of a space with the rows that they number."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, LargeBinary, Table, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import UUID

from todo_cli.db.tables.columns import INSTANT, NOW, TEXT, metadata, space_column, user_column, uuid_column

ROLES = "role IN ('owner', 'editor', 'commenter', 'viewer')"


def _role_column(check: str) -> Column[object]:
    return Column("role", TEXT, CheckConstraint(ROLES, name=check), nullable=False)


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
    _role_column("members_role"),
    Index("members_user", "user_id"),
)

space_invitations = Table(
    "space_invitations",
    metadata,
    space_column(),
    uuid_column("id", key=True),
    Column("user_id", UUID(as_uuid=False), nullable=False, comment="the owner who invites"),
    Column("hash", LargeBinary, nullable=False),
    _role_column("space_invitations_role"),
    Column("created_at", INSTANT, nullable=False, server_default=NOW),
    Column("expires_at", INSTANT, nullable=False),
    Column("used_by", UUID(as_uuid=False), comment="the user who joined with it"),
    Column("used_at", INSTANT),
    UniqueConstraint("space_id", "hash", name="space_invitations_hash"),
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
    # at the end of the transaction, which has counted its own change of the space by then
    """CREATE CONSTRAINT TRIGGER members_unassigned AFTER DELETE OR UPDATE OF role ON todo.members
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION todo.unassign_member()""",
)

"""Turns of conversations, and the events that a running turn emits."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from todo_cli.db.tables.columns import (
    INSTANT,
    NOW,
    TEXT,
    TOKEN,
    author_column,
    metadata,
    space_column,
    uuid_column,
)

STATES = "'running', 'awaiting', 'answered', 'done', 'stopped', 'failed'"

turns = Table(
    "turns",
    metadata,
    space_column(),
    author_column(key=True),
    uuid_column("id", key=True),
    uuid_column("conversation_id"),
    Column(
        "state",
        TEXT,
        CheckConstraint(f"state IN ({STATES})", name="turns_state"),
        nullable=False,
        server_default=text("'running'"),
    ),
    Column(
        "attempt",
        Integer,
        nullable=False,
        server_default=text("1"),
        comment="the fencing token: writes of an older attempt are refused",
    ),
    uuid_column("runner"),
    Column("lease_until", INSTANT, nullable=False),
    Column("asked", BigInteger, nullable=False, comment="the seq of the user's message"),
    Column("last", BigInteger, comment="the seq of the last message, once the turn has ended"),
    Column("stop", Boolean, nullable=False, server_default=text("false"), comment="the user asked the turn to stop"),
    Column("held", JSONB, comment="tool calls that wait for approval, each with its plan"),
    Column("approved", Boolean, comment="the user's answer to the held calls"),
    Column("events", BigInteger, nullable=False, server_default=text("0")),
    Column("usage", JSONB),
    Column("error", JSONB),
    Column("began_at", INSTANT, nullable=False, server_default=NOW),
    Column("ended_at", INSTANT),
    Column("token_id", UUID(as_uuid=False), server_default=TOKEN, comment="the token that asked"),
    Column("way", TEXT, server_default=text("todo.current_way()"), comment="by which the turn began"),
    Column("zone", TEXT, comment="the time zone that came with the message; null: the user's"),
    ForeignKeyConstraint(
        ["space_id", "user_id", "conversation_id"],
        ["todo.conversations.space_id", "todo.conversations.user_id", "todo.conversations.id"],
    ),
    # small, so that it is read as a whole; none of its columns changes when a lease is renewed
    Index(
        "turns_unfinished",
        "space_id",
        "user_id",
        "began_at",
        postgresql_where=text("state IN ('running', 'answered')"),
    ),
    postgresql_with={"fillfactor": "70"},
)

TRIGGERS = (
    """CREATE TRIGGER turn_lease_bounded BEFORE INSERT OR UPDATE OF lease_until ON todo.turns
  FOR EACH ROW WHEN (NEW.lease_until > clock_timestamp() + interval '300 seconds')
  EXECUTE FUNCTION todo.bound_turn_lease()""",
)

events = Table(
    "events",
    metadata,
    uuid_column("space_id", key=True),
    author_column(key=True),
    uuid_column("turn_id", key=True),
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("attempt", Integer, nullable=False),
    Column("after", BigInteger, nullable=False, comment="the head at that time"),
    Column("batch", JSONB, nullable=False),
    ForeignKeyConstraint(
        ["space_id", "user_id", "turn_id"], ["todo.turns.space_id", "todo.turns.user_id", "todo.turns.id"]
    ),
)

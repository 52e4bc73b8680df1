"""Plans: computed changes that are not stored yet."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Table, text
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

plans = Table(
    "plans",
    metadata,
    space_column(),
    uuid_column("id", key=True),
    author_column(),
    Column("token_id", UUID(as_uuid=False), nullable=False, server_default=TOKEN),
    Column("verb", TEXT, nullable=False),
    Column("arguments", JSONB, nullable=False),
    Column("targets", JSONB, nullable=False, comment="the tasks, and the rev that each must still have"),
    Column("differences", JSONB, nullable=False),
    Column(
        "state",
        TEXT,
        CheckConstraint("state IN ('open', 'applied', 'refused')", name="plans_state"),
        nullable=False,
        server_default=text("'open'"),
    ),
    Column("made_at", INSTANT, nullable=False, server_default=NOW),
    Column("expires_at", INSTANT, nullable=False),
    Column("decided_at", INSTANT),
    Index("plans_open", "space_id", "user_id", "made_at", postgresql_where=text("state = 'open'")),
)

"""Proposals: changes that a token may only propose, with the exact rows, until a person approves or rejects them."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Table, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from todo_cli.db.tables.columns import INSTANT, NOW, TEXT, TOKEN, author_column, metadata, space_column, uuid_column

proposals = Table(
    "proposals",
    metadata,
    space_column(),
    uuid_column("id", key=True),
    author_column(),
    Column("token_id", UUID(as_uuid=False), nullable=False, server_default=TOKEN),
    Column("verb", TEXT, nullable=False),
    Column("arguments", JSONB, nullable=False),
    Column("before", JSONB, nullable=False, comment="the tasks as they must still be"),
    Column("after", JSONB, nullable=False, comment="the tasks as they would become"),
    Column(
        "state",
        TEXT,
        CheckConstraint("state IN ('open', 'approved', 'rejected')", name="proposals_state"),
        nullable=False,
        server_default=text("'open'"),
    ),
    Column("made_at", INSTANT, nullable=False, server_default=NOW),
    Column("expires_at", INSTANT, nullable=False),
    Column("decided_at", INSTANT),
    Column("decided_by", UUID(as_uuid=False), comment="the user who approved or rejected it"),
    Column("reason", TEXT, comment="why it was rejected"),
    Column("seq", BigInteger, comment="the change that the approval made"),
    Index("proposals_made", "space_id", "made_at", "id"),
)

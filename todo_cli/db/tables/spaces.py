"""Spaces and their members."""

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

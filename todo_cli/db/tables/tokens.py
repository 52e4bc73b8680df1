"""Tokens, of which only the SHA-256 is stored."""

from __future__ import annotations

from sqlalchemy import ARRAY, CheckConstraint, Column, Index, LargeBinary, Table, UniqueConstraint, text

from todo_cli.db.tables.columns import INSTANT, NOW, TEXT, metadata, user_column, uuid_column

tokens = Table(
    "tokens",
    metadata,
    user_column(),
    uuid_column("id", key=True),
    Column("name", TEXT, nullable=False),
    Column("hash", LargeBinary, CheckConstraint("octet_length(hash) = 32", name="tokens_hash"), nullable=False),
    Column("scopes", ARRAY(TEXT), nullable=False),
    Column("kind", TEXT, nullable=False, server_default=text("'token'"), comment="the expiry of a session slides"),
    Column("created_at", INSTANT, nullable=False, server_default=NOW),
    Column("last_used_at", INSTANT),
    Column("expires_at", INSTANT),
    Column("revoked_at", INSTANT),
    UniqueConstraint("user_id", "hash", name="tokens_user_hash"),
    Index("tokens_user_name", "user_id", "name", unique=True, postgresql_where=text("revoked_at IS NULL")),
    postgresql_with={"fillfactor": "70"},
)

"""Passwords, invitations, devices that ask to be signed in, and counts of attempts to sign in."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import UUID

from todo_cli.db.tables.columns import INSTANT, NOW, TEXT, metadata, user_column, uuid_column

passwords = Table(
    "passwords",
    metadata,
    user_column(),
    Column("hash", TEXT, comment="argon2id, as a PHC string; null: a reset code and no password yet"),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
    Column("code_hash", LargeBinary, comment="SHA-256 of a one-time code that sets a new password"),
    Column("code_expires_at", INSTANT),
    Column("used_code_hash", LargeBinary, comment="the code of the last reset, which may be sent again"),
)

invitations = Table(
    "invitations",
    metadata,
    user_column(),
    uuid_column("id", key=True),
    Column("hash", LargeBinary, nullable=False),
    Column("email", TEXT, comment="the only address that may use it; null: any"),
    Column("created_at", INSTANT, nullable=False, server_default=NOW),
    Column("expires_at", INSTANT, nullable=False),
    Column("used_by", UUID(as_uuid=False), comment="the user who registered with it"),
    Column("used_at", INSTANT),
    UniqueConstraint("user_id", "hash", name="invitations_user_hash"),
)

devices = Table(
    "devices",
    metadata,
    Column("hash", LargeBinary, primary_key=True, comment="SHA-256 of the secret that the device keeps"),
    Column("user_code", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("address", TEXT, nullable=False),
    Column("state", TEXT, nullable=False, server_default=text("'pending'")),
    Column("expires_at", INSTANT, nullable=False),
    Column("poll_seconds", Integer, nullable=False, server_default=text("5")),
    Column("polled_at", INSTANT),
    Column("user_id", UUID(as_uuid=False), comment="the user who approved or refused it"),
    Column("token_id", UUID(as_uuid=False), comment="the token with which it was approved"),
    Index("devices_user_code", "user_code", unique=True, postgresql_where=text("state = 'pending'")),
    Index("devices_user", "user_id", postgresql_where=text("user_id IS NOT NULL")),
)

attempts = Table(
    "attempts",
    metadata,
    Column("subject", LargeBinary, primary_key=True, comment="SHA-256 of an account, an address, or both"),
    Column("hits", Integer, nullable=False),
    Column("ends_at", INSTANT, nullable=False, comment="the end of the window that the first attempt opened"),
    Index("attempts_ends", "ends_at"),
    prefixes=["UNLOGGED"],
)

"""Conversations. Their keys and those of all tables below contain the user, so that no user can add to another's."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import UUID

from todo_cli.db.tables.columns import INSTANT, NOW, TEXT, author_column, metadata, space_column, uuid_column

conversations = Table(
    "conversations",
    metadata,
    space_column(),
    author_column(key=True),
    uuid_column("id", key=True),
    Column("number", BigInteger, nullable=False),
    Column("title", TEXT, nullable=False),
    Column("model", TEXT),
    Column("seq", BigInteger, nullable=False, server_default=text("0"), comment="the last message's; 0: none"),
    Column("head", BigInteger, comment="the message that the next one follows; null: the beginning"),
    Column("head_of", UUID(as_uuid=False), comment="the conversation of the head; null: this one"),
    Column("turn_id", UUID(as_uuid=False), comment="the newest turn"),
    Column("created_at", INSTANT, nullable=False, server_default=NOW),
    Column("updated_at", INSTANT, nullable=False, server_default=NOW),
    Column("deleted_at", INSTANT),
    UniqueConstraint("space_id", "user_id", "number", name="conversations_number"),
    Index("conversations_newest", "space_id", "user_id", "updated_at", "number"),
    Index("conversations_trash", "space_id", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    postgresql_with={"fillfactor": "70"},
)

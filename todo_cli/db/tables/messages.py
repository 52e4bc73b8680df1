"""Messages of conversations."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKeyConstraint, Index, Integer, Table, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from todo_cli.db.tables.columns import INSTANT, NOW, TEXT, author_column, metadata, space_column, uuid_column

messages = Table(
    "messages",
    metadata,
    space_column(),
    author_column(key=True),
    uuid_column("conversation_id", key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("parent", BigInteger, comment="the message before; null: none"),
    Column("parent_of", UUID(as_uuid=False), comment="the conversation of the parent; null: this one"),
    uuid_column("turn_id"),
    Column("attempt", Integer, nullable=False),
    Column(
        "role",
        TEXT,
        CheckConstraint("role IN ('user', 'assistant', 'tool', 'summary')", name="messages_role"),
        nullable=False,
    ),
    Column(
        "status",
        TEXT,
        CheckConstraint("status IN ('whole', 'interrupted', 'dead')", name="messages_status"),
        nullable=False,
        server_default=text("'whole'"),
    ),
    Column("content", TEXT, nullable=False),
    Column("calls", JSONB, comment="the tool calls of an assistant's message, in order"),
    Column("call_seq", BigInteger, comment="the assistant's message that a tool result belongs to"),
    Column("call_index", Integer, comment="the position of its tool call there"),
    Column("reaches", BigInteger, comment="the last message that a summary covers"),
    Column("tokens", Integer, nullable=False, comment="an estimate"),
    Column("model", TEXT),
    Column("usage", JSONB),
    Column("at", INSTANT, nullable=False, server_default=NOW),
    ForeignKeyConstraint(
        ["space_id", "user_id", "conversation_id"],
        ["todo.conversations.space_id", "todo.conversations.user_id", "todo.conversations.id"],
    ),
    Index(
        "messages_call",
        "space_id",
        "user_id",
        "conversation_id",
        "call_seq",
        "call_index",
        unique=True,
        postgresql_where=text("call_seq IS NOT NULL"),
    ),
    Index(
        "messages_summary",
        "space_id",
        "user_id",
        "conversation_id",
        "reaches",
        unique=True,
        postgresql_where=text("reaches IS NOT NULL"),
    ),
    Index(
        "messages_words",
        text("todo.message_words(space_id, user_id, role, content)"),
        postgresql_using="gin",
        postgresql_with={"gin_pending_list_limit": "256"},
        postgresql_where=text("role <> 'summary' AND status <> 'dead' AND content <> ''"),
    ),
)

"""Users and their preferences."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, Table, text

from todo_cli.db.tables.columns import INSTANT, NOW, TEXT, metadata, user_column, uuid_column

users = Table(
    "users",
    metadata,
    uuid_column("id", key=True),
    Column("name", TEXT, nullable=False, unique=True),
    Column("login", TEXT, unique=True, comment="the user's own database role, if any"),
    Column("admin", Boolean, nullable=False, server_default=text("false")),
    Column("per_minute", Integer, nullable=False, server_default=text("600"), comment="requests through a server"),
    Column("created_at", INSTANT, nullable=False, server_default=NOW),
    Column("disabled_at", INSTANT),
    Column("tokens_per_day", BigInteger, comment="budget for models; null: no limit"),
    Column("email", TEXT, unique=True, comment="in lower case; null: signs in with tokens only"),
)

preferences = Table(
    "preferences",
    metadata,
    user_column(),
    Column("timezone", TEXT),
    Column("model", TEXT),
    Column("tokens_per_day", BigInteger, comment="the user's own budget for models; null: no limit"),
    Column("show_usage", Boolean, comment="print tokens and cost below answers; null: yes"),
)

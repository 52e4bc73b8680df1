"""The journal: one row per change, inserted in the transaction of its effect and never updated."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, LargeBinary, Table, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from todo_cli.db.tables.columns import INSTANT, NOW, TEXT, TOKEN, author_column, metadata, space_column

changes = Table(
    "changes",
    metadata,
    space_column(),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    author_column(),
    Column("token_id", UUID(as_uuid=False), nullable=False, server_default=TOKEN),
    Column("way", TEXT, nullable=False, server_default=text("todo.current_way()")),
    Column("at", INSTANT, nullable=False, server_default=NOW),
    Column("key", TEXT, comment="idempotency key: the caller's, or minted by the client for one command"),
    Column("request_hash", LargeBinary, nullable=False),
    Column("verb", TEXT, nullable=False),
    Column("request", JSONB, nullable=False),
    Column("before", JSONB, comment="snapshots of the changed tasks, nulls left out"),
    Column("after", JSONB),
    Column("answer", JSONB, comment="the answer, if the change is not one of tasks"),
    Column("undoes", BigInteger, comment="the first seq of the group that this change undoes or redoes"),
    Column("redo", Boolean, nullable=False, server_default=text("false")),
    Column("group_id", UUID(as_uuid=False)),
    Column("turn_id", UUID(as_uuid=False)),
    Column(
        "texts",
        JSONB,
        CheckConstraint("jsonb_typeof(texts) = 'object'", name="changes_texts"),
        comment="by SHA-256: long texts that the change sets or removes; before and after refer to them",
    ),
    UniqueConstraint("space_id", "user_id", "key", name="changes_key"),
    # partial, so that the planner never uses them to look up a key, which would read a user's whole history
    Index("changes_user", "space_id", "user_id", "seq", postgresql_where=text("undoes IS NULL")),
    Index("changes_user_undoes", "space_id", "user_id", "seq", postgresql_where=text("undoes IS NOT NULL")),
    Index("changes_undoes", "space_id", "undoes", "seq", postgresql_where=text("undoes IS NOT NULL")),
    Index("changes_texts", "space_id", "at", postgresql_where=text("texts IS NOT NULL")),
    Index("changes_group", "space_id", "group_id", "seq", postgresql_where=text("group_id IS NOT NULL")),
)

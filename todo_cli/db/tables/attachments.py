"""Files attached to tasks, and the chunks of those that are in the database.

A task lists its files in its own row (`tasks.attachments`), so that the journal, undo and plans treat them as any other
field. A row here says where the bytes are. It outlives its task, so that the sweep finds the objects: no foreign key.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKeyConstraint, Index, Integer, Table, text
from sqlalchemy.dialects.postgresql import BYTEA, UUID

from todo_cli.db.tables.columns import INSTANT, NOW, TEXT, author_column, metadata, uuid_column

attachments = Table(
    "attachments",
    metadata,
    uuid_column("space_id", key=True),
    uuid_column("id", key=True),
    Column("number", BigInteger, nullable=False, comment="the task"),
    author_column(),
    Column("at", INSTANT, nullable=False, server_default=NOW),
    Column("name", TEXT, nullable=False),
    Column("type", TEXT, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", BYTEA, nullable=False),
    Column("place", TEXT, nullable=False, comment="database: in chunks; store: in the object store"),
    Column("incoming", UUID(as_uuid=False), comment="the uploaded object, until the sweep has removed it"),
    Column("object", UUID(as_uuid=False), comment="the verified object"),
    Column("expires_at", INSTANT, nullable=False, comment="when an unfinished upload ends"),
    Column("verified_at", INSTANT, comment="when the bytes were read back; null: unfinished"),
    Column("unused_since", INSTANT, comment="since when the task does not list the file"),
    Column("removing_at", INSTANT, comment="when the sweep began to remove the bytes"),
    CheckConstraint("place IN ('database', 'store')", name="attachments_place"),
    CheckConstraint("size BETWEEN 0 AND 104857600", name="attachments_size"),
    Index(
        "attachments_unsettled",
        "space_id",
        "id",
        postgresql_where=text(
            "verified_at IS NULL OR unused_since IS NOT NULL OR incoming IS NOT NULL OR removing_at IS NOT NULL"
        ),
    ),
)

attachment_chunks = Table(
    "attachment_chunks",
    metadata,
    uuid_column("space_id", key=True),
    uuid_column("attachment_id", key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("data", BYTEA, nullable=False),
    ForeignKeyConstraint(
        ["space_id", "attachment_id"], ["todo.attachments.space_id", "todo.attachments.id"], ondelete="CASCADE"
    ),
)

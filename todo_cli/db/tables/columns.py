"""Column types and columns that many tables share."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, MetaData, Text, text
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID

SCHEMA = "todo"
metadata = MetaData(schema=SCHEMA)

INSTANT = TIMESTAMP(timezone=True)
TEXT = Text(collation="C")
NOW = text("clock_timestamp()")
CALLER = text("todo.current_user_id()")
TOKEN = text("todo.current_token_id()")


def uuid_column(name: str, *, key: bool = False) -> Column[object]:
    """Make a UUID column that is not null."""
    return Column(name, UUID(as_uuid=False), nullable=False, primary_key=key)


def space_column() -> Column[object]:
    """Make the column of the space, with which every key begins."""
    return Column("space_id", UUID(as_uuid=False), ForeignKey("todo.spaces.id"), nullable=False, primary_key=True)


def user_column() -> Column[object]:
    """Make a key column that refers to a user."""
    return Column("user_id", UUID(as_uuid=False), ForeignKey("todo.users.id"), nullable=False, primary_key=True)


def author_column(*, key: bool = False) -> Column[object]:
    """Make the column of the user who inserts the row."""
    return Column("user_id", UUID(as_uuid=False), nullable=False, primary_key=key, server_default=CALLER)

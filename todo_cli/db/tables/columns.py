"""The columns that tables are made of."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, MetaData, Text, text
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID

SCHEMA = "todo"
metadata = MetaData(schema=SCHEMA)

INSTANT = TIMESTAMP(timezone=True)
WORD = Text(collation="C")
NOW = text("clock_timestamp()")


def id_column(name: str, *, key: bool = False) -> Column[object]:
    """A UUID."""
    return Column(name, UUID(as_uuid=False), nullable=False, primary_key=key)


def space_column(*, key: bool = True) -> Column[object]:
    """The space, with which every key begins."""
    return Column("space_id", UUID(as_uuid=False), ForeignKey("todo.spaces.id"), nullable=False, primary_key=key)


def user_column(*, key: bool = True) -> Column[object]:
    """A person."""
    return Column("user_id", UUID(as_uuid=False), ForeignKey("todo.users.id"), nullable=False, primary_key=key)


def owner_column() -> Column[object]:
    """Whose row it is: whoever writes it."""
    return Column("user_id", UUID(as_uuid=False), nullable=False, server_default=text("todo.me()"))

"""Views: each user's saved filters."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Table, text

from todo_cli.db.tables.columns import TEXT, author_column, metadata, space_column

views = Table(
    "views",
    metadata,
    space_column(),
    author_column(key=True),
    Column("name", TEXT, primary_key=True),
    Column("filter", TEXT, nullable=False),
    Column("sort", TEXT),
    Column(
        "is_default", Boolean, nullable=False, server_default=text("false"), comment="used by a list without a filter"
    ),
)

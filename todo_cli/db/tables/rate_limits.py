"""Counts of requests and of failed sign-ins. Unlogged: a crash may forget them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table
from sqlalchemy.dialects.postgresql import UUID

from todo_cli.db.tables.columns import TEXT, metadata

buckets = Table(
    "buckets",
    metadata,
    Column("user_id", UUID(as_uuid=False), primary_key=True),
    Column("slot", Integer, primary_key=True),
    Column("minute", BigInteger, nullable=False),
    Column("hits", BigInteger, nullable=False),
    Column("before", BigInteger, nullable=False, comment="hits of the minute before"),
    prefixes=["UNLOGGED"],
    postgresql_with={"fillfactor": "50"},
)

failures = Table(
    "failures",
    metadata,
    Column("user_id", UUID(as_uuid=False), primary_key=True),
    Column("address", TEXT, primary_key=True),
    Column("minute", BigInteger, nullable=False),
    Column("hits", Integer, nullable=False),
    prefixes=["UNLOGGED"],
)

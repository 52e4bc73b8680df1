"""The recent requests of each user, and counts of failed sign-ins."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from todo_cli.db.tables.columns import INSTANT, TEXT, metadata

recent_requests = Table(
    "recent_requests",
    metadata,
    Column("user_id", UUID(as_uuid=False), primary_key=True),
    Column("policy", TEXT, primary_key=True, comment="user: all requests but turns; chat: turns"),
    Column("moments", ARRAY(INSTANT), nullable=False, comment="of at most a minute, up to the limit, in order"),
    postgresql_with={"fillfactor": "50"},  # room for the next version of a row in its page
)

# Of servers before schema 11. Unlogged, as the failures below: a crash may forget them.
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

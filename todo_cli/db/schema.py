"""The schema as it is now: tables as MetaData, functions in `functions.sql`, roles and policies in `access`.

Every key begins with `space_id`, or with `user_id`, which is the id of that person's own space: the
schema can be sharded by it. Users and the schema's version are reference tables. The migrations say
how an older database gets here; a test holds both ways to the same dump.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    text,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.schema import CreateIndex, CreateTable

from todo_cli.db.policies import CLIENTS, ROLES, ownership, policies, role, timeouts
from todo_cli.db.schema_version import SCHEMA_VERSION
from todo_cli.db.tables import conversations, search, tasks  # noqa: F401  # tasks: its tables join the metadata
from todo_cli.db.tables.columns import INSTANT, NOW, SCHEMA, WORD, id_column, metadata, space_column, user_column

__all__ = ["OLDEST", "SCHEMA", "VERSION", "metadata", "statements"]

schema = Table(
    "schema", metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("oldest", Integer, nullable=False, comment="the oldest client that is still served"),
)  # fmt: skip

users = Table(
    "users", metadata,
    id_column("id", key=True),
    Column("name", WORD, nullable=False, unique=True),
    Column("login", WORD, unique=True, comment="the person's own database role, where there is one"),
    Column("admin", Boolean, nullable=False, server_default=text("false")),
    Column("per_minute", Integer, nullable=False, server_default=text("600"), comment="requests through a server"),
    Column("created_at", INSTANT, nullable=False, server_default=NOW),
    Column("disabled_at", INSTANT),
    Column("tokens_per_day", BigInteger, comment="of the models; null: as many as they like"),
)  # fmt: skip

spaces = Table(
    "spaces", metadata,
    id_column("id", key=True),
    Column("name", WORD, nullable=False),
    Column("next_number", BigInteger, nullable=False, server_default=text("1")),
    Column("seq", BigInteger, nullable=False, server_default=text("0")),
    Column("next_conversation", BigInteger, nullable=False, server_default=text("1")),
    postgresql_with={"fillfactor": "50"},
)  # fmt: skip

members = Table(
    "members", metadata,
    space_column(), user_column(),
    Column("role", WORD, CheckConstraint("role IN ('owner', 'editor', 'viewer')", name="members_role"), nullable=False),
    Index("members_user", "user_id"),
)  # fmt: skip

tokens = Table(
    "tokens", metadata,
    user_column(), id_column("id", key=True),
    Column("name", WORD, nullable=False),
    Column("hash", LargeBinary, CheckConstraint("octet_length(hash) = 32", name="tokens_hash"), nullable=False),
    Column("scopes", ARRAY(WORD), nullable=False),
    Column("kind", WORD, nullable=False, server_default=text("'token'"), comment="a session's expiry slides"),
    Column("created_at", INSTANT, nullable=False, server_default=NOW),
    Column("last_used_at", INSTANT),
    Column("expires_at", INSTANT),
    Column("revoked_at", INSTANT),
    UniqueConstraint("user_id", "hash", name="tokens_user_hash"),
    Index("tokens_user_name", "user_id", "name", unique=True, postgresql_where=text("revoked_at IS NULL")),
    postgresql_with={"fillfactor": "70"},
)  # fmt: skip

preferences = Table(
    "preferences", metadata, user_column(), Column("timezone", WORD), Column("model", WORD), Column("tokens_per_day", BigInteger)
)  # fmt: skip

changes = Table(
    "changes", metadata,
    space_column(), Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("user_id", UUID(as_uuid=False), nullable=False, server_default=text("todo.me()")),
    Column("token_id", UUID(as_uuid=False), nullable=False, server_default=text("todo.token()")),
    Column("way", WORD, nullable=False, server_default=text("todo.way()")),
    Column("at", INSTANT, nullable=False, server_default=NOW),
    Column("key", WORD, comment="the caller's, or minted by the client for one invocation"),
    Column("request_hash", LargeBinary, nullable=False),
    Column("verb", WORD, nullable=False),
    Column("request", JSONB, nullable=False),
    Column("before", JSONB, comment="images of the tasks it names"), Column("after", JSONB),
    Column("answer", JSONB, comment="what a change of something else than tasks answered"),
    Column("undoes", BigInteger), Column("redo", Boolean, nullable=False, server_default=text("false")),
    Column("group_id", UUID(as_uuid=False)), Column("turn_id", UUID(as_uuid=False)),
    UniqueConstraint("space_id", "user_id", "key", name="changes_key"),
    # partial, so that the planner never takes them for the look-up of a key, which would read a user's whole history
    Index("changes_user", "space_id", "user_id", "seq", postgresql_where=text("undoes IS NULL")),
    Index("changes_user_undoes", "space_id", "user_id", "seq", postgresql_where=text("undoes IS NOT NULL")),
    Index("changes_undoes", "space_id", "undoes", "seq", postgresql_where=text("undoes IS NOT NULL")),
    Index("changes_group", "space_id", "group_id", "seq", postgresql_where=text("group_id IS NOT NULL")),
)  # fmt: skip

views = Table(
    "views", metadata,
    space_column(), Column("user_id", UUID(as_uuid=False), primary_key=True, server_default=text("todo.me()")),
    Column("name", WORD, primary_key=True),
    Column("filter", WORD, nullable=False),
    Column("sort", WORD),
    Column("is_default", Boolean, nullable=False, server_default=text("false"), comment="what a list without a filter shows"),
)  # fmt: skip

plans = Table(
    "plans", metadata,
    space_column(), id_column("id", key=True),
    Column("user_id", UUID(as_uuid=False), nullable=False, server_default=text("todo.me()")),
    Column("token_id", UUID(as_uuid=False), nullable=False, server_default=text("todo.token()")),
    Column("verb", WORD, nullable=False), Column("arguments", JSONB, nullable=False),
    Column("targets", JSONB, nullable=False, comment="the tasks it would touch, and the rev each must still have"),
    Column("differences", JSONB, nullable=False),
    Column("state", WORD, CheckConstraint("state IN ('open', 'applied', 'refused')", name="plans_state"),
           nullable=False, server_default=text("'open'")),
    Column("made_at", INSTANT, nullable=False, server_default=NOW),
    Column("expires_at", INSTANT, nullable=False),
    Column("decided_at", INSTANT),
    Index("plans_open", "space_id", "user_id", "made_at", postgresql_where=text("state = 'open'")),
)  # fmt: skip

buckets = Table(
    "buckets", metadata,
    Column("user_id", UUID(as_uuid=False), primary_key=True), Column("slot", Integer, primary_key=True),
    Column("minute", BigInteger, nullable=False), Column("hits", BigInteger, nullable=False),
    Column("before", BigInteger, nullable=False),
    prefixes=["UNLOGGED"], postgresql_with={"fillfactor": "50"},
)  # fmt: skip

failures = Table(
    "failures", metadata,
    Column("user_id", UUID(as_uuid=False), primary_key=True), Column("address", WORD, primary_key=True),
    Column("minute", BigInteger, nullable=False), Column("hits", Integer, nullable=False),
    prefixes=["UNLOGGED"],
)  # fmt: skip

VERSION, OLDEST = SCHEMA_VERSION, 1


def statements() -> list[str]:
    """Every statement that makes this schema in an empty database, in order."""
    from sqlalchemy.dialects import postgresql

    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own
    functions = [
        (Path(__file__).parent / "functions" / name).read_text(encoding="utf-8")
        for name in ("auth.sql", "search.sql", "conversations.sql")
    ]
    bodies = ["SET LOCAL check_function_bodies = off", *"\n\n".join(text.strip() for text in functions).split("\n\n")]
    tables = [str(CreateTable(table).compile(dialect=dialect)).strip() for table in metadata.sorted_tables]
    indexes = [
        str(CreateIndex(index).compile(dialect=dialect)).strip()
        for table in metadata.sorted_tables
        for index in sorted(table.indexes, key=lambda index: str(index.name))
    ]
    comments = [
        f"COMMENT ON COLUMN todo.{table.name}.{column.name} IS '{column.comment.replace(chr(39), chr(39) * 2)}'"
        for table in metadata.sorted_tables
        for column in table.columns
        if column.comment
    ]
    return [
        *[role(name) for name in ROLES],
        # a CREATEROLE owner may give functions only to a role that it is a member of
        "DO $$ BEGIN GRANT todo_auth TO CURRENT_USER; EXCEPTION WHEN unique_violation THEN NULL; END $$",
        "DO $$ BEGIN EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());"
        f" EXECUTE format('GRANT CONNECT ON DATABASE %I TO {CLIENTS}', current_database()); END $$",
        *[timeouts(login) for login in ("todo_server", "todo_worker")],
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "CREATE SCHEMA IF NOT EXISTS todo",
        f"GRANT USAGE ON SCHEMA todo TO todo_auth, {CLIENTS}",
        *_functions_before_tables(bodies),
        *tables,
        *indexes,
        *comments,
        *_functions_after_tables(bodies),
        *search.TRIGGERS,
        *conversations.TRIGGERS,
        *ownership(),
        *policies([table.name for table in metadata.sorted_tables]),
        f"INSERT INTO todo.schema VALUES ({VERSION}, {OLDEST})",
    ]


def _functions_before_tables(bodies: list[str]) -> list[str]:
    # column defaults name these; the others name a table's row type
    return [body for body in bodies if "SETOF todo." not in body]


def _functions_after_tables(bodies: list[str]) -> list[str]:
    return [body for body in bodies if "SETOF todo." in body]


if __name__ == "__main__":
    import sys

    sys.stdout.write(";\n".join(statements()) + ";\n")

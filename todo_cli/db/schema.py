"""The whole schema: the statements that create it in an empty database.

Tables are in `tables/`, functions in `functions/`, roles, policies and grants in `policies.py`. Every key begins with
`space_id`, or with `user_id`, which is the id of the user's personal space, so that the schema can be sharded by it.
The migrations bring an older database to the same schema; a test compares both.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Index
from sqlalchemy.schema import CreateIndex, CreateTable

from todo_cli.db.function_rights import grant_functions
from todo_cli.db.policies import ROLES, SERVICE_LOGINS, create_policies, create_role, grant_schema, set_timeouts
from todo_cli.db.schema_version import SCHEMA_VERSION
from todo_cli.db.tables import (  # noqa: F401  # importing them adds their tables to the metadata
    attachments,
    changes,
    comments,
    conversations,
    jobs,
    messages,
    plans,
    proposals,
    rate_limits,
    search,
    sign_in,
    spaces,
    task_sources,
    tasks,
    tokens,
    turns,
    usage,
    users,
    versions,
    views,
)
from todo_cli.db.tables.columns import SCHEMA, metadata

__all__ = ["OLDEST_CLIENT", "SCHEMA", "metadata", "statements"]

OLDEST_CLIENT = 7

# defaults and generated columns of the tables call the first ones; the others return rows of the tables
FUNCTIONS_BEFORE_TABLES = ("auth", "text")
FUNCTIONS_AFTER_TABLES = (
    "rate_limits",
    "sessions",
    "counters",
    "leases",
    "tokens",
    "token_limits",
    "proposals",
    "acting",
    "accounts",
    "attempts",
    "user_sessions",
    "passwords",
    "invitations",
    "devices",
    "spaces",
    "tasks",
    "attachments",
    "server_stats",
    "views",
    "search",
    "message_search",
    "conversations",
    "usage",
    "channels",
    "jobs",
    "deliveries",
    "titles",
    "erasure",
    "sweep",
    "watchers",
)
MARKER = "-- name: "


def statements() -> list[str]:
    """Return every statement that creates this schema in an empty database, in order."""
    return [
        *[create_role(name) for name in ROLES],
        *[set_timeouts(login) for login in SERVICE_LOGINS],
        *grant_schema(),
        "SET LOCAL check_function_bodies = off",
        *[function for name in FUNCTIONS_BEFORE_TABLES for function in read_functions(name)],
        *_create_tables(),
        *[function for name in FUNCTIONS_AFTER_TABLES for function in read_functions(name)],
        *_create_indexes(),
        *_forbid_statistics(),
        *_comment_columns(),
        *spaces.TRIGGERS,
        *tokens.TRIGGERS,
        *search.TRIGGERS,
        *usage.TRIGGERS,
        *turns.TRIGGERS,
        *tasks.TRIGGERS,
        *jobs.TRIGGERS,
        *grant_functions(),
        *create_policies([table.name for table in metadata.sorted_tables]),
        f"INSERT INTO todo.schema (version, oldest) VALUES ({SCHEMA_VERSION}, {OLDEST_CLIENT})",
    ]


def read_functions(name: str) -> list[str]:
    """Return the statements of one file of `functions/`; each begins at a line `-- name: …`."""
    text = (Path(__file__).parent / "functions" / f"{name}.sql").read_text(encoding="utf-8")
    blocks = f"\n{text}".split(f"\n{MARKER}")[1:]
    return [block.partition("\n")[2].strip().removesuffix(";") for block in blocks]


def _create_tables() -> list[str]:
    return [_compile(CreateTable(table)) for table in metadata.sorted_tables]


def _create_indexes() -> list[str]:
    return [
        _compile(CreateIndex(index))
        for table in metadata.sorted_tables
        for index in sorted(table.indexes, key=lambda index: str(index.name))
    ]


def _forbid_statistics() -> list[str]:
    """Return the statements that keep Postgres from collecting statistics; `estimates.py` has the reason."""
    tables = [
        _set_statistics_to_zero("TABLE", str(table), [column.name for column in table.columns])
        for table in metadata.sorted_tables
    ]
    indexes = [
        _set_statistics_to_zero("INDEX", f"{SCHEMA}.{index.name}", places)
        for table in metadata.sorted_tables
        for index in sorted(table.indexes, key=lambda index: str(index.name))
        if (places := _find_expressions(index))
    ]
    return tables + indexes


def _find_expressions(index: Index) -> list[str]:
    return [str(place) for place, part in enumerate(index.expressions, 1) if not isinstance(part, Column)]


def _set_statistics_to_zero(kind: str, name: str, columns: list[str]) -> str:
    actions = ",\n".join(f"  ALTER COLUMN {column} SET STATISTICS 0" for column in columns)
    return f"ALTER {kind} {name}\n{actions}"


def _compile(statement: CreateTable | CreateIndex) -> str:
    from sqlalchemy.dialects import postgresql

    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own
    lines = str(statement.compile(dialect=dialect)).strip().splitlines()
    return "\n".join(line.rstrip().expandtabs(2) for line in lines if line.strip())


def _comment_columns() -> list[str]:
    return [
        f"COMMENT ON COLUMN todo.{table.name}.{column.name}\n  IS '{column.comment.replace(chr(39), chr(39) * 2)}'"
        for table in metadata.sorted_tables
        for column in table.columns
        if column.comment
    ]


if __name__ == "__main__":
    import sys

    sys.stdout.write(";\n\n".join(statements()) + ";\n")

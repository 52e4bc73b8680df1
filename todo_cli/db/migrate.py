"""Migrate a database to the schema of this release, as its owner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import errors
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from todo_cli.db.blocking_sessions import end_blocking_sessions
from todo_cli.db.errors import translate_error
from todo_cli.db.estimates import find_values, place_estimates
from todo_cli.db.schema_version import SCHEMA_VERSION
from todo_cli.db.time_limits import find_missing_limits, set_missing_limits
from todo_cli.errors import Invalid, TodoError, Unavailable

LOCK_TIMEOUT = "30s"
CREATE_VERSION_TABLE = """
CREATE TABLE IF NOT EXISTS todo.alembic_version (
  version_num varchar(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY)"""


class Status(NamedTuple):
    """Alembic's revisions, and the schema versions that todo.enter() compares."""

    revision: str | None
    head: str
    version: int | None
    oldest: int | None

    @property
    def current(self) -> bool:
        """Whether nothing is left to migrate."""
        return self.revision == self.head and self.version == SCHEMA_VERSION


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _transaction(url: str) -> Iterator[Connection]:
    scheme, _, rest = url.partition("://")
    engine = create_engine(
        f"{scheme.split('+')[0].replace('postgres', 'postgresql', scheme == 'postgres')}+psycopg://{rest}",
        poolclass=NullPool,
    )
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise _translate(error) from error
    finally:
        engine.dispose()


def _translate(error: DBAPIError) -> TodoError:
    if not isinstance(error.orig, psycopg.Error):
        return Unavailable("the database could not be migrated")
    if error.orig.sqlstate == "55P03":
        # requests would wait behind a waiting migration, so the migration gives up first; nothing was changed
        return Unavailable(
            "another connection holds the database's tables or migrates it; nothing was changed",
            hint="try again in a moment, or end idle transactions too: todo db migrate --end-sessions",
        )
    return translate_error(error.orig)


def migrate(url: str, *, end_sessions: bool = False) -> Status:
    """Upgrade to the schema of this release in one transaction; several may start at once.

    With `end_sessions`, end sessions that idle in a transaction and hold locks that the upgrade needs.
    """
    _raise_for_encoding(url)
    _create_version_table(url)
    with _transaction(url) as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        waiting = connection.scalar(text("SELECT pg_backend_pid()")) or 0
        with end_blocking_sessions(url, waiting) if end_sessions else nullcontext():
            # one migration at a time; clients can take advisory locks, and no lock on this table
            connection.execute(text("LOCK TABLE todo.alembic_version IN SHARE ROW EXCLUSIVE MODE"))
            command.upgrade(_config(connection), "head")
            place_estimates(connection)
            set_missing_limits(connection)
        return _status(connection)


def _create_version_table(url: str) -> None:
    """Create Alembic's own table as Alembic does, unless it exists, so that the first migration can lock it."""
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            connection.execute("CREATE SCHEMA IF NOT EXISTS todo")
            connection.execute(CREATE_VERSION_TABLE)
    except (errors.UniqueViolation, errors.DuplicateTable, errors.DuplicateSchema):
        pass  # another migration has created it at this instant
    except psycopg.Error as error:
        raise translate_error(error) from error


def _raise_for_encoding(url: str) -> None:
    """Raise Invalid unless the database stores Unicode: SQL_ASCII keeps any bytes and gives back no text."""
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            encoding = connection.info.parameter_status("server_encoding")
    except psycopg.Error as error:
        raise translate_error(error) from error
    if encoding != "UTF8":
        raise Invalid(
            f"the database has the encoding {encoding}, and todo needs UTF8; nothing was changed",
            hint="create another one: createdb --encoding UTF8 --template template0 NAME",
        )


def status(url: str) -> Status:
    """Return the database's revision and version without changing it."""
    with _transaction(url) as connection:
        return _status(connection)


def differences(url: str) -> list[str]:
    """Return the differences between the database and the metadata, statistics too many, and time limits too few."""
    from alembic.autogenerate import compare_metadata

    from todo_cli.db.schema import SCHEMA, metadata

    def is_compared(element: object, name: str | None, kind: str, *_: object) -> bool:
        return not (kind == "table" and name == "alembic_version")

    with _transaction(url) as connection:
        options = {
            "include_schemas": True,
            "version_table_schema": SCHEMA,
            "include_object": is_compared,
            "include_name": lambda name, kind, _: kind != "schema" or name == SCHEMA,
        }
        context = MigrationContext.configure(connection, opts=options)
        tables = map(str, compare_metadata(context, metadata))
        return [*tables, *find_values(connection), *find_missing_limits(connection)]


def _status(connection: Connection) -> Status:
    context = MigrationContext.configure(connection, opts={"version_table_schema": "todo"})
    head = ScriptDirectory.from_config(_config(connection)).get_current_head() or ""
    revision = context.get_current_revision()
    if revision is None:
        return Status(None, head, None, None)
    version, oldest = connection.execute(text("SELECT version, oldest FROM todo.schema")).one()
    return Status(revision, head, version, oldest)

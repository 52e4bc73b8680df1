"""Migrate a database to the schema of this release, as its owner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from todo_cli.db.errors import translate_error
from todo_cli.db.estimates import find_values, place_estimates
from todo_cli.db.schema_version import SCHEMA_VERSION
from todo_cli.errors import Invalid, TodoError, Unavailable

ADVISORY_LOCK = 0x746F646F  # "todo": one migration at a time in a database
LOCK_TIMEOUT = "30s"


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
            "another connection holds the database's tables or migrates it", hint="try again in a moment"
        )
    return translate_error(error.orig)


def migrate(url: str) -> Status:
    """Upgrade to the schema of this release in one transaction; several may start at once."""
    _raise_for_encoding(url)
    with _transaction(url) as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS todo"))
        command.upgrade(_config(connection), "head")
        place_estimates(connection)
        return _status(connection)


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
    """Return the differences between the database and the metadata, and the statistics that should not be there."""
    from alembic.autogenerate import compare_metadata

    from todo_cli.db.schema import SCHEMA, metadata

    def is_compared(thing: object, name: str | None, kind: str, *_: object) -> bool:
        return not (kind == "table" and name == "alembic_version")

    with _transaction(url) as connection:
        options = {
            "include_schemas": True,
            "version_table_schema": SCHEMA,
            "include_object": is_compared,
            "include_name": lambda name, kind, _: kind != "schema" or name == SCHEMA,
        }
        context = MigrationContext.configure(connection, opts=options)
        return [*map(str, compare_metadata(context, metadata)), *find_values(connection)]


def _status(connection: Connection) -> Status:
    context = MigrationContext.configure(connection, opts={"version_table_schema": "todo"})
    head = ScriptDirectory.from_config(_config(connection)).get_current_head() or ""
    revision = context.get_current_revision()
    if revision is None:
        return Status(None, head, None, None)
    version, oldest = connection.execute(text("SELECT version, oldest FROM todo.schema")).one()
    return Status(revision, head, version, oldest)

"""A user with psql cannot bar `todo db migrate`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from psycopg import errors

from tests.conftest import Database
from tests.support.connections import Raw, signed
from todo_cli.db.blocking_sessions import end_blocking_sessions
from todo_cli.db.migrate import migrate

ADVISORY_LOCKS = (1953457263, 0, 1, -1, 2**63 - 1)


@pytest.fixture
def holder(fresh_db: Database) -> Iterator[Raw]:
    """Somebody's own login, which has lifted its limits."""
    with closing(signed(fresh_db.person())) as connection:
        for name in ("idle_in_transaction_session_timeout", "statement_timeout", "lock_timeout"):
            connection.execute(f"SET {name} = 0")
        yield connection


def test_advisory_locks_of_a_client_do_not_bar_a_migration(fresh_db: Database, holder: Raw) -> None:
    for number in ADVISORY_LOCKS:
        holder.execute("SELECT pg_advisory_lock(%s)", [number])
    holder.execute("SELECT pg_advisory_lock(classid::int, objid::int) FROM pg_locks WHERE locktype = 'advisory'")
    assert migrate(fresh_db.owner_url).current


def test_no_client_locks_the_table_that_a_migration_locks_first(fresh_db: Database, holder: Raw) -> None:
    with pytest.raises(errors.InsufficientPrivilege), holder.transaction():
        holder.execute("LOCK TABLE todo.alembic_version IN ACCESS SHARE MODE")
    assert migrate(fresh_db.owner_url).current


@pytest.mark.parametrize("end_sessions", [False, True])
def test_idle_transaction_in_the_way_is_ended_where_the_operator_asks_for_it(
    fresh_db: Database, holder: Raw, end_sessions: bool
) -> None:
    """An upgrade that alters a table waits for every transaction that has read it."""
    holder.autocommit = False
    holder.execute("SELECT title FROM todo.tasks")
    with psycopg.connect(fresh_db.owner_url) as owner:
        owner.execute("SET lock_timeout = '2s'")
        alter = "ALTER TABLE todo.tasks ADD COLUMN brand_new text"
        if not end_sessions:
            with pytest.raises(errors.LockNotAvailable):
                owner.execute(alter)
            return
        with end_blocking_sessions(fresh_db.owner_url, owner.info.backend_pid):
            owner.execute("SET lock_timeout = '30s'")
            owner.execute(alter)
    with pytest.raises(psycopg.OperationalError):
        holder.execute("SELECT 1")


def test_migrate_with_end_sessions_leaves_other_sessions_alone(fresh_db: Database, holder: Raw) -> None:
    assert migrate(fresh_db.owner_url, end_sessions=True).current
    assert holder.execute("SELECT 1").fetchone() == (1,)

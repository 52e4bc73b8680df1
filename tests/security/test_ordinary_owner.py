"""`todo db migrate --end-sessions` by an owner who is no superuser, as on a hosted Postgres."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tests.conftest import Database
from tests.support.connections import signed
from todo_cli.db.blocking_sessions import end_blocking_sessions
from todo_cli.db.migrate import migrate
from todo_cli.local_postgres.cluster import LocalPostgres

LOGINS = "todo_person, todo_server, todo_worker"


@pytest.fixture
def hosted_db(postgres: LocalPostgres, template: str) -> Iterator[Database]:
    """A database whose owner may create roles and is no superuser. The roles of todo exist, so it administers them."""
    name, password = f"plain{uuid4().hex[:8]}", uuid4().hex
    with psycopg.connect(postgres.owner_url("postgres"), autocommit=True) as superuser:
        # before Postgres 16 an administrator of a role always has its rights, too
        rights = "WITH ADMIN TRUE, INHERIT FALSE" if superuser.info.server_version >= 160_000 else "WITH ADMIN OPTION"
        for statement in (
            f"CREATE ROLE {name} LOGIN CREATEROLE NOSUPERUSER PASSWORD '{password}'",
            f"GRANT todo_auth TO {name} WITH ADMIN OPTION",
            f"GRANT {LOGINS} TO {name} {rights}",
            f"CREATE DATABASE {name} OWNER {name}",
        ):
            superuser.execute(sql.SQL(statement))  # type: ignore[arg-type]  # names that this test has made
        yield Database(postgres.url(name, password, name), "", lambda login, secret: postgres.url(login, secret, name))
        superuser.execute(sql.SQL(f"DROP DATABASE {name} WITH (FORCE)"))  # type: ignore[arg-type]
        for statement in (f"GRANT {name} TO CURRENT_USER", f"DROP OWNED BY {name} CASCADE", f"DROP ROLE {name}"):
            superuser.execute(sql.SQL(statement))  # type: ignore[arg-type]


@pytest.mark.parametrize("holder", ["a user", "a server"])
def test_ordinary_owner_migrates_and_ends_the_idle_session_in_the_way(
    hosted_db: Database, template: str, holder: str
) -> None:
    assert migrate(hosted_db.owner_url).current
    url = hosted_db.address("todo_server", "server-password")
    with closing(signed(hosted_db.person()) if holder == "a user" else psycopg.connect(url)) as session:
        session.rollback()
        session.autocommit = True
        session.execute("SET idle_in_transaction_session_timeout = 0")
        session.autocommit = False
        session.execute("SELECT title FROM todo.tasks WHERE false")
        with (
            psycopg.connect(hosted_db.owner_url) as owner,
            end_blocking_sessions(hosted_db.owner_url, owner.info.backend_pid),
        ):
            owner.execute("SET lock_timeout = '30s'")
            owner.execute("ALTER TABLE todo.tasks ADD COLUMN brand_new text")
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")

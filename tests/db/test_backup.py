"""A dump that is restored elsewhere has every row, right, policy and time limit, and lets its users in."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import Database, Todo
from todo_cli.contract.base import Secret
from todo_cli.db.migrate import differences, migrate
from todo_cli.db.owner import open_owner_session
from todo_cli.db.policies import ROLES, create_role
from todo_cli.local_postgres.binaries import OWNER
from todo_cli.local_postgres.cluster import LocalPostgres

BOSS = "boss"
"""An owner of databases who may create roles and databases, and is no superuser; also the password."""

TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'todo'::regnamespace AND relkind = 'r' ORDER BY 1"
RIGHTS = {
    "tables": """SELECT relname, relrowsecurity, relacl::text[] FROM pg_class
                  WHERE relnamespace = 'todo'::regnamespace AND relkind IN ('r', 'v') ORDER BY 1""",
    "columns": """SELECT attrelid::regclass::text, attname, attacl::text[] FROM pg_attribute
                   WHERE attacl IS NOT NULL AND attrelid::regclass::text LIKE 'todo.%' ORDER BY 1, 2""",
    "policies": "SELECT tablename, policyname, roles::text[], cmd, qual, with_check FROM pg_policies ORDER BY 1, 2",
    "functions": """SELECT p.oid::regprocedure::text, r.rolname, p.proacl::text[], p.prosecdef FROM pg_proc p
                     JOIN pg_roles r ON r.oid = p.proowner WHERE pronamespace = 'todo'::regnamespace ORDER BY 1""",
    "schema": "SELECT nspacl::text[] FROM pg_namespace WHERE nspname = 'todo'",
    "time limits": """SELECT r.rolname, s.setconfig FROM pg_db_role_setting s
                       JOIN pg_roles r ON r.oid = s.setrole JOIN pg_database d ON d.oid = s.setdatabase
                      WHERE d.datname = current_database() AND r.rolname LIKE 'todo%' ORDER BY 1""",
}


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[LocalPostgres]:
    """Another Postgres, on which BOSS has created the roles."""
    home = Path(tempfile.mkdtemp(prefix="todo-restored-"))
    home.chmod(0o755)  # as root the server runs as another account
    cluster = LocalPostgres(home / "pg")
    cluster.ensure()
    with psycopg.connect(cluster.owner_url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {BOSS} LOGIN CREATEROLE CREATEDB PASSWORD '{BOSS}'")
        for name in ("managed", "restored"):
            connection.execute(f"CREATE DATABASE {name} OWNER {BOSS} TEMPLATE template0 ENCODING 'UTF8'")
    with psycopg.connect(cluster.url(BOSS, BOSS, "managed")) as connection:
        for role in ROLES:
            connection.execute(create_role(role))  # type: ignore[arg-type]
    yield cluster
    cluster.destroy()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def run(elsewhere: LocalPostgres) -> Callable[..., str]:
    """Run a program of Postgres to its end, and return its output."""

    def run(program: str, *arguments: str | Path, ignore_errors: bool = False) -> str:
        command = [str(elsewhere.bindir() / program), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ignore_errors or done.returncode == 0, done.stderr
        return done.stdout

    return run


def count_rows(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        names = [name for (name,) in connection.execute(TABLES)]
        return {name: connection.execute(f"SELECT count(*) FROM todo.{name}").fetchone()[0] for name in names}  # type: ignore[arg-type,index]


def read_rights(url: str) -> dict[str, list[Any]]:
    with psycopg.connect(url) as connection:
        return {kind: connection.execute(query).fetchall() for kind, query in RIGHTS.items()}


def test_dump_restored_by_a_superuser_has_all_rows_and_rights(
    fresh_db: Database,
    elsewhere: LocalPostgres,
    postgres: LocalPostgres,
    as_person: Callable[..., Todo],
    run: Callable[..., str],
    tmp_path: Path,
) -> None:
    migrate(fresh_db.owner_url)  # sets the time limits, which a copy by CREATE DATABASE lacks
    ada, bob = fresh_db.person(), fresh_db.person()
    as_person(ada, "direct")("add", "Keep this", "--remind", "1h before", "--due", "2030-01-07")
    as_person(bob, "direct")("add", "Bob's own")
    source = fresh_db.owner_url
    name = psycopg.conninfo.conninfo_to_dict(source)["dbname"]
    run("pg_dump", "-Fc", "-f", tmp_path / "todo.dump", source)
    roles = run("pg_dumpall", "--roles-only", "-d", postgres.owner_url("postgres"))
    (tmp_path / "roles.sql").write_text(roles)

    # the roles that exist already are no errors
    run("psql", "-q", "-f", tmp_path / "roles.sql", elsewhere.owner_url("postgres"), ignore_errors=True)
    password = postgres.secret("owner")  # it came with the roles

    def restored_url(login: str, secret: str) -> str:
        return elsewhere.url(login, secret, str(name))

    target = restored_url(OWNER, password)
    maintenance = elsewhere.url(OWNER, password, "postgres")
    run("pg_restore", "--create", "--exit-on-error", "-d", maintenance, tmp_path / "todo.dump")
    with psycopg.connect(maintenance) as connection:
        connection.execute(f"ALTER ROLE {OWNER} PASSWORD '{elsewhere.secret('owner')}'")
    target = restored_url(OWNER, elsewhere.secret("owner"))
    assert migrate(target).current
    assert differences(target) == []
    assert count_rows(target) == count_rows(source)
    assert read_rights(target) == read_rights(source)
    login = psycopg.conninfo.conninfo_to_dict(ada.database_url)
    direct = {"TODO_DATABASE_URL": restored_url(str(login["user"]), str(login["password"]))}
    listed = as_person(ada, "direct")("list", "--json", env=direct)
    assert [task["title"] for task in listed.json["tasks"]] == ["Keep this"]
    with psycopg.connect(restored_url("todo_server", "server-password")):
        pass


def test_dump_restored_by_an_owner_without_superusers_rights_has_all_rows_and_rights(
    elsewhere: LocalPostgres, bare: Todo, run: Callable[..., str], tmp_path: Path
) -> None:
    source, target = (elsewhere.url(BOSS, BOSS, name) for name in ("managed", "restored"))
    migrate(source)
    with open_owner_session(source) as work:
        user_id, token = work.create_user("ada", admin=True, zone=None)
        login = work.create_login(user_id, Secret("secret"))
    signed_in = {"TODO_DATABASE_URL": elsewhere.url(login, "secret", "managed"), "TODO_TOKEN": token.reveal()}
    assert bare("add", "Keep this", env=signed_in).code == 0
    dump = tmp_path / "todo.dump"
    run("pg_dump", "-Fc", "-f", dump, source)

    migrate(target)  # creates the roles where they are missing, and sets the time limits
    prepare = ("DROP SCHEMA todo CASCADE", "CREATE SCHEMA todo", "GRANT CREATE ON SCHEMA todo TO todo_auth")
    run("psql", "-q", *(f"--command={statement}" for statement in prepare), target)
    contents = [line for line in run("pg_restore", "-l", dump).splitlines() if " SCHEMA - todo " not in line]
    (tmp_path / "contents").write_text("\n".join(contents))
    run("pg_restore", "-L", tmp_path / "contents", "--single-transaction", "-d", target, dump)
    run("psql", "-q", "--command=REVOKE CREATE ON SCHEMA todo FROM todo_auth", target)
    assert migrate(target).current
    assert differences(target) == []
    assert count_rows(target) == count_rows(source)
    rights, former = read_rights(target), read_rights(source)
    # a login of a person has its time limits for one database: they are set with its password
    assert {kind: rights[kind] for kind in rights if kind != "time limits"} == {
        kind: former[kind] for kind in former if kind != "time limits"
    }
    assert [row for row in rights["time limits"] if row[0] in ("todo_server", "todo_worker")] == [
        row for row in former["time limits"] if row[0] in ("todo_server", "todo_worker")
    ]
    restored = signed_in | {"TODO_DATABASE_URL": elsewhere.url(login, "secret", "restored")}
    assert [task["title"] for task in bare("list", "--json", env=restored).json["tasks"]] == ["Keep this"]


def test_migrate_sets_the_time_limits_that_a_restored_database_lacks(fresh_db: Database) -> None:
    # a copy by CREATE DATABASE has no settings of roles, as a dump restored without --create has none
    assert [line for line in differences(fresh_db.owner_url) if "time" in line] == [
        f"the login {login} has no {limit} in this database; set it with: todo db migrate"
        for login in ("todo_server", "todo_worker")
        for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    ]
    migrate(fresh_db.owner_url)
    assert differences(fresh_db.owner_url) == []

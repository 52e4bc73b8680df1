"""Servers of former releases go on working over the schema of this one, beside servers of this release.

`test_each_migration_only_adds` holds for every migration since the oldest release that the database serves: whatever a
server of that time names is still there, with the same type and the same rights. The long test runs those servers:
their code comes from the history of the repository, where there is one.
"""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory

from tests.conftest import BARE, COMMAND, Database, Server, Todo, _answers, free_port, wait_for
from tests.support.new_databases import create_database
from tests.support.source_tree import ROOT
from todo_cli.db.migrate import _config, _create_version_table, _transaction
from todo_cli.db.schema import OLDEST_CLIENT
from todo_cli.db.schema_version import SCHEMA_VERSION
from todo_cli.local_postgres.cluster import LocalPostgres

MIGRATIONS = "todo_cli/db/migrations/versions"
CLIENT_ROLES = "ARRAY['todo_server', 'todo_worker', 'todo_person']"

THINGS = {
    "column": """
SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
  FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relnamespace = 'todo'::regnamespace AND c.relkind = 'r' AND c.relname <> 'alembic_version'""",
    "function": f"""
SELECT r.rolname || ' calls ' || p.oid::regprocedure || ' -> ' || pg_get_function_result(p.oid)
  FROM pg_proc p CROSS JOIN pg_roles r
 WHERE p.pronamespace = 'todo'::regnamespace AND p.prokind = 'f' AND r.rolname = ANY ({CLIENT_ROLES})
   AND has_function_privilege(r.oid, p.oid, 'EXECUTE')""",
    "right": f"""
SELECT r.rolname || ' may ' || x.privilege || ' ' || c.relname || '.' || a.attname
  FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 CROSS JOIN pg_roles r CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE')) AS x(privilege)
 WHERE c.relnamespace = 'todo'::regnamespace AND c.relkind = 'r' AND r.rolname = ANY ({CLIENT_ROLES})
   AND has_column_privilege(r.oid, c.oid, a.attnum, x.privilege)""",
}
"""What the statements of a client name, each as a line that says all that matters of it."""

REQUIRED_COLUMNS = f"""
SELECT c.relname || '.' || a.attname
  FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relnamespace = 'todo'::regnamespace AND c.relkind = 'r' AND a.attnotnull AND NOT a.atthasdef
   AND a.attidentity = ''
   AND EXISTS (
     SELECT FROM pg_roles r WHERE r.rolname = ANY ({CLIENT_ROLES})
        AND has_any_column_privilege(r.oid, c.oid, 'INSERT'))"""


@pytest.fixture
def empty(postgres: LocalPostgres) -> Iterator[str]:
    yield from create_database(postgres)


def read_lines(url: str, query: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {line for (line,) in connection.execute(query)}


def test_each_migration_only_adds(empty: str) -> None:
    _create_version_table(empty)
    with _transaction(empty) as connection:
        scripts = ScriptDirectory.from_config(_config(connection))
        revisions = sorted(script.revision for script in scripts.walk_revisions())
    states = []
    for revision in [revision for revision in revisions if int(revision) >= OLDEST_CLIENT]:
        with _transaction(empty) as connection:
            command.upgrade(_config(connection), revision)
        named = {kind: read_lines(empty, query) for kind, query in THINGS.items()}
        states.append((revision, named, read_lines(empty, REQUIRED_COLUMNS)))
    for (_, former, formerly_required), (revision, named, required) in pairwise(states):
        for kind, things in former.items():
            assert things <= named[kind], f"migration {revision} takes a {kind} away: {things - named[kind]}"
        new = required - formerly_required
        known_tables = {thing.partition(".")[0] for thing in former["column"]}
        demanded = {column for column in new if column.partition(".")[0] in known_tables}
        assert not demanded, f"migration {revision} demands {demanded} of older servers"


def read_releases() -> dict[int, str]:
    """Return the newest commit of each former schema version whose migrations are those of today."""
    today = _read_migrations("HEAD")
    releases: dict[int, str] = {}
    for commit in _git("log", "--format=%H", "--", "todo_cli/db/schema_version.py").split():
        found = re.search(r"SCHEMA_VERSION = (\d+)", _git("show", f"{commit}:todo_cli/db/schema_version.py"))
        version = int(found[1]) if found else SCHEMA_VERSION
        is_wanted = OLDEST_CLIENT <= version < SCHEMA_VERSION and version not in releases
        if is_wanted and _read_migrations(commit).items() <= today.items():
            releases[version] = commit
    return releases


def _read_migrations(commit: str) -> dict[str, str]:
    lines = _git("ls-tree", commit, f"{MIGRATIONS}/").splitlines()
    entries = [line.split() for line in lines if line.endswith(".sql")]
    return {path: blob for _, _, blob, path in entries}


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def start_release(commit: str, directory: Path, database: Database) -> Server:
    """Start the server of a former commit."""
    archive = subprocess.run(["git", "archive", commit, "todo_cli"], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(directory, filter="data")
    port, log = free_port(), directory / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [*COMMAND, "serve", "--port", str(port)],
            env=BARE
            | {
                "HOME": str(directory),
                "PYTHONPATH": str(directory),
                "TODO_SERVER_DATABASE_URL": database.server_url,
            },
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            text=True,
        )
    server = Server(f"http://127.0.0.1:{port}", process, log)
    wait_for(lambda: _answers(server), str(log), timeout=60)
    return server


@pytest.mark.long
def test_servers_of_former_releases_work_beside_this_one(
    fresh_db: Database, make_server: Callable[..., Server], as_person: Callable[..., Any], tmp_path: Path
) -> None:
    """Each works with its own client, and the former client also with this server."""
    releases = read_releases()
    if not releases:
        pytest.skip("there is no history of the repository here")
    new = make_server(fresh_db)
    for version, commit in sorted(releases.items()):
        old = start_release(commit, tmp_path / str(version), fresh_db)
        try:
            _work_on_both(fresh_db, as_person, tmp_path / str(version), old.url, new.url)
        finally:
            old.stop()
        print(f"schema {version} ({commit[:7]}) works beside {SCHEMA_VERSION}")


def _work_on_both(db: Database, as_person: Callable[..., Todo], release: Path, old_url: str, new_url: str) -> None:
    person = db.person()
    todo = as_person(person, "api", url=new_url)
    env = todo.environment({"PYTHONPATH": str(release)})

    def old(*arguments: str, url: str = old_url) -> str:
        """Run the command of the former release."""
        done = subprocess.run(
            [*COMMAND, *arguments],
            env=env | {"TODO_SERVER": url},
            cwd=release,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def new(*arguments: str) -> str:
        done = todo(*arguments)
        assert done.code == 0, done.err
        return done.out

    old("add", "Pay rent tomorrow 9am #home @phone p1", "--every", "every month", "--key", "rent")
    old("add", "Pay rent tomorrow 9am #home @phone p1", "--every", "every month", "--key", "rent", url=new_url)
    assert new("list").count("Pay rent") == old("list").count("Pay rent") == 1
    new("edit", "1", "--note", "long " * 200, "--remind", "1h before")
    old("edit", "1", "--title", "Pay the rent")
    shown = new("show", "1")
    assert "Pay the rent" in shown
    assert "1h before" in shown, "an older server drops nothing that it does not know"
    new("done", "1")  # the next occurrence
    old("done", "2")
    assert "long long" in new("show", "3")
    old("add", "Plain")
    old("done", "4")
    new("undo")
    assert "Plain" in old("list")
    old("undo", url=new_url)
    assert "Plain" not in new("list")
    assert "rent" in old("search", "rent")
    old("rm", "1")
    new("restore", "1")
    assert "Pay the rent" in old("list", url=new_url)

"""A migrated database is the same as one that the statements of `schema.py` create, and its rights are narrow."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import Database, Todo
from tests.support.connections import Line
from tests.support.new_databases import create_database
from todo_cli.contract.base import Secret
from todo_cli.contract.tasks import AddTask, EditTasks
from todo_cli.db.function_rights import CLIENTS, FUNCTIONS
from todo_cli.db.migrate import differences, migrate, status
from todo_cli.db.owner import open_owner_session
from todo_cli.db.policies import POLICIES, ROLES
from todo_cli.db.schema import OLDEST_CLIENT, metadata, statements
from todo_cli.db.schema_version import SCHEMA_VERSION
from todo_cli.db.urls import as_login
from todo_cli.errors import Unavailable
from todo_cli.local_postgres.cluster import LocalPostgres

# keyed by something other than a space or a user: small tables, of which each shard would have a copy
REFERENCE = {
    "users": "users are looked up by name",
    "spaces": "its key is the space's id itself",
    "schema": "one row: which clients this database serves",
    "alembic_version": "Alembic's own, for its owner only",
    "devices": "a device belongs to nobody before a user approves it; its row lives for ten minutes",
    "attempts": "an attempt to sign in may name no user",
}
OWN = "n.nspname = 'todo'"
# Postgres lets a procedure with definer rights or settings of its own not commit; it reads no table
COMMITTING = "todo.limit_request(uuid,text,text)"
# an index of words, each of which begins with a mark of the space and the user (tests/db/test_search.py), and the one by
# which workers find due jobs of all spaces: no client reads that table
INDEXES_WITHOUT_AN_OWNER = {("messages", "messages_words"), ("jobs", "jobs_due")}


@pytest.fixture(scope="module")
def migrated(postgres: LocalPostgres) -> Iterator[str]:
    yield from create_database(postgres, prepare=migrate)


@pytest.fixture(scope="module")
def created(postgres: LocalPostgres) -> Iterator[str]:
    """A database that the statements of schema.py have created."""
    yield from create_database(postgres, prepare=_execute)


@pytest.fixture
def empty(postgres: LocalPostgres) -> Iterator[str]:
    yield from create_database(postgres)


def _execute(url: str) -> None:
    with psycopg.connect(url) as connection:
        for statement in statements():
            connection.execute(statement)


def _rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def _dump(postgres: LocalPostgres, url: str) -> list[str]:
    command = [str(postgres.bindir() / "pg_dump"), "--schema-only", "--exclude-table=todo.alembic_version", url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line for line in text.splitlines() if line and not line.startswith(("--", "\\"))]


def test_migrated_database_has_the_tables_of_the_metadata(migrated: str, created: str) -> None:
    assert differences(migrated) == []
    assert differences(created) == []
    assert status(migrated).current


def test_migrated_and_created_databases_have_the_same_dump(
    postgres: LocalPostgres, migrated: str, created: str
) -> None:
    """Tables, indexes, functions and their owners, policies, grants."""
    dump = _dump(postgres, migrated)
    assert dump == _dump(postgres, created)
    text = "\n".join(dump)
    for word in (
        "CREATE POLICY",
        "ENABLE ROW LEVEL SECURITY",
        "OWNER TO todo_auth",
        "GRANT SELECT(",
        "SECURITY DEFINER",
    ):
        assert word in text


# Migrations are frozen: each keeps the hash with which it came. A change of the schema is a new migration.
FROZEN = {
    "0001_initial.sql": "9a5973ff1f9be20b5adf01ba42d7c6bb50ab9adb0d0ea71ba4d11500a4680383",
    "0002_search_stems.sql": "ed31a3a88e80aac24c564713452e6cffd207b5303bd4da252d417581a04ded3a",
    "0003_no_statistics.sql": "473e63ca8452684cf26320571e449484471c04d58d5842836623cfdc8f3cb5a4",
    "0004_server_walls.sql": "749faeb06a594fa2c2cf134ac258a311431a583c46f0823dac8e90b75ad9f0e6",
    "0005_recent_usage.sql": "3cdc68fb8bec2e7168ec1dfdfbef791eed21b51c64d80477a90a0a0c41699ba9",
    "0006_deferred_tasks.sql": "852adad76cb1abfb55ccc60d69d0dc61fdb093d6ebcf9a0e31adbb0126d9488d",
    "0007_counters.sql": "2e016467746c79528ce7fb63b92422c4ce2736722955c58f73c2405994c1e373",
    "0008_token_tree.sql": "f4380eca98ecd19343c7e2ea90827d051edcde4b980f73be3dca51382b398f6a",
    "0009_show_usage.sql": "a41dac26571ddf8e7d3d4ae5620d32b40ba16f3341d57063eb8225135a05611d",
    "0010_preferences.sql": "56357eb4dcb51f3fe9dd81230a7a53be553dfd9cfed51317ac5e6500137949a5",
    "0011_exact_rate_limit.sql": "15134eee4ee47fad2fa08abc67310176236e146ecafd58fa7dac9ab4f8603dd9",
    "0012_sign_in.sql": "dbfbea63dd06f0a4fc741aabd6b03696b3bcd675616b3f51828d5748f567afda",
    "0013_space_versions.sql": "bab083eb69d47c86a936650de8619a7f73b34bfeacb2c2af9a68faf014eedb31",
    "0014_attachments.sql": "f068a73d7edd592b3a85dccb3b8e7f01e69d3e99d0baa2ff6397263ecbbf2d60",
    "0015_acting.sql": "1f66a35590fc531bbde3449e81c621b8c853bde36c96150e0d4b3acf633f8bf4",
    "0016_jobs.sql": "00ab4f9bb85be96a909a2cdd610c27b6a3aed1d889ce1a2ea95f2aca747e0608",
    "0017_journal_texts.sql": "546cdcf61855602687381e54ac9731e12cbc456aa05f1571a99d66c590be3bd2",
    "0018_server_stats.sql": "2e2a0b42fce0062f7abf9c8c5831e198ccf29040a652b78c4166e2caba96d9f6",
    "0019_job_figures.sql": "a94f1c7ba3a2396dbb14c68dbf4887d3e572ced00b77ae8cb66ea2a61bf9e3be",
    "0020_set_rate_limit.sql": "ad06cacb2aa8bb7b9d88e2d46ea70fb66c979e45a9e9def8d71b115f023cfec6",
    "0021_retention.sql": "0db97c6c092e055ada2159c6c9a94a8fdba87043ed94411c09c31e40fbe9cfec",
    "0022_fences.sql": "c482f7f18305b54478c62140d7f7dae3e718f4cda749574cab54d26e3ca242f0",
    "0023_token_limits.sql": "eb92b50af3324ada6b25b806be580d8a48189a4cf4ece0b931e965d4eae09212",
    "0024_task_sources.sql": "c4e0e8f086e06a1f5c1f43235beb6d4c44d930fe3a79057c032fd02df1652eac",
    "0025_limited_reads.sql": "7e6ed733905c6b2025ff996baa806f3ad03c202d54c586835efe7615a1a30e93",
    "0026_reminders_at_once.sql": "10064b70d925e6ee17a8a3405af915fc9b8c12c5dc2bae97249d383b6bcbe933",
    "0027_hints.sql": "e38ac9001fc735e0222f4b8ee65577695e88af38129151d5766bbd219ae9ca4f",
    "0028_shared_spaces.sql": "f3fcadacc132f702d5e94d3f16ad71918d9745d93bce749ae429d63b040adb90",
    "0029_proposal_sweep.sql": "8d322847ac3774dcddc879c1c7399ea9f4516ec8ad85bd24f15333a695371569",
    "0030_positions.sql": "5d2936b31411ecb5cccfb29e2da636dad9d74196cbb59b9e594cfc0969c02743",
    "0031_title_jobs.sql": "d9cbdfedc22e67e9147dd4519057334699166a45a16e1955dabd639da2f26ed0",
    "0032_limited_hint.sql": "72afc788c05bece6e657ee437ac031d2acbcf0336e96d70f331535a49985c551",
    "0033_assignments.sql": "b7bb534ffc1e968d120a853ae71de231f19e66a66f4acd310130dbe4154111a7",
    "0034_watchers.sql": "dd40e21be02e3c84ab957547e695f0e6a8dd7217c50948aa5b3eb32cf3fe760e",
    "0035_own_account.sql": "1d9af8ede97e0f007d75e939f17cf9392da0466f685ab415b995375eaf023e49",
    "0036_find_members.sql": "e732e1c0dd8b60b7596ccd348f5a703de3e5fbef622955bf27c155dbb1b24a8f",
}


def test_released_migration_is_unchanged() -> None:
    versions = Path(sys.modules["todo_cli.db"].__path__[0], "migrations", "versions")
    hashes = {path.name: sha256(path.read_bytes()).hexdigest() for path in versions.glob("*.sql")}
    assert hashes == FROZEN


def test_migrated_and_created_databases_have_the_same_rights_and_settings(migrated: str, created: str) -> None:
    rights = """SELECT coalesce(r.rolname, 'PUBLIC') AS who, a.privilege_type FROM pg_database d
      CROSS JOIN aclexplode(d.datacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
      WHERE d.datname = current_database() ORDER BY 1, 2"""
    settings = """SELECT r.rolname, s.setconfig FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
      JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = current_database() ORDER BY 1"""
    assert _rows(migrated, rights) == _rows(created, rights)
    assert _rows(migrated, settings) == _rows(created, settings)
    granted = {who for who, what in _rows(migrated, rights) if what == "CONNECT"}
    assert granted - {"todo_owner"} == set(CLIENTS.split(", "))
    assert ("PUBLIC", "TEMPORARY") not in _rows(migrated, rights)
    assert [login for login, _ in _rows(migrated, settings)] == ["todo_server", "todo_worker"]


@pytest.mark.parametrize("login", ["todo_server", "todo_worker"])
def test_service_login_that_idles_in_a_transaction_ends_before_others_stop_waiting(migrated: str, login: str) -> None:
    query = f"""SELECT split_part(setting, '=', 1), split_part(setting, '=', 2)::interval FROM pg_db_role_setting s
      JOIN pg_roles r ON r.oid = s.setrole JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) setting
      WHERE d.datname = current_database() AND r.rolname = '{login}'"""
    limits = dict(_rows(migrated, query))
    assert limits["idle_in_transaction_session_timeout"] < limits["lock_timeout"] < limits["statement_timeout"]


def test_roles_can_do_no_more_than_log_in(migrated: str) -> None:
    query = f"""SELECT rolname, rolcanlogin, rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
      FROM pg_roles WHERE rolname = ANY (ARRAY{list(ROLES)}) ORDER BY 1"""
    assert _rows(migrated, query) == [(name, name in ("todo_server", "todo_worker"), False) for name in sorted(ROLES)]
    memberships = f"""SELECT FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member
      WHERE r.rolname = ANY (ARRAY{list(ROLES)})
        -- todo_auth may end the sessions of users' logins
        AND NOT (r.rolname = 'todo_auth' AND EXISTS (
          SELECT FROM pg_auth_members p WHERE p.member = m.roleid AND p.roleid = 'todo_person'::regrole))
        -- a server takes on the role of a token with limits
        AND NOT (r.rolname = 'todo_server' AND m.roleid = 'todo_limited'::regrole)"""
    assert _rows(migrated, memberships) == []


def test_keys_begin_with_the_space_or_the_user(migrated: str) -> None:
    query = f"""SELECT c.relname, i.relname, (SELECT attname FROM pg_attribute
        WHERE attrelid = x.indrelid AND attnum = x.indkey[0]), x.indisunique
      FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OWN}"""
    found = _rows(migrated, query)
    assert len(found) > 20
    found = [row for row in found if row[:2] not in INDEXES_WITHOUT_AN_OWNER]
    assert [row for row in found if row[2] not in ("space_id", "user_id") and row[0] not in REFERENCE] == []
    assert {row[0] for row in found} == {table.name for table in metadata.sorted_tables} | {"alembic_version"}


def test_policies_are_conditions_of_every_index(migrated: str) -> None:
    """Else EXPLAIN ANALYZE counts what the policy removed: rows of others that match whatever somebody asks for."""
    policies = """SELECT tablename, cmd, qual, with_check FROM pg_policies
      WHERE schemaname = 'todo' AND policyname <> 'auth' AND tablename <> 'schema'
        AND roles <> '{todo_limited}' -- only servers take it on, and they explain no query to anybody"""
    ruled: dict[str, str] = {}
    for table, command, using, check in _rows(migrated, policies):
        for rule in filter(None, (using, check)):
            assert " OR " not in rule, (table, command, rule)
            parts = re.findall(r"\((\w+) = \( SELECT todo\.(?:current_user_id|current_space)\(", rule)
            assert len(parts) == len(re.findall(r"todo\.", rule)), (table, command, rule)
        if command == "SELECT":
            ruled[table] = re.findall(r"\((\w+) = ", using)[0]
    indexes = f"""SELECT c.relname, i.relname, ARRAY(SELECT attname::text FROM pg_attribute
        WHERE attrelid = x.indrelid AND attnum = ANY (x.indkey)) FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid
      JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OWN}"""
    found = [row for row in _rows(migrated, indexes) if row[:2] not in INDEXES_WITHOUT_AN_OWNER]
    assert [row for row in found if row[0] in ruled and ruled[row[0]] not in row[2]] == []
    assert {table for table, _ in POLICIES} == set(ruled) | {"schema"}


def test_row_level_security_is_on_for_every_table(migrated: str) -> None:
    query = f"SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OWN} AND relkind IN ('r', 'p') AND NOT relrowsecurity"
    assert _rows(migrated, query) == [("alembic_version",)]  # nobody but its owner has a right to it
    granted = """SELECT grantee FROM information_schema.role_table_grants
      WHERE table_schema = 'todo' AND table_name = 'alembic_version' AND grantee <> 'todo_owner'"""
    assert _rows(migrated, granted) == []


def test_roles_have_no_rights_that_lock_whole_tables(migrated: str) -> None:
    query = """SELECT table_name, grantee, privilege_type FROM information_schema.role_table_grants
      WHERE table_schema = 'todo' AND grantee IN ('PUBLIC', 'todo_server', 'todo_worker', 'todo_person')
      AND privilege_type NOT IN ('SELECT', 'INSERT')"""
    assert _rows(migrated, query) == []


def test_functions_are_closed_to_all_but_their_callers(migrated: str) -> None:
    """Definer rights only with a fixed search path, todo_auth's, and not everybody's to call."""
    query = f"""SELECT p.oid::regprocedure::text, p.prosecdef, p.proconfig, r.rolname,
      has_function_privilege('public', p.oid, 'EXECUTE'),
      ARRAY(SELECT g.rolname::text FROM unnest(ARRAY['todo_server', 'todo_worker', 'todo_person']) g(rolname)
            WHERE has_function_privilege(g.rolname, p.oid, 'EXECUTE'))
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles r ON r.oid = p.proowner WHERE {OWN}"""
    found = _rows(migrated, query)
    assert len(found) == len(FUNCTIONS)
    for name, definer, config, holder, public, callers in found:
        has_definer_rights = name not in ("todo.fold_text(text)", "todo.sort_key(text)", COMMITTING)
        path = None if name == COMMITTING else "search_path=pg_catalog, pg_temp"
        rights = (has_definer_rights, path, "todo_auth", False)
        assert (definer, config and config[0], holder, public) == rights, name
        known = name.removeprefix("todo.").replace("integer", "int").replace(",", ", ")
        assert callers == FUNCTIONS[known].split(", ") if FUNCTIONS[known] else callers == [], name


def test_eight_migrations_at_once_succeed(empty: str) -> None:
    code = f"from todo_cli.db.migrate import migrate; print(migrate({empty!r}).current)"
    running = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    ended = [process.communicate(timeout=60) for process in running]
    assert [out for out, _ in ended] == ["True\n"] * 8, ended
    assert _rows(empty, "SELECT * FROM todo.schema") == [(SCHEMA_VERSION, OLDEST_CLIENT)]


def test_migration_behind_a_held_lock_gives_up_and_names_the_option(
    fresh_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("todo_cli.db.migrate.LOCK_TIMEOUT", "200ms")
    with psycopg.connect(fresh_db.owner_url) as holder:
        holder.execute("LOCK TABLE todo.alembic_version IN SHARE ROW EXCLUSIVE MODE")
        with pytest.raises(Unavailable, match="holds") as caught:
            migrate(fresh_db.owner_url)
        assert "--end-sessions" in str(caught.value.hint)
    assert migrate(fresh_db.owner_url).current


@pytest.fixture(scope="module")
def managed() -> Iterator[Callable[[str, str], str]]:
    """The address, by login and password, of a database as a managed Postgres gives it: its owner is no superuser."""
    home = Path(tempfile.mkdtemp(prefix="todo-managed-"))
    home.chmod(0o755)  # as root the server runs as another account
    cluster = LocalPostgres(home / "pg")
    cluster.ensure()
    with psycopg.connect(cluster.owner_url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE ROLE boss LOGIN CREATEROLE PASSWORD 'boss'")
        connection.execute("CREATE DATABASE managed OWNER boss")
    yield lambda login, password: cluster.url(login, password, "managed")
    cluster.destroy()
    shutil.rmtree(home, ignore_errors=True)


def test_owner_without_superuser_rights_migrates_and_administers(
    managed: Callable[[str, str], str], as_person: Callable[..., Todo], bare: Todo
) -> None:
    url = managed("boss", "boss")
    assert migrate(url).current
    assert migrate(url).current
    assert differences(url) == []
    with psycopg.connect(url) as connection:
        estimates = connection.execute("SELECT count(*) FROM pg_stats WHERE schemaname = 'todo'").fetchone()
        assert (estimates > (100,)) is (connection.info.server_version >= 180000)  # type: ignore[operator]
    with open_owner_session(url) as work:
        user_id, _ = work.create_user("ada", admin=True, zone=None)
        login = work.create_login(user_id, Secret("first"))
        assert work.create_login(user_id, Secret("second")) == login
        work.set_password("todo_server", Secret("served"))
        work.create_token(user_id, "another")
    owns = {"TODO_OWNER_URL": url}
    assert bare("db", "status", env=owns).lines[-1] == "up to date"
    assert bare("db", "password", "todo_server", stdin="served\n", env=owns).code == 0
    made = bare("admin", "user", "add", "bob", "--direct", "--json", env=owns)
    assert made.code == 0, made.err
    bob = made.json
    assert bare("add", "x", env={"TODO_DATABASE_URL": bob["database_url"], "TODO_TOKEN": bob["token"]}).code == 0
    database = Database(url, managed("todo_server", "served"), managed)
    carol = database.person()
    for address in (carol.database_url, database.server_url):
        with closing(Line(address, carol)) as line:
            assert line(AddTask(title="x")).title == "x"
            assert line(EditTasks(numbers=(1,), add_tags=("a",))).tasks[0].tags == ("a",)
            assert line(EditTasks(numbers=(1,), remove_tags=("a",))).tasks[0].tags == ()
    # the owner's own session is bound to nothing, but it is no door for others
    assert as_login(url, "todo_server", "x").startswith("postgresql://todo_server:x@")


def test_database_that_was_never_migrated_is_reported(empty: str, postgres: LocalPostgres, bare: Todo) -> None:
    done = bare("list", env={"TODO_DATABASE_URL": empty, "TODO_TOKEN": f"todo_{'0' * 32}_x"})
    assert (done.code, "not set up" in done.err, "todo db migrate" in done.err) == (7, True, True), done.err
    done = bare("db", "status", env={"TODO_OWNER_URL": empty})
    assert (done.code, done.lines[-1]) == (0, "out of date; update with: todo db migrate")


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_db_migrate_of_a_database_without_unicode_is_refused(
    postgres: LocalPostgres, bare: Todo, encoding: str
) -> None:
    name = f"encoding_{encoding.lower()}"
    with psycopg.connect(postgres.owner_url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")  # type: ignore[arg-type]
        refused = bare("db", "migrate", env={"TODO_OWNER_URL": postgres.owner_url(name)})
        connection.execute(f"DROP DATABASE {name}")  # type: ignore[arg-type]
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",), "the local Postgres stores Unicode"
    assert (refused.code, refused.out) == (2, "")
    assert f"the database has the encoding {encoding}, and todo needs UTF8" in refused.err

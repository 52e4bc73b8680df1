"""Create, start, kill and remove a real local Postgres, as root and as an ordinary user."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

import todo_cli
from todo_cli.errors import Invalid, Unavailable
from todo_cli.local_postgres.account import account_for, is_root
from todo_cli.local_postgres.cluster import LocalPostgres
from todo_cli.local_postgres.files import make_private_directory

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no local Postgres on Windows")

SOURCE = Path(todo_cli.__file__).parents[1]
CLIENT = """
import sys, time
from pathlib import Path
from todo_cli.local_postgres.cluster import LocalPostgres
from todo_cli.errors import TodoError
postgres = LocalPostgres(Path(sys.argv[1]))
"""


@contextmanager
def fresh_place(name: str = "home") -> Iterator[Path]:
    """A directory that is not there yet, below one that the server's account can enter.

    pytest's tmp_path will not do: it is 0700, and as root Postgres runs as another account.
    """
    top = Path(tempfile.mkdtemp(prefix="todo-test-", dir="/tmp"))
    if is_root():
        top.chmod(0o755)
    try:
        yield top / name
    finally:
        with suppress(Unavailable):
            LocalPostgres(top / name).destroy()
        subprocess.run(["rm", "-rf", str(top)], check=True)


@pytest.fixture(scope="module", autouse=True)
def from_the_wheel() -> Iterator[None]:
    """Whatever the other tests run on, here it is the wheel's Postgres."""
    kept = os.environ.pop("TODO_PG_BIN", None)
    yield
    if kept:
        os.environ["TODO_PG_BIN"] = kept


@pytest.fixture
def place() -> Iterator[Path]:
    with fresh_place() as home:
        yield home


@pytest.fixture(scope="module")
def shared() -> Iterator[LocalPostgres]:
    with fresh_place() as home:
        postgres = LocalPostgres(home)
        assert postgres.ensure()
        yield postgres


@pytest.fixture
def server(shared: LocalPostgres) -> LocalPostgres:
    """The one cluster that tests share, running."""
    shared.start()
    return shared


def client(home: Path, code: str) -> subprocess.Popen[str]:
    """Another process with an Embedded named `postgres`, leader of its own group as under a shell."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(SOURCE), *sys.path])}
    return subprocess.Popen(
        [sys.executable, "-c", CLIENT + code, str(home)],
        env=environment,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> str:
    return process.communicate(timeout=60)[0]


def ask(postgres: LocalPostgres, query: str) -> object:
    with psycopg.connect(postgres.owner_url(), autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        row = cursor.fetchone() if cursor.description else None
        return row and row[0]


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def kill(postgres: LocalPostgres) -> None:
    pid = postgres.running()
    assert pid
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: postgres.running() is None)


def names(home: Path) -> set[str]:
    return {path.name for path in home.iterdir()} if home.exists() else set()


# -- making and starting --------------------------------------------------------------------------


def test_ensure_of_a_running_cluster_changes_nothing(server: LocalPostgres) -> None:
    pid = server.running()
    said: list[str] = []
    assert server.exists()
    assert not LocalPostgres(server.home).ensure(said.append)
    assert (server.running(), said) == (pid, [])
    assert ask(server, "SELECT current_database()") == "todo"


def test_ensure_reports_its_steps_and_creates_a_missing_database(server: LocalPostgres) -> None:
    with psycopg.connect(server.owner_url("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE todo WITH (FORCE)")
    server.stop()
    said: list[str] = []
    assert not server.ensure(said.append)
    assert said == [f"Starting Postgres in {server.home}"]
    assert ask(server, "SELECT current_database()") == "todo"


def test_server_has_our_settings(server: LocalPostgres) -> None:
    wanted = {
        "listen_addresses": "",
        "TimeZone": "UTC",
        "log_timezone": "UTC",
        "max_connections": "100",
        "fsync": "on",
        "log_min_error_statement": "panic",
        "log_parameter_max_length": "0",
        "password_encryption": "scram-sha-256",
        "server_encoding": "UTF8",
    }
    assert {name: ask(server, f"SHOW {name}") for name in wanted} == wanted


def test_ensure_by_eight_processes_creates_one_cluster(place: Path) -> None:
    code = """
import psycopg
made = postgres.ensure()
with psycopg.connect(postgres.owner_url()) as connection:
    connection.execute("SELECT 1")
print(made, postgres.running())
"""
    said = [ended(process) for process in [client(place, code) for _ in range(8)]]
    pid = LocalPostgres(place).running()
    assert sorted(said) == [f"False {pid}\n"] * 7 + [f"True {pid}\n"]


def test_status_of_a_running_server_has_every_field(server: LocalPostgres) -> None:
    told = server.status()
    assert told[:3] == (server.home, True, server.running())
    assert told.version.startswith("18.")
    assert (told.socket_dir / ".s.PGSQL.5432").is_socket()
    assert told.size > 30_000_000


def test_server_does_not_inherit_the_environment(server: LocalPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    server.stop()
    server.start()
    if sys.platform == "linux" and is_root():  # an ordinary user's postmaster hides its own environment
        assert b"secret" not in Path(f"/proc/{server.running()}/environ").read_bytes()


def test_bindir_contains_the_other_programs(server: LocalPostgres) -> None:
    command = [str(server.bindir() / "psql"), server.owner_url(), "-Atc", "SELECT 1"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "1\n"


@pytest.mark.opt_in
def test_todo_pg_bin_runs_another_postgres(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TODO_TEST_PG_BIN: the bin directory of a Postgres that is 15 or newer."""
    monkeypatch.setenv("TODO_PG_BIN", os.environ["TODO_TEST_PG_BIN"])
    postgres = LocalPostgres(place)
    assert postgres.ensure()
    assert str(ask(postgres, "SHOW server_version")).startswith(postgres.status().version)
    kill(postgres)
    assert postgres.start()
    monkeypatch.delenv("TODO_PG_BIN")
    postgres.stop()
    with pytest.raises(Unavailable, match=r"created by Postgres \d+, the binaries are Postgres 18"):
        postgres.start()


# -- stopping and removing ------------------------------------------------------------------------


def test_stop_then_start_keeps_the_rows(server: LocalPostgres) -> None:
    ask(server, "CREATE TABLE stopped AS SELECT 7 AS kept")
    assert server.stop()
    assert server.running() is None
    assert not server.stop()
    assert server.start()
    assert not server.start()
    assert ask(server, "SELECT kept FROM stopped") == 7


def test_start_without_a_cluster_is_refused(place: Path) -> None:
    with pytest.raises(Unavailable, match="there is no Postgres") as caught:
        LocalPostgres(place).start()
    assert "todo init" in caught.value.hint
    assert not place.exists()


def test_destroy_removes_only_our_files(place: Path) -> None:
    place.mkdir()
    (place / "pg-notes").mkdir()
    postgres = LocalPostgres(place)
    postgres.ensure()
    postgres.secret("worker")
    pid = postgres.running()
    postgres.destroy()
    assert names(place) == {"pg-notes"}
    assert pid
    assert postgres.running() is None
    postgres.destroy()
    (place / "pg-notes").rmdir()
    postgres.destroy()
    assert not place.exists()


def test_ctrl_c_in_the_client_does_not_stop_the_server(server: LocalPostgres) -> None:
    server.stop()
    process = client(server.home, "postgres.start(); print('up', flush=True); time.sleep(60)")
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    os.killpg(process.pid, signal.SIGINT)
    assert "KeyboardInterrupt" in ended(process)
    assert ask(server, "SELECT 1") == 1


# -- crashes --------------------------------------------------------------------------------------


@contextmanager
def orphans_stay_zombies() -> Iterator[None]:
    """Adopt orphans, as the first process of a container does, and do not reap them until the end."""
    prctl, set_child_subreaper = ctypes.CDLL(None).prctl, 36
    prctl(set_child_subreaper, 1)
    try:
        yield
    finally:
        prctl(set_child_subreaper, 0)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def test_start_after_a_kill_keeps_the_rows(server: LocalPostgres) -> None:
    ask(server, "CREATE TABLE crashed AS SELECT generate_series(1, 100)")
    kill(server)
    assert server.start()
    assert ask(server, "SELECT count(*) FROM crashed") == 100


@pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper")
def test_running_ignores_a_zombie(server: LocalPostgres) -> None:
    server.stop()
    with orphans_stay_zombies():
        server.start()
        pid = server.running()
        assert pid
        kill(server)
        wait_for(lambda: " Z " in Path(f"/proc/{pid}/stat").read_text())
        assert server.running() is None
        assert server.start()
        assert server.running() not in (None, pid)


def test_start_with_a_pid_file_of_another_process_succeeds(server: LocalPostgres) -> None:
    recorded = (server.data / "postmaster.pid").read_text().split("\n", 1)
    server.stop()
    account = account_for(server.data)
    # Of the same account: strangers of another Postgres itself does not mind.
    stranger = subprocess.Popen(["sleep", "60"], user=account.uid if account else None)
    try:
        (server.data / "postmaster.pid").write_text(f"{stranger.pid}\n{recorded[1]}")
        assert server.running() is None
        assert server.start()
        assert ask(server, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_start_without_the_socket_directory_restarts_the_server(server: LocalPostgres) -> None:
    for path in server.socket_dir().iterdir():
        path.unlink()
    server.socket_dir().rmdir()
    assert server.start()
    assert ask(server, "SELECT 1") == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_ensure_after_a_killed_initdb_creates_the_cluster(place: Path, number: signal.Signals) -> None:
    process = client(place, "postgres.ensure()")
    wait_for(lambda: (place / "pgdata.new" / "base").exists())
    os.killpg(process.pid, number)
    ended(process)
    postgres = LocalPostgres(place)
    assert not postgres.exists()
    if number is signal.SIGINT:
        assert not names(place) & {"pgdata", "pgdata.new"}
    else:
        assert postgres.ensure()
        assert ask(postgres, "SELECT 1") == 1
        assert "pgdata.new" not in names(place)


# -- what the machine does not let us -------------------------------------------------------------

ENSURE_AND_TELL = """
try:
    postgres.ensure()
except TodoError as error:
    print(error.code, error.detail, error.hint)
"""


def test_initdb_at_the_file_size_limit_reports_a_full_disk(place: Path) -> None:
    """Without a right to mount: the first thing that does not fit is initdb's write-ahead log."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (12 << 20, 12 << 20))"
    said = ended(client(place, limit + ENSURE_AND_TELL))
    assert re.match(rf"unavailable the disk is full: .*{place}.* TODO_HOME", said), said
    assert not names(place) & {"pgdata", "pgdata.new"}


@pytest.mark.parametrize("megabytes", [20, 50])
def test_ensure_on_a_full_disk_leaves_no_cluster(place: Path, megabytes: int) -> None:
    """20 MB are full in the copy of the binaries, 50 MB in initdb."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "todo-test", str(place)]
    if not is_root() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("may not mount")
    try:
        said = ended(client(place, ENSURE_AND_TELL))
        assert re.match(rf"unavailable the disk is full: .*{place}.* TODO_HOME", said), said
        assert not names(place) & {"pgdata", "pgdata.new", "pg-18.new"}
        assert not [name for name in names(place) if name.endswith(".new")]
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_ensure_in_a_closed_home_names_the_home(place: Path) -> None:
    """To the server's account when we are root, else to us."""
    place.parent.chmod(0o700 if is_root() else 0o500)
    try:
        with pytest.raises(Unavailable, match=str(place)) as caught:
            LocalPostgres(place).ensure()
        assert "TODO_HOME" in caught.value.hint
        assert not (place / "pgdata").exists()
    finally:
        mode = stat.S_IMODE(place.parent.stat().st_mode)
        place.parent.chmod(0o700)
    assert mode == (0o700 if is_root() else 0o500)


def test_ensure_with_a_file_as_home_is_refused(place: Path) -> None:
    place.write_text("")
    with pytest.raises(Unavailable, match="cannot use"):
        LocalPostgres(place).ensure()
    place.unlink()


def test_cluster_without_our_password_file_is_not_touched(place: Path) -> None:
    (place / "pgdata").mkdir(parents=True)
    (place / "pgdata" / "PG_VERSION").write_text("18\n")
    postgres = LocalPostgres(place)
    for verb in (postgres.ensure, postgres.start, postgres.destroy):
        with pytest.raises(Unavailable, match="todo did not create it"):
            verb()
    assert (place / "pgdata" / "PG_VERSION").exists()


def pretend_postgres(bindir: Path, version: str) -> None:
    """A bin directory that can tell its version and nothing else."""
    bindir.mkdir()
    for tool in ("initdb", "pg_ctl", "postgres"):
        (bindir / tool).write_text(f"#!/bin/sh\necho '{tool} (PostgreSQL) {version}'\n")
        (bindir / tool).chmod(0o755)


def test_todo_pg_bin_without_initdb_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TODO_PG_BIN", str(place.parent / "nothing"))
    with pytest.raises(Unavailable, match=r"there is no initdb in .*nothing"):
        LocalPostgres(place).ensure()
    assert not LocalPostgres(place).exists()


def test_todo_pg_bin_with_an_old_postgres_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_postgres(place.parent / "old", "14.3")
    monkeypatch.setenv("TODO_PG_BIN", str(place.parent / "old"))
    with pytest.raises(Unavailable, match=r"Postgres 14\.3, which is too old") as caught:
        LocalPostgres(place).ensure()
    assert "15 or newer" in caught.value.hint


def test_start_with_another_major_version_is_refused(
    server: LocalPostgres, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.stop()
    pretend_postgres(place.parent / "other", "17.2 (Debian 17.2-1)")
    monkeypatch.setenv("TODO_PG_BIN", str(place.parent / "other"))
    with pytest.raises(Unavailable, match=r"created by Postgres 18, the binaries are Postgres 17\.2") as caught:
        server.start()
    assert "todo init --upgrade" in caught.value.hint


@pytest.mark.skipif(not is_root(), reason="only root changes account")
def test_todo_pg_user_without_such_an_account_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TODO_PG_USER", "no-such-account")
    with pytest.raises(Unavailable, match="no-such-account") as caught:
        LocalPostgres(place).ensure()
    assert "TODO_PG_USER" in caught.value.hint


# -- passwords and paths --------------------------------------------------------------------------


def test_connection_without_the_password_is_refused(server: LocalPostgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url("todo_owner", "guess"))


def test_password_files_are_private_and_written_once(place: Path) -> None:
    found: list[str] = []

    def look() -> None:
        found.append(LocalPostgres(place).secret("worker"))

    askers = [threading.Thread(target=look) for _ in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert len(found[0]) >= 32
    assert names(place) == {"worker.password"}
    assert stat.S_IMODE((place / "worker.password").stat().st_mode) == 0o600


def test_owner_password_file_is_private(server: LocalPostgres) -> None:
    assert stat.S_IMODE((server.home / "owner.password").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b"])
def test_secret_with_a_bad_name_is_refused(place: Path, name: str) -> None:
    with pytest.raises(Invalid):
        LocalPostgres(place).secret(name)


def test_url_quotes_any_character(place: Path) -> None:
    postgres = LocalPostgres(place.with_name("a place & 50%"))
    told = conninfo_to_dict(postgres.url("ann@x", "p:/?#[]&= %ü", "da/ta"))
    assert told == {
        "user": "ann@x",
        "password": "p:/?#[]&= %ü",
        "dbname": "da/ta",
        "host": str(postgres.home / "run"),
        "port": "5432",
    }


def test_home_with_a_long_and_odd_path_works() -> None:
    with fresh_place("it's a place, ü " + "long" * 20) as home:
        postgres = LocalPostgres(home)
        assert postgres.ensure()
        sockets = postgres.socket_dir()
        assert sockets.name.startswith("todo-")
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert ask(postgres, "SELECT 1") == 1
        postgres.destroy()
        assert not sockets.exists()


def test_home_with_shell_characters_is_refused(place: Path) -> None:
    with pytest.raises(Invalid):
        LocalPostgres(place / "$(id)")


@pytest.mark.parametrize("kind", ["open", "link", "foreign"])
def test_socket_directory_of_another_account_is_refused(place: Path, kind: str) -> None:
    if kind == "link":
        place.symlink_to(place.parent)
    else:
        place.mkdir(mode=0o700)
        place.chmod(0o755 if kind == "open" else 0o700)
    if kind == "foreign":
        if not is_root():
            pytest.skip("only root gives away")
        os.chown(place, 12345, 12345)
    with pytest.raises(Unavailable, match="belongs to another account"):
        make_private_directory(place, account_for(place / "pgdata"))
    if kind != "link":
        place.rmdir()
    else:
        place.unlink()

"""Database outages: stops, restarts, kills, exhaustion and hangs lose no acknowledged write, and service resumes."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import BARE, Database, Person, Server, Todo, free_port, start_server, wait_for
from tests.support.raw_http import ask
from tests.support.tcp_proxy import open_database_proxy
from tests.support.thread_clients import over
from todo_cli.contract.base import Secret
from todo_cli.contract.ids import new_id
from todo_cli.contract.tasks import AddTask
from todo_cli.db.migrate import migrate
from todo_cli.db.owner import open_owner_session
from todo_cli.errors import Unavailable
from todo_cli.local_postgres.cluster import LocalPostgres
from todo_cli.server.connection_pools import OUTAGE_CHECK_SECONDS
from todo_cli.server.reachability import PROBE_SECONDS

GENEROUS = 20.0  # seconds in which whatever has a bound of a second or two has ended
MARK = "Zitronenkuchen"
# the same server with less patience: the real one is waited for by no test
IMPATIENT = (
    sys.executable,
    "-c",
    "from todo_cli.server import connection_pools, pool; connection_pools.CONNECTION_TIMEOUT_SECONDS = 0.6; pool.REQUEST_TIMEOUT_SECONDS = 1.2; from todo_cli.main import main; main()",
)


@pytest.fixture(scope="module")
def own() -> Iterator[LocalPostgres]:
    """A Postgres of this module's own, to be stopped and killed."""
    home = Path(tempfile.mkdtemp(prefix="todo-days-"))
    home.chmod(0o755)
    postgres = LocalPostgres(home / "pg")
    postgres.ensure()
    migrate(postgres.owner_url())
    with open_owner_session(postgres.owner_url()) as work:
        work.set_password("todo_server", Secret("server-password"))
    yield postgres
    postgres.destroy()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def days(own: LocalPostgres) -> Database:
    """Its database, running."""
    own.start()
    return Database(
        own.owner_url(),
        own.url("todo_server", "server-password"),
        lambda login, password: own.url(login, password),
    )


@pytest.fixture(scope="module")
def servers(own: LocalPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """Two servers that live through all that happens here."""
    directory = tmp_path_factory.mktemp("days")
    database = Database(own.owner_url(), own.url("todo_server", "server-password"), own.url)
    running = start_server(directory, database), start_server(directory, database)
    yield running
    for server in running:
        assert server.process.poll() is None, server.log.read_text()
        server.stop()


def restart(postgres: LocalPostgres) -> None:
    postgres.stop()
    postgres.start()


def kill(postgres: LocalPostgres) -> None:
    """As a power cut would: every process of it at once is not asked."""
    pid = postgres.running()
    assert pid
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: postgres.running() is None)


def journal(db: Database, person: Person) -> Counter[str]:
    """How often each key stands in the journal; asserts that it has no hole."""
    rows = db.execute("SELECT seq, key FROM todo.changes WHERE space_id = %s ORDER BY seq", person.user_id)
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    return Counter(row[1] for row in rows)


def adds(server: Server, person: Person, **headers: str) -> int:
    return ask(server.url, "POST", "/v1/tasks", {"title": "x"}, token=person.token, **headers).status


def test_database_stopped_and_restarted_is_used_again(
    own: LocalPostgres, days: Database, servers: tuple[Server, Server], as_person: Callable[..., Todo]
) -> None:
    person = days.person()
    api, direct = as_person(person, "api", url=servers[0].url), as_person(person, "direct")
    assert api("add", "before").code == 0
    own.stop()
    run = {"TODO_TIMEOUT": "1"}
    for todo in (api, direct):
        ended = todo("list", env=run)
        assert ended.code == 7
        assert ended.err.count("\n") == 1
        assert person.token not in ended.err
        assert "Traceback" not in ended.err
    ready = ask(servers[0].url, "GET", "/readyz")
    assert (ready.status, ready.json["reason"]) == (503, "the database cannot be reached")
    assert ask(servers[0].url, "GET", "/healthz").status == 200
    own.start()
    assert api("list").lines == direct("list").lines != []
    wait_for(lambda: ask(servers[0].url, "GET", "/readyz").status == 200)


def test_database_that_is_down_is_reported_at_once(
    own: LocalPostgres, days: Database, servers: tuple[Server, Server], as_person: Callable[..., Todo]
) -> None:
    """The bounds are the server's own: it waits a fifth of a second and looks for the database for half of one."""
    assert OUTAGE_CHECK_SECONDS + PROBE_SECONDS < 1
    person = days.person()
    todo = as_person(person, "api", url=servers[0].url)
    assert todo("add", "before").code == 0  # now the server has a connection, which dies
    own.stop()
    for method, path, body in (
        ("GET", "/v1/tasks", None),
        ("POST", "/v1/tasks", {"title": "x"}),
        ("GET", "/v1/me", None),
    ):
        answer = ask(servers[0].url, method, path, body, token=person.token)
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert answer.problem["detail"] == "the server's database is unreachable"
    for arguments in (("list",), ("add", "during"), ("chat", "list")):
        ended = todo(*arguments, env={"TODO_TIMEOUT": "2"})
        assert (ended.code, ended.out) == (7, "")
        assert ended.err == "todo: the server's database is unreachable (try again in a moment)\n"
    own.start()
    wait_for(lambda: todo("list").code == 0)
    assert [line.split("\t")[-1] for line in todo("list").lines] == ["before"]


@pytest.mark.long
def test_database_back_after_a_while_is_used_again(
    own: LocalPostgres, days: Database, servers: tuple[Server, Server]
) -> None:
    """The pool's own pause doubles with every failure: after half a minute away, another half would pass."""
    person = days.person()
    own.stop()
    until = time.monotonic() + 35
    while time.monotonic() < until:
        assert ask(servers[0].url, "GET", "/readyz").status == 503
    own.start()
    wait_for(lambda: ask(servers[0].url, "GET", "/readyz").status == 200, timeout=5)
    assert adds(servers[0], person) == 201


def test_pool_with_only_dead_connections_recovers(
    own: LocalPostgres, days: Database, servers: tuple[Server, Server]
) -> None:
    people = [days.person() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        with psycopg.connect(days.owner_url) as holder:  # so that six are in use at once
            holder.execute("SELECT FROM todo.spaces FOR UPDATE")
            waiting = [pool.submit(adds, servers[0], person) for person in people]
            locked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            wait_for(lambda: days.execute(locked)[0][0] >= 6)
            holder.rollback()
        assert [future.result() for future in waiting] == [201] * 6
        restart(own)
        assert list(pool.map(lambda person: adds(servers[0], person), people)) == [201] * 6
    assert ask(servers[0].url, "GET", "/readyz").status == 200
    restart(own)
    assert ask(servers[0].url, "GET", "/readyz").status == 200  # a dead connection is no verdict


@pytest.mark.parametrize("way", ["api", "direct"])
def test_database_restarted_during_a_command_completes_it(
    own: LocalPostgres, days: Database, servers: tuple[Server, Server], as_person: Callable[..., Todo], way: str
) -> None:
    person = days.person()
    todo = as_person(person, way, url=servers[0].url)
    with ThreadPoolExecutor() as pool:
        with closing(psycopg.connect(days.owner_url)) as holder:  # it dies with the rest
            holder.execute("SELECT FROM todo.spaces WHERE id = %s FOR UPDATE", [person.user_id])
            running = pool.submit(todo, "add", "through a restart", "--json")
            locked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            wait_for(lambda: days.execute(locked)[0][0] >= 1)
            own.stop()
        own.start()
        result = running.result(60)
    assert (result.code, result.err) == (0, "")
    assert result.json["number"] == 1
    assert len(journal(days, person)) == 1


def test_database_killed_under_load_loses_no_acknowledged_write(
    own: LocalPostgres, days: Database, servers: tuple[Server, Server]
) -> None:
    """Four writers through two servers; what was acknowledged stands there once, what was not at most once."""
    person = days.person()
    ends = threading.Event()
    acknowledged: list[str] = []
    unsure: list[str] = []

    def write(index: int) -> None:
        backend = over(servers[index % 2].url, person, timeout=20)
        while not ends.is_set():
            key = new_id()
            try:
                backend.send_now(AddTask(title=key), key)
            except Unavailable:
                unsure.append(key)
            else:
                acknowledged.append(key)

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, index) for index in range(4)]
        for _ in range(2):
            count = len(acknowledged)
            wait_for(lambda count=count: len(acknowledged) > count + 20)  # type: ignore[misc]
            kill(own)
            own.start()
        count = len(acknowledged)
        wait_for(lambda: len(acknowledged) > count + 20, timeout=40)
        ends.set()
        for writer in writers:
            writer.result(60)
    found = journal(days, person)
    assert {*acknowledged} <= {*found} <= {*acknowledged, *unsure}
    assert {*found.values()} == {1}
    numbers = [
        row[0] for row in days.execute("SELECT number FROM todo.tasks WHERE space_id = %s ORDER BY 1", person.user_id)
    ]
    assert numbers == list(range(1, len(found) + 1))


# -- too few connections ---------------------------------------------------------------------------


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """A server that waits a second for a connection and a little longer for an answer: impatient(url, env)."""
    running: list[Server] = []

    def start(database_url: str, env: dict[str, str] | None = None) -> Server:
        port, log = free_port(), tmp_path / "impatient.log"
        with log.open("w") as out:
            process = subprocess.Popen(
                [*IMPATIENT, "serve", "--port", str(port)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                text=True,
                env=BARE | {"HOME": str(tmp_path), "TODO_SERVER_DATABASE_URL": database_url} | (env or {}),
            )
        running.append(Server(f"http://127.0.0.1:{port}", process, log))
        wait_for(lambda: _healthy(running[-1]))
        return running[-1]

    yield start
    for server in running:
        server.stop(signal.SIGKILL)


def _healthy(server: Server) -> bool:
    assert server.process.poll() is None, server.log.read_text()
    try:
        return ask(server.url, "GET", "/healthz").status == 200
    except OSError:
        return False


def test_small_pool_with_slow_requests_answers_in_time(
    db: Database, impatient: Callable[..., Server], as_person: Callable[..., Todo]
) -> None:
    slow, other = db.person(), db.person()
    server = impatient(db.server_url, {"TODO_POOL_SIZE": "1"})
    assert ask(server.url, "GET", "/v1/me", token=other.token).status == 200
    with ThreadPoolExecutor() as pool, psycopg.connect(db.owner_url) as holder:
        holder.execute("SELECT FROM todo.spaces WHERE id = %s FOR UPDATE", [slow.user_id])
        waiting = [pool.submit(adds, server, slow) for _ in range(3)]
        time.sleep(0.3)
        answer = ask(server.url, "GET", "/v1/me", token=other.token)
        if answer.status != 200:  # it may have come just after a slow one's end
            assert answer.status == 503
            assert answer.headers["retry-after"] == "1"
            assert answer.problem["detail"] == "the server has no database connection free"
        assert {future.result() for future in waiting} == {503}
        assert answer.status == 503
        holder.rollback()
    todo = as_person(other, "api", url=server.url)
    wait_for(lambda: todo("whoami").code == 0)
    assert adds(server, slow) == 201


def test_database_without_free_connections_is_reported(
    days: Database, impatient: Callable[..., Server], as_person: Callable[..., Todo]
) -> None:
    person = days.person()
    days.execute("ALTER ROLE todo_server CONNECTION LIMIT 0")
    try:
        server = impatient(days.server_url)
        answer = ask(server.url, "POST", "/v1/tasks", {"title": "x"}, token=person.token)
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert answer.problem["type"] == "urn:todo:unavailable"
        todo = as_person(person, "api", url=server.url)
        ended = todo("add", "x", env={"TODO_TIMEOUT": "6"})
        assert (ended.code, ended.err.count("\n")) == (7, 1)
        assert "carried out" not in ended.err
    finally:
        days.execute("ALTER ROLE todo_server CONNECTION LIMIT -1")
    wait_for(lambda: todo("add", "x").code == 0)
    assert days.execute("SELECT count(*) FROM todo.changes WHERE space_id = %s", person.user_id) == [(1,)]


def test_login_without_free_connections_is_reported(days: Database, as_person: Callable[..., Todo]) -> None:
    person = days.person()
    (login,) = days.execute("SELECT login FROM todo.users WHERE id = %s", person.user_id)[0]
    days.execute(f'ALTER ROLE "{login}" CONNECTION LIMIT 0')
    ended = as_person(person, "direct")("list")
    assert (ended.code, ended.err.count("\n")) == (7, 1), ended.err
    assert "too many connections" in ended.err or "no connection left" in ended.err


# -- a database that hangs -------------------------------------------------------------------------


def test_database_that_hangs_behind_a_server_answers_503(db: Database, impatient: Callable[..., Server]) -> None:
    person = db.person()
    with closing(open_database_proxy(db.server_url, MARK.encode())) as proxy:
        server = impatient(proxy.through(db.server_url))
        assert adds(server, person) == 201
        proxy.hang = True
        started = time.monotonic()
        answer = ask(server.url, "POST", "/v1/tasks", {"title": MARK}, token=person.token, Idempotency_Key="hung")
        assert time.monotonic() - started < GENEROUS
        assert answer.status == 503
        assert answer.problem["detail"] == "the database took too long"
        assert answer.problem["uncertain"] is True
        assert "retry-after" in answer.headers
        assert adds(server, person) == 201  # another connection takes its place
        proxy.hang = False
        again = ask(server.url, "POST", "/v1/tasks", {"title": MARK}, token=person.token, Idempotency_Key="hung")
        assert (again.status, again.json["new"]) == (201, False)
    assert db.execute("SELECT count(*) FROM todo.changes WHERE space_id = %s", person.user_id) == [(3,)]


def test_pool_after_all_connections_hang_recovers(db: Database, impatient: Callable[..., Server]) -> None:
    """Requests that are given up must not take their places in the pool with them."""
    person = db.person()
    with closing(open_database_proxy(db.server_url, MARK.encode())) as proxy:
        server = impatient(proxy.through(db.server_url), {"TODO_POOL_SIZE": "3"})
        proxy.hang = True
        with ThreadPoolExecutor(6) as pool:
            hung = [
                pool.submit(ask, server.url, "GET", f"/v1/tasks?project={MARK}", token=person.token) for _ in range(6)
            ]
            assert {future.result(60).status for future in hung} == {503}
        proxy.hang = False
        wait_for(lambda: adds(server, person) == 201)
        with ThreadPoolExecutor(3) as pool:
            assert {*pool.map(lambda _: adds(server, person), range(9))} == {201}


def test_command_with_a_hanging_database_times_out(db: Database, as_person: Callable[..., Todo]) -> None:
    person = db.person()
    with closing(open_database_proxy(person.database_url, MARK.encode())) as proxy:
        todo = as_person(replace(person, database_url=proxy.through(person.database_url)), "direct")
        proxy.hang = True
        started = time.monotonic()
        ended = todo("add", MARK, "--key", "hung", env={"TODO_TIMEOUT": "0.5"})
        assert time.monotonic() - started < GENEROUS
        assert ended.code == 7
        assert (
            "no answer in 0.5 s. The request may have been carried out: repeat it with the same --key hung" in ended.err
        )
        assert ended.err.count("\n") == 1
        listed = todo("list", "--project", MARK, env={"TODO_TIMEOUT": "0.3"})
        assert listed.code == 7
        assert "carried out" not in listed.err
        proxy.hang = False
        assert "already added" in todo("add", MARK, "--key", "hung").err


def test_command_with_a_silent_database_times_out(as_person: Callable[..., Todo], db: Database) -> None:
    person = db.person()
    directory = Path(tempfile.mkdtemp(prefix="todo-mute-"))
    try:
        with socket.socket(socket.AF_UNIX) as mute:
            mute.bind(str(directory / ".s.PGSQL.5432"))
            mute.listen(8)
            url = re.sub(r"host=[^&]*", f"host={directory}", person.database_url)
            ended = as_person(replace(person, database_url=url), "direct")(
                "add", "x", env={"TODO_TIMEOUT": "1"}, timeout=GENEROUS
            )
    finally:
        shutil.rmtree(directory)
    assert (ended.code, ended.err.count("\n")) == (7, 1)


# -- the embedded one ------------------------------------------------------------------------------


def test_eight_commands_at_once_start_the_database_once(own: LocalPostgres, days: Database, tmp_path: Path) -> None:
    person = days.person()
    config = tmp_path / "config.toml"
    values: dict[str, Any] = {"embedded": str(own.home), "database_url": person.database_url, "token": person.token}
    config.write_text(
        "[profiles.default]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())
    )
    config.chmod(0o600)
    todo = Todo(tmp_path, {"TODO_CONFIG": str(config)})
    assert todo("add", "zero").code == 0
    kill(own)
    log = own.data / "server.log"
    before = log.read_text().count("ready to accept connections")
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda index: todo("add", f"task {index}"), range(8)))
    assert [(result.code, result.err) for result in results] == [(0, "")] * 8
    assert log.read_text().count("ready to accept connections") == before + 1
    assert len(journal(days, person)) == 9


def test_commit_that_waits_for_a_standby_is_not_acknowledged_when_the_wait_is_cancelled(
    days: Database, servers: tuple[Server, Server]
) -> None:
    """Postgres reports success for a commit whose wait was cancelled, and a failover may still lose it."""
    person, key = days.person(), new_id()
    waiting = """SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND usename = 'todo_server'
                   AND NOT pid = ANY (%s)"""
    alter_system(days, "synchronous_standby_names = 'nobody'")
    try:
        with ThreadPoolExecutor(1) as threads:
            status = threads.submit(adds, servers[0], person, **{"Idempotency-Key": key})
            for cancelled in ([], [1]):  # the repetition waits too, though it finds the change in the journal
                wait_for(lambda seen=cancelled: bool(days.execute(waiting, seen)), "no commit waits")
                cancelled[:] = [pid for (pid,) in days.execute(waiting, [])]
                assert days.execute("SELECT pg_cancel_backend(%s)", cancelled[0]) == [(True,)]
            wait_for(lambda: bool(days.execute(waiting, cancelled)), "no commit waits")
            assert not status.done()
            alter_system(days, "synchronous_standby_names = ''")
            assert status.result(GENEROUS) == 201
    finally:
        alter_system(days, "synchronous_standby_names = ''")
    assert journal(days, person) == Counter({key: 1})


def alter_system(db: Database, setting: str) -> None:
    """Change a setting of the whole Postgres."""
    with closing(psycopg.connect(db.owner_url, autocommit=True)) as connection:
        connection.execute(f"ALTER SYSTEM SET {setting}".encode())
        connection.execute("SELECT pg_reload_conf()")

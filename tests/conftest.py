"""The real parts: one embedded Postgres, migrated once; real servers; the real command as a process.

`home`      a person with a list of their own in the shared database: tests of one person do not meet
`fresh_db`  a database of its own, for what must count, break or migrate things
`server`    a `todo serve` process over the shared database; `make_server` starts others
`todo`      runs the command: todo("add", "milk") -> Result(out, err, code).json; `way` is each of "direct", "api"
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.request import urlopen
from uuid import uuid4
from zlib import crc32

import pexpect
import psycopg
import pytest
from psycopg import sql

from tests.support.command_server import (
    COMMAND,
    CommandServer,
    are_processes_new,
    needs_new_process,
    run_new_process,
    start_process,
)
from tests.support.forked_process import ForkedProcess
from tests.support.forked_terminal import fork_on_terminal
from tests.support.pgbouncer import run_pgbouncer
from todo_cli.contract.base import Secret
from todo_cli.db.migrate import migrate
from todo_cli.db.owner import OwnerSession, open_owner_session
from todo_cli.local_postgres.binaries import OWNER
from todo_cli.local_postgres.cluster import LocalPostgres

pytest_plugins = [
    "tests.support.bare_server",
    "tests.support.valkey",
    "tests.support.connections",
    "tests.support.ask",
    "tests.support.chat_fixtures",
    "tests.support.seaweedfs",
]

# what cron gives a job, and no more
BARE = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8"}


def pytest_configure(config: pytest.Config) -> None:
    """Let each command and each server of the long form be a new interpreter."""
    if config.option.markexpr == "long":
        os.environ["TODO_TEST_NEW_PROCESSES"] = "1"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stories of whole processes go one way in by default, half of them each way, and with `-m long` the other way too.

    That both ways answer alike, request by request, is what `tests/backends` and the tests of exit codes hold.
    """
    for item in items:
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        told = {"talker", "todo"} & set(getattr(item, "fixturenames", ())) and item.path.name != "test_exit_codes.py"
        if told and "way" in parameters:
            name = item.nodeid.partition("[")[0]
            if parameters["way"] != ("direct", "api")[crc32(name.encode()) % 2]:
                item.add_marker(pytest.mark.long)


@dataclass(frozen=True)
class Database:
    """One database of the test Postgres, as its owner and as the servers see it."""

    owner_url: str
    server_url: str
    address: Callable[[str, str], str]
    owner: psycopg.Connection[Any] | None = None
    """A connection of the owner that is kept, if there is one: half of what a new person costs is a new connection."""
    is_owner_used: Lock = field(default_factory=Lock)

    def person(self, name: str | None = None, *, admin: bool = False, zone: str | None = "Europe/Berlin") -> Person:
        """A new person with a token of every scope and a database login of their own."""
        name = name or f"p{uuid4().hex[:12]}"
        password = Secret(uuid4().hex)
        with self._open_owner() as connection:
            work = OwnerSession(connection)
            user_id, token = work.create_user(name, admin=admin, zone=zone)
            login = work.create_login(user_id, password)
            without_limits = "UPDATE todo.users SET per_minute = NULL, turns_per_minute = NULL WHERE id = %s"
            connection.execute(without_limits, [user_id])
        return Person(name, user_id, token.reveal(), self.address(login, password.reveal()))

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """One statement as the owner."""
        with self._open_owner() as connection:
            cursor = connection.execute(statement, values)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def _open_owner(self) -> Iterator[psycopg.Connection[Any]]:
        """Yield a connection of the owner in a transaction, which is committed at the end."""
        if self.owner is None or not self.is_owner_used.acquire(blocking=False):
            with psycopg.connect(self.owner_url) as connection:
                yield connection
            return
        try:
            with self.owner.transaction():
                yield self.owner
        finally:
            self.is_owner_used.release()


@dataclass(frozen=True)
class Person:
    """Somebody: their token, and the address of their own database login."""

    name: str
    user_id: str
    token: str
    database_url: str


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    out: str
    err: str
    code: int

    @property
    def json(self) -> Any:
        """Stdout as one JSON document."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """Stdout's lines."""
        return self.out.splitlines()


@dataclass
class Server:
    """A `todo serve` process."""

    url: str
    process: subprocess.Popen[str] | ForkedProcess
    log: Path

    def stop(self, number: int = signal.SIGTERM, timeout: float = 20) -> int:
        """Signal it; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout)


@dataclass
class Todo:
    """The command in an environment of its own: nothing of the machine's, a configuration in a temporary directory."""

    directory: Path
    env: dict[str, str] = field(default_factory=dict)
    server: CommandServer | None = None

    def __call__(
        self, *arguments: str, stdin: str | bytes | None = None, env: dict[str, str] | None = None, timeout: float = 60
    ) -> Result:
        """Run it to its end; stdin is empty when not given, never a terminal."""
        data = stdin.encode() if isinstance(stdin, str) else stdin or b""
        environment = self.environment(env)
        run = run_new_process if self.server is None or needs_new_process(environment) else self.server.run
        done = run(arguments, data, environment, self.directory, timeout)
        return Result(done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"), done.returncode)

    def spawn(
        self,
        *arguments: str,
        rows: int = 24,
        columns: int = 80,
        env: dict[str, str] | None = None,
        timeout: float = 30,
        command: tuple[str, ...] = COMMAND,
    ) -> Any:
        """Start it on a terminal; return pexpect's end of it."""
        environment = self.environment(env)
        if command == COMMAND and self.server is not None and not needs_new_process(environment):
            cwd = str(self.directory)
            return fork_on_terminal(
                self.server, arguments, environment, cwd, rows=rows, columns=columns, timeout=timeout
            )
        return pexpect.spawn(
            command[0],
            [*command[1:], *arguments],
            env=environment,  # type: ignore[arg-type]
            cwd=str(self.directory),
            encoding="utf-8",
            timeout=timeout,
            dimensions=(rows, columns),
        )

    def environment(self, more: dict[str, str] | None = None) -> dict[str, str]:
        """The whole environment of a run."""
        own = {"HOME": str(self.directory), "TODO_HOME": str(self.directory / "pg"), "TODO_SERVICE": "false"}
        return BARE | own | self.env | (more or {})


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def postgres() -> Iterator[LocalPostgres]:
    """The real Postgres out of the wheel (or of TODO_TEST_PG_BIN), for the whole run."""
    # not pytest's own directory: as root the server runs as another account, which must be able to get there
    home = Path(tempfile.mkdtemp(prefix="todo-tests-"))
    home.chmod(0o755)
    if bindir := os.environ.get("TODO_TEST_PG_BIN"):
        os.environ["TODO_PG_BIN"] = bindir
    server = LocalPostgres(home / "pg")
    server.ensure()
    with psycopg.connect(server.owner_url("postgres"), autocommit=True) as connection:
        # the run's data is thrown away: what is tested is not the disk
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            connection.execute(f"ALTER SYSTEM SET {setting}")  # type: ignore[arg-type]
        if connection.info.server_version >= 160000:
            # thousands of times a run, passwords that nobody guesses are hashed: half of the cost of a connection
            connection.execute("ALTER SYSTEM SET scram_iterations = 1")
            connection.execute("SET scram_iterations = 1")
            OwnerSession(connection).set_password(OWNER, Secret(server.secret("owner")))
        connection.execute("SELECT pg_reload_conf()")
    yield server
    server.destroy()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def through(postgres: LocalPostgres) -> Iterator[Callable[[str], str]]:
    """How servers and users reach a database: as its URL says, or through PgBouncer where TODO_TEST_POOLER is set.

    TODO_TEST_POOLER is the value of its `max_prepared_statements`; 0 leaves the setting out.
    """
    prepared = os.environ.get("TODO_TEST_POOLER")
    if prepared is None:
        yield lambda url: url
        return
    with run_pgbouncer(postgres.owner_url("postgres"), int(prepared)) as pooler:
        yield pooler.through


def _database(postgres: LocalPostgres, name: str, through: Callable[[str], str]) -> Database:
    return Database(
        postgres.owner_url(name),
        through(postgres.url("todo_server", "server-password", name)),
        lambda login, password: through(postgres.url(login, password, name)),
    )


@pytest.fixture(scope="session")
def template(postgres: LocalPostgres) -> str:
    """The name of a database that is migrated and empty."""
    with psycopg.connect(postgres.owner_url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE todo_template")
    migrate(postgres.owner_url("todo_template"))
    with open_owner_session(postgres.owner_url("todo_template")) as work:
        work.set_password("todo_server", Secret("server-password"))
    return "todo_template"


def _copy(postgres: LocalPostgres, template: str, through: Callable[[str], str] = str) -> Iterator[Database]:
    name = f"t{uuid4().hex[:16]}"
    with psycopg.connect(postgres.owner_url("postgres"), autocommit=True) as connection:
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        connection.execute(made)
        grants = "REVOKE ALL ON DATABASE {0} FROM PUBLIC; GRANT CONNECT ON DATABASE {0} TO todo_server, todo_worker, todo_person"
        connection.execute(sql.SQL(grants).format(sql.Identifier(name)))  # type: ignore[arg-type]
        yield _database(postgres, name, through)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def db(postgres: LocalPostgres, template: str, through: Callable[[str], str]) -> Iterator[Database]:
    """The shared database: everybody in it sees only their own."""
    for database in _copy(postgres, template, through):
        with psycopg.connect(database.owner_url, autocommit=True, prepare_threshold=None) as connection:
            yield replace(database, owner=connection)


@pytest.fixture
def fresh_db(postgres: LocalPostgres, template: str, through: Callable[[str], str]) -> Iterator[Database]:
    """A migrated database of one test's own."""
    yield from _copy(postgres, template, through)


@pytest.fixture
def person(db: Database) -> Person:
    """Somebody new."""
    return db.person()


def start_server(directory: Path, database: Database, *options: str, env: dict[str, str] | None = None) -> Server:
    """A `todo serve` on a free port, ready to answer."""
    port = free_port()
    log = directory / f"serve-{port}.log"
    environment = BARE | {"HOME": str(directory), "TODO_SERVER_DATABASE_URL": database.server_url} | (env or {})
    with log.open("w") as out:
        process = start_process("serve", "--port", str(port), *options, env=environment, out=out)
    server = Server(f"http://127.0.0.1:{port}", process, log)
    wait_for(lambda: _answers(server), f"{log.read_text()}")
    return server


def _answers(server: Server) -> bool:
    if server.process.poll() is not None:
        raise AssertionError(f"the server ended: {server.log.read_text()}")
    try:
        with urlopen(server.url + "/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def wait_for(condition: Callable[[], bool], what: str = "", timeout: float = 20) -> None:
    """Until it is true; AssertionError with `what` when it does not become so."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout} s in vain: {what}"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def server(db: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server over the shared database."""
    running = start_server(tmp_path_factory.mktemp("server"), db)
    yield running
    running.stop()


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start more servers: make_server(database, *options, env={}); they end with the test."""
    running: list[Server] = []

    def start(database: Database, *options: str, env: dict[str, str] | None = None) -> Server:
        running.append(start_server(tmp_path, database, *options, env=env))
        return running[-1]

    yield start
    for one in running:
        one.stop(signal.SIGKILL)


@pytest.fixture(scope="session")
def command_server() -> Iterator[CommandServer | None]:
    """The process that forks commands; None where each command is a new interpreter."""
    if are_processes_new():
        yield None
        return
    running = CommandServer()
    yield running
    running.close()


@pytest.fixture
def bare(tmp_path: Path, command_server: CommandServer | None) -> Todo:
    """The command on a machine where nobody has signed in."""
    return Todo(tmp_path, server=command_server)


@pytest.fixture
def as_person(
    tmp_path: Path, command_server: CommandServer | None, request: pytest.FixtureRequest
) -> Callable[..., Todo]:
    """The command as somebody: as_person(person, "direct"), or as_person(person, "api", url=...)."""

    def signed_in(who: Person, way: str, *, url: str | None = None, token: str | None = None) -> Todo:
        if way == "direct":
            where = {"TODO_DATABASE_URL": who.database_url}
        else:
            where = {"TODO_SERVER": url or request.getfixturevalue("server").url}
        directory = tmp_path / f"{who.name}-{way}"
        directory.mkdir(exist_ok=True)
        environment = where | {"TODO_TOKEN": token or who.token, "TODO_TIMEZONE": "Europe/Berlin"}
        return Todo(directory, environment, command_server)

    return signed_in


@pytest.fixture(params=["direct", "api"])
def way(request: pytest.FixtureRequest) -> str:
    """Each way in."""
    return str(request.param)


@pytest.fixture
def todo(person: Person, way: str, as_person: Callable[..., Todo]) -> Todo:
    """The command as somebody new, each way in."""
    return as_person(person, way)

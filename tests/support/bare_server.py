"""Servers that are not ready, servers that end at once, and a locked space."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import BARE, COMMAND, Database, Person, Server, free_port, wait_for
from tests.support.command_server import start_process
from tests.support.raw_http import ask


@pytest.fixture
def make_bare_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """A server that answers, ready or not: make_bare_server(url of its database, *options)."""
    running: list[Server] = []

    def start(database_url: str, *options: str, env: dict[str, str] | None = None) -> Server:
        port = free_port()
        log = tmp_path / f"bare-{port}.log"
        with log.open("w") as out:
            environment = BARE | {"HOME": str(tmp_path), "TODO_SERVER_DATABASE_URL": database_url} | (env or {})
            process = start_process("serve", "--port", str(port), *options, env=environment, out=out)
        running.append(Server(f"http://127.0.0.1:{port}", process, log))
        wait_for(lambda: _healthy(running[-1]), "healthz")
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


@contextmanager
def locked_space(db: Database, person: Person) -> Iterator[psycopg.Connection[Any]]:
    """Somebody else holds the space: writes in it wait until the block ends, or its rollback."""
    with psycopg.connect(db.owner_url) as holder:
        holder.execute("SELECT FROM todo.spaces WHERE id = %s FOR UPDATE", [person.user_id])
        yield holder
        holder.rollback()


def waits(db: Database, person: Person, count: int = 1) -> Callable[[], bool]:
    """Whether so many of the server's statements wait for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return lambda: db.execute(query)[0][0] >= count


def serve(db: Database, tmp_path: Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A server that is expected to end at once."""
    environment = BARE | {"HOME": str(tmp_path), "TODO_SERVER_DATABASE_URL": db.server_url} | env
    return subprocess.run([*COMMAND, "serve", *options], env=environment, capture_output=True, text=True, timeout=30)

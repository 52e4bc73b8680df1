"""`todo serve` as a process: shutdown, workers, sockets and addresses."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import BARE, COMMAND, Database, Person, Server, Todo, wait_for
from tests.support.bare_server import locked_space, serve, waits
from tests.support.raw_http import Answer, ask, log_lines, on
from tests.support.server_log import read_json_log


def body_of(answer: Answer) -> Any:
    assert answer.status < 400, answer
    return answer.json


def refuses(url: str) -> bool:
    there = urlsplit(url)
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((there.hostname, there.port or 0)) != 0


@pytest.mark.parametrize(("number", "workers"), [(signal.SIGTERM, 1), (signal.SIGINT, 1), (signal.SIGTERM, 2)])
def test_stop_during_a_write_lets_it_finish(
    fresh_db: Database, make_server: Callable[..., Server], number: int, workers: int
) -> None:
    person = fresh_db.person()
    server = make_server(fresh_db, "--grace", "8", "--workers", str(workers))
    idle = http.client.HTTPConnection("127.0.0.1", urlsplit(server.url).port, timeout=10)
    assert on(idle, "GET", "/healthz").status == 200
    with ThreadPoolExecutor() as pool, locked_space(fresh_db, person) as holder:
        slow = pool.submit(ask, server.url, "POST", "/v1/tasks", {"title": "slow"}, token=person.token)
        wait_for(waits(fresh_db, person))
        server.process.send_signal(number)
        wait_for(lambda: refuses(server.url), "new connections are still taken")
        assert server.process.poll() is None
        holder.rollback()
        assert body_of(slow.result(10))["title"] == "slow"
    assert server.process.wait(10) == 0
    idle.close()
    assert "Traceback" not in server.log.read_text()
    assert fresh_db.execute("SELECT count(*) FROM todo.changes") == [(1,)]


@pytest.mark.parametrize("workers", [1, 2])
def test_stop_during_a_long_request_ends_in_time(
    fresh_db: Database, make_server: Callable[..., Server], workers: int
) -> None:
    person = fresh_db.person()
    server = make_server(fresh_db, "--grace", "1", "--workers", str(workers))
    with ThreadPoolExecutor() as pool, locked_space(fresh_db, person):
        slow = pool.submit(
            ask, server.url, "POST", "/v1/tasks", {"title": "slow"}, token=person.token, Idempotency_Key="k"
        )
        wait_for(waits(fresh_db, person))
        half = socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0))
        half.sendall(b"POST /v1/tasks HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(15) == 0
        answer = slow.result(10)
        half.close()
    assert answer.status == 503
    assert answer.problem["detail"] == "the server is stopping"
    assert "retry-after" in answer.headers
    assert fresh_db.execute("SELECT count(*) FROM todo.changes") == [(0,)]
    assert {entry.get("path") for entry in read_json_log(server)} >= {"/v1/tasks"}
    assert person.token not in server.log.read_text()


def children(pid: int) -> set[int]:
    """The live workers: what multiprocessing started to serve, not its resource tracker."""
    found = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.add(int(child))
    return found


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts processes in /proc")
def test_killed_worker_of_two_is_replaced(db: Database, person: Person, make_server: Callable[..., Server]) -> None:
    server = make_server(db, "--workers", "2")
    wait_for(lambda: len(children(server.process.pid)) == 2)
    first, second = sorted(children(server.process.pid))
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: len(children(server.process.pid) - {first}) == 2)
    os.kill(second, signal.SIGSTOP)  # what answers now is the new one
    try:
        wait_for(lambda: _answers_soon(server, person))
    finally:
        os.kill(second, signal.SIGCONT)
    assert server.stop() == 0
    assert not children_left(first, second)


def _answers_soon(server: Server, person: Person) -> bool:
    try:
        return ask(server.url, "GET", "/v1/me", token=person.token, timeout=1).status == 200
    except OSError:
        return False


def children_left(*pids: int) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}").exists()}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_server_on_a_unix_socket_answers_commands(
    db: Database,
    person: Person,
    as_person: Callable[..., Todo],
    make_bare_server: Callable[..., Server],
    tmp_path: Path,
    workers: str,
) -> None:
    path = tmp_path / "s.sock"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()  # left by a server that was killed
    todo = as_person(person, "api", url=f"unix://{path}")
    env = BARE | {"HOME": str(tmp_path), "TODO_SERVER_DATABASE_URL": db.server_url}
    log = tmp_path / "uds.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [*COMMAND, "serve", "--uds", str(path), "--workers", workers], env=env, stdout=out, stderr=out
        )
    try:
        wait_for(lambda: todo("whoami").code == 0, "whoami over the socket")
        assert todo("add", "over a socket").out == "Added #1 over a socket\n"
        assert log_lines(log)[-1]["from"] == "unix"
        second = subprocess.run(
            [*COMMAND, "serve", "--uds", str(path)], env=env, capture_output=True, text=True, timeout=30
        )
        assert second.returncode == 7
        assert "is in use" in second.stderr
        assert todo("list").code == 0
    finally:
        process.terminate()
        assert process.wait(15) == 0
    assert not path.exists()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_server_on_a_used_port_fails_with_one_line(server: Server, db: Database, tmp_path: Path, workers: str) -> None:
    port = str(urlsplit(server.url).port)
    ended = serve(db, tmp_path, "--port", port, "--workers", workers)
    assert ended.returncode == 7
    assert ended.stderr == f"todo: 127.0.0.1:{port} is in use (choose another with --port)\n"


def test_server_on_an_unusable_address_fails_with_one_line(db: Database, tmp_path: Path) -> None:
    missing = str(tmp_path / "none.pem")
    tried: dict[tuple[str, ...], str] = {
        ("--host", "203.0.113.7", "--port", "0"): "cannot listen on 203.0.113.7",
        ("--uds", str(tmp_path / "no" / "where.sock")): "cannot listen on",
        ("--uds", "/tmp/" + "long" * 40): "longer than 103 bytes",
        ("--port", "0", "--certificate", missing): "cannot be used",
    }
    with ThreadPoolExecutor(2) as pool:
        for ended, says in zip(pool.map(lambda one: serve(db, tmp_path, *one), tried), tried.values(), strict=True):
            assert (ended.returncode, ended.stderr.count("\n")) == (2, 1), ended.stderr
            assert says in ended.stderr


def test_server_with_the_owner_s_login_is_refused(db: Database, tmp_path: Path) -> None:
    ended = serve(db, tmp_path, "--port", "0", TODO_SERVER_DATABASE_URL=db.owner_url)
    assert ended.returncode == 5
    assert "must not connect as the database's owner" in ended.stderr
    assert ended.stderr.count("\n") == 1
    password = urlsplit(db.owner_url).password
    assert password
    assert password not in ended.stderr


def test_server_on_port_zero_prints_its_port(db: Database, tmp_path: Path) -> None:
    env = BARE | {"HOME": str(tmp_path), "TODO_SERVER_DATABASE_URL": db.server_url}
    process = subprocess.Popen([*COMMAND, "serve", "--port", "0"], env=env, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr
        found = re.search(r"http://127\.0\.0\.1:(\d+)", process.stderr.readline())
        assert found
        wait_for(lambda: not refuses(f"http://127.0.0.1:{found[1]}"))
        assert ask(f"http://127.0.0.1:{found[1]}", "GET", "/healthz").status == 200
    finally:
        process.terminate()
        process.communicate(timeout=15)
    assert process.returncode == 0

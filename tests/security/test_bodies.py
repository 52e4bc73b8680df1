"""Unfinished requests: stalled heads and bodies, many small chunks, and more of everything than a server has room for."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn

from tests.conftest import Database, Person, Server, wait_for
from tests.support.raw_http import Answer, ask, read_answer
from todo_cli.contract.limits import MAX_BODY_BYTES
from todo_cli.errors import TooMany, Unavailable
from todo_cli.server import bodies
from todo_cli.server.bodies import Bodies, BodyTooSlow
from todo_cli.server.endpoint import read_body
from todo_cli.server.http_protocol import MAX_HEAD_BYTES, BoundedHttpProtocol

MIB = 1024 * 1024
SCOPE: dict[str, Any] = {"type": "http", "headers": []}


def open_socket(url: str, data: bytes) -> socket.socket:
    """Connect, and send these bytes."""
    address = urlsplit(url)
    sock = socket.create_connection((address.hostname, address.port or 0), timeout=10)
    sock.sendall(data)
    return sock


def head_of(person: Person, size: int) -> bytes:
    """The head of `POST /v1/tasks` with a body of this size."""
    lines = ("POST /v1/tasks HTTP/1.1", "Host: x", f"Authorization: Bearer {person.token}", f"Content-Length: {size}")
    return "\r\n".join([*lines, "", ""]).encode()


def resident_bytes(server: Server) -> int:
    """The memory of a server's process."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


# -- bodies ----------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the memory of a process from /proc")
def test_stalled_bodies_of_a_user_hold_little_memory(
    db: Database, person: Person, make_server: Callable[..., Server]
) -> None:
    """Before, 250 of them held 1 GB. The bound is well below the 200 MiB that arrive: freed memory returns late."""
    server = make_server(db)
    assert ask(server.url, "GET", "/v1/me", token=person.token).status == 200
    before = resident_bytes(server)
    with ExitStack() as opened:
        for _ in range(100):
            opened.enter_context(open_socket(server.url, head_of(person, MAX_BODY_BYTES) + b" " * (MAX_BODY_BYTES - 1)))
        assert ask(server.url, "GET", "/v1/me", token=person.token).status == 200
        assert resident_bytes(server) - before < 160 * MIB


def test_body_that_does_not_arrive_in_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_TIMEOUT_SECONDS", 0.05)

    async def receive() -> Any:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b" ", "more_body": True}

    with pytest.raises(BodyTooSlow, match="did not arrive") as refused:
        asyncio.run(read(receive))
    assert refused.value.status == 408


async def read(receive: Callable[[], Any]) -> bytes:
    """Read a body as an endpoint does."""
    async with Bodies().open(SCOPE, receive, "ann") as body:
        return await read_body(SCOPE, body.receive)


def receive_chunks(count: int, chunk: bytes = b" ") -> Callable[[], Any]:
    """Return the `receive` of a body in so many chunks."""
    remaining = iter(range(count - 1, -1, -1))

    async def receive() -> Any:
        return {"type": "http.request", "body": chunk, "more_body": next(remaining) > 0}

    return receive


def seconds_to_read(count: int) -> float:
    started = time.process_time()
    assert len(asyncio.run(read(receive_chunks(count)))) == count
    return time.process_time() - started


def test_body_of_many_small_chunks_costs_in_proportion_to_them() -> None:
    """Eight times the chunks cost sixty-four times the time where each copies all before it."""
    assert min(seconds_to_read(200_000) / seconds_to_read(25_000) for _ in range(3)) < 24


def test_arriving_bytes_are_bounded_for_a_user_and_for_all() -> None:
    counted = Bodies()
    counted.count("ann", bodies.MAX_ARRIVING_BYTES_PER_USER)
    with pytest.raises(TooMany):
        counted.count("ann", 1)
    counted.release("ann", 1)
    for number in range(bodies.MAX_ARRIVING_BYTES // bodies.MAX_ARRIVING_BYTES_PER_USER - 1):
        counted.count(f"user {number}", bodies.MAX_ARRIVING_BYTES_PER_USER)
    with pytest.raises(Unavailable, match="too many large requests"):
        counted.count("ben", 1)


def test_body_gives_its_bytes_back_when_read_or_given_up() -> None:
    counted = Bodies()

    async def read_some(count: int) -> None:
        async with counted.open(SCOPE, receive_chunks(2, b" " * MIB), "ann") as body:
            for _ in range(count):
                await body.receive()

    for _ in range(10):
        asyncio.run(read_some(1))
        asyncio.run(read_some(2))
    counted.count("ann", bodies.MAX_ARRIVING_BYTES_PER_USER)


def test_body_that_is_declared_too_large_is_refused_unread(server: Server, person: Person) -> None:
    with open_socket(server.url, head_of(person, MAX_BODY_BYTES + 1)) as sock:
        answer = read_answer(sock)
    assert (answer.status, answer.problem["detail"]) == (422, "the request is larger than 2 MiB")


# -- heads and connections -------------------------------------------------------------------------


class HastyProtocol(BoundedHttpProtocol):
    """The protocol with time limits that a test can wait for."""

    head_timeout_seconds = 0.3
    discard_seconds = 0.3


async def answer_early(scope: Any, receive: Any, send: Any) -> None:
    """Answer without reading the body; `/slow` after a while."""
    await asyncio.sleep(0.8 if scope["path"] == "/slow" else 0)
    status = 503 if scope["state"]["overloaded"] else 200
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def hasty_url() -> Iterator[str]:
    """The address of a server with that protocol, for two connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            answer_early, http=HastyProtocol, limit_concurrency=2, lifespan="off", log_level="critical", ws="none"
        )
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run, args=([listener],))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        running.should_exit = True
        thread.join(10)


HEADS = {
    "nothing": b"",
    "a request line": b"GET / HTTP/1.1\r\n",
    "half a header": b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ",
    "a line break after a request": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n\r\n",
    "half a second request": b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT",
    "a body after its answer": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nxxx",
}


@pytest.mark.parametrize("name", HEADS)
def test_connection_that_stalls_is_closed(hasty_url: str, name: str) -> None:
    with open_socket(hasty_url, HEADS[name]) as sock:
        sock.settimeout(30)  # the server may still be starting on a busy machine
        while sock.recv(65536):
            pass


def test_connection_that_drips_a_body_after_its_answer_is_closed(hasty_url: str) -> None:
    with open_socket(hasty_url, HEADS["a body after its answer"]) as sock:
        assert read_answer(sock).status == 200
        wait_for(lambda: not _accepts(sock, b"x"), "the connection stays open")


def _accepts(sock: socket.socket, data: bytes) -> bool:
    try:
        sock.sendall(data)
    except OSError:
        return False
    return True


def test_slow_answer_and_a_kept_connection_outlive_the_head_timeout(hasty_url: str) -> None:
    request = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
    with open_socket(hasty_url, request) as sock:
        assert read_answer(sock).status == 200
        time.sleep(0.6)
        sock.sendall(request)
        assert read_answer(sock).status == 200


@pytest.mark.parametrize(
    "head", [b"GET / HTTP/1.1\r\nX: " + b"y" * MAX_HEAD_BYTES, b"GET /" + b"y" * MAX_HEAD_BYTES, b"X:y\r\n" * 20_000]
)
def test_endless_head_is_refused(hasty_url: str, head: bytes) -> None:
    first = b"" if head.startswith(b"GET") else b"GET / HTTP/1.1\r\n"
    with open_socket(hasty_url, first + head) as sock:
        answer = read_answer(sock)
        assert (answer.status, answer.headers["content-type"]) == (431, "application/problem+json")
        assert "65,536 bytes" in answer.json["detail"]


def test_connections_beyond_the_limit_are_marked_and_recover(hasty_url: str) -> None:
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

    def status_of(sock: socket.socket) -> int:
        sock.sendall(request)
        return read_answer(sock).status

    with open_socket(hasty_url, b"") as first, open_socket(hasty_url, b"") as second:
        assert [status_of(first), status_of(second)] == [200, 200]
        with open_socket(hasty_url, b"") as third:
            assert status_of(third) == 503
    wait_for(lambda: _answers(hasty_url))


def _answers(url: str) -> bool:
    return ask(url, "GET", "/").status == 200


def test_overloaded_server_answers_503_without_the_database(db: Database, make_server: Callable[..., Server]) -> None:
    server = make_server(db, env={"TODO_CONNECTIONS": "3"})
    with ExitStack() as opened:
        for _ in range(3):
            opened.enter_context(open_socket(server.url, b""))
        answer: Answer = ask(server.url, "GET", "/v1/tasks", token="todo_forged")
    assert (answer.status, answer.headers["retry-after"], answer.headers["connection"]) == (503, "1", "close")
    assert answer.problem["detail"] == "the server has too many connections"
    wait_for(lambda: ask(server.url, "GET", "/healthz").status == 200)

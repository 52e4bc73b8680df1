"""Clients of `todo serve` behind proxies, and clients that misbehave."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import Database, Person, Server, Todo, wait_for
from tests.support.bare_server import locked_space, waits
from tests.support.raw_http import ask, log_lines, on
from todo_cli.local_postgres.cluster import LocalPostgres


@pytest.mark.parametrize(("proxies", "logged"), [("127.0.0.1", "203.0.113.9"), ("10.0.0.0/8", "127.0.0.1")])
def test_forwarded_address_is_used_from_trusted_proxies_only(
    db: Database, make_server: Callable[..., Server], proxies: str, logged: str
) -> None:
    server = make_server(db, env={"TODO_PROXIES": proxies})
    ask(server.url, "GET", "/healthz", X_Forwarded_For="6.6.6.6, 203.0.113.9", X_Request_Id="via")
    wait_for(lambda: "via" in server.log.read_text())
    assert [entry["from"] for entry in log_lines(server.log) if entry["request_id"] == "via"] == [logged]


def test_connection_with_200_requests_answers_all(server: Server, person: Person) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(server.url).port, timeout=30)
    connection.connect()
    used = connection.sock
    for index in range(100):
        assert (
            on(connection, "POST", "/v1/tasks", {"title": f"t{index}"}, token=person.token).json["number"] == index + 1
        )
        assert on(connection, "GET", f"/v1/tasks/{index + 1}", token=person.token).status == 200
    assert connection.sock is used
    connection.close()


def test_connection_with_two_pipelined_requests_answers_both(server: Server, person: Person) -> None:
    one = f"GET /v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.token}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=10) as sock:
        sock.sendall(one + one)
        data = b""
        while data.count(b'"user_id"') < 2:
            data += sock.recv(65536)
    assert data.count(b"HTTP/1.1 200") == 2


def test_client_that_disconnects_returns_its_pooled_connection(
    fresh_db: Database, make_server: Callable[..., Server]
) -> None:
    person = fresh_db.person()
    server = make_server(fresh_db, env={"TODO_POOL_SIZE": "2"})
    head = f"POST /v1/tasks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.token}\r\nContent-Type: application/json\r\n"
    port = urlsplit(server.url).port or 0
    for _ in range(6):  # in the middle of the body
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.sendall(f"{head}Content-Length: 50\r\n\r\n{{".encode())
    with locked_space(fresh_db, person):  # while its statement waits
        for index in range(4):
            body = json.dumps({"title": f"gone {index}"})
            with socket.create_connection(("127.0.0.1", port)) as sock:
                sock.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
                if index < 2:
                    wait_for(waits(fresh_db, person, index + 1))
    for _ in range(4):
        assert ask(server.url, "GET", "/v1/me", token=person.token).status == 200
    assert ask(server.url, "POST", "/v1/tasks", {"title": "here"}, token=person.token).status == 201
    connections = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'todo_server' AND datname = current_database()"
    assert fresh_db.execute(connections)[0][0] <= 2


def test_incomplete_requests_do_not_block_other_clients(server: Server, person: Person) -> None:
    port = urlsplit(server.url).port or 0
    halves = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
    try:
        for index, sock in enumerate(halves):
            sock.sendall(
                b"GET /v1/tasks HTT" if index % 2 else b"POST /v1/tasks HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"
            )
        assert ask(server.url, "GET", "/v1/me", token=person.token, timeout=10).status == 200
    finally:
        for sock in halves:
            sock.close()


def test_many_failed_sign_ins_are_rate_limited(fresh_db: Database, make_server: Callable[..., Server]) -> None:
    person = fresh_db.person()
    server = make_server(fresh_db)
    wrong = person.token[:-4] + "AAAA"
    answers = [ask(server.url, "GET", "/v1/me", token=wrong) for _ in range(70)]  # two limits: the minute may turn
    assert answers[0].status == 401
    slowed = [answer for answer in answers if answer.status == 429]
    assert slowed
    assert slowed[-1].problem["type"] == "urn:todo:too-many"
    assert int(slowed[-1].headers["retry-after"]) > 0
    assert ask(server.url, "GET", "/v1/me", token=person.token).status == 200
    other = fresh_db.person()
    assert ask(server.url, "GET", "/v1/me", token=other.token[:-4] + "AAAA").status == 401


def test_slow_reader_does_not_block_other_clients(server: Server, person: Person) -> None:
    for _ in range(3):
        tasks = [{"title": "x" * 1000} for _ in range(900)]
        assert ask(server.url, "POST", "/v1/tasks/batch", {"tasks": tasks}, token=person.token).status == 200
    request = f"GET /v1/tasks?limit=1000 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.token}\r\n\r\n".encode()
    readers = [socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0)) for _ in range(12)]
    try:
        for sock in readers:
            sock.sendall(request)
        assert ask(server.url, "GET", "/v1/me", token=person.token, timeout=15).status == 200
    finally:
        for sock in readers:
            sock.close()


def test_server_on_the_local_postgres_answers_commands(postgres: LocalPostgres, tmp_path: Path, bare: Todo) -> None:
    """Without a URL and without a database: one line that says what to do."""
    result = bare("serve", "--port", "0")
    assert result.code == 7
    assert result.err.count("\n") == 1
    assert "todo init" in result.err

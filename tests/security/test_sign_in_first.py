"""Nothing acts before sign-in: every route, also one added later, refuses a forged token by its headers alone."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from tests.conftest import Database, Person, Server
from tests.support.connections import token_for
from tests.support.raw_http import Answer, ask, read_answer
from todo_cli.contract.ids import new_id
from todo_cli.server.app import PathRoutes, build_routes
from todo_cli.server.sign_in import PUBLIC_PATHS

PUBLIC = {"/healthz", "/readyz", "/openapi.json"} | {
    "/v1/sign_ins",
    "/v1/registrations",
    "/v1/password_resets",
    "/v1/device_codes",
    "/v1/device_sessions",
}


def every_route() -> Iterator[tuple[str, str]]:
    """Yield method and path of each route of the application, and some that it does not have."""
    stand_in = cast(Any, SimpleNamespace(post=None, get=None, answers={}, pool=None))
    for route in build_routes(stand_in, stand_in, stand_in, stand_in, stand_in, stand_in):
        methods = cast(PathRoutes, route.endpoint).methods
        path = route.path.replace("{number}", "1").replace("{name:path}", "x").replace("{id}", new_id())
        yield from ((method, path.replace("{turn}", new_id())) for method in methods)
    yield from (("GET", "/mcp"), ("DELETE", "/mcp"), ("GET", "/v1/nothing"), ("PUT", "/v1/tasks"), ("OPTIONS", "/"))


def send_head(server: Server, method: str, path: str, token: str) -> Answer:
    """Send the head of a request with a body of a megabyte, and no byte of the body; return the answer."""
    address = urlsplit(server.url)
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 1000000\r\n\r\n"
    with socket.create_connection((address.hostname, address.port or 0), timeout=10) as sock:
        sock.sendall(head.encode())
        return read_answer(sock)


def test_public_paths_are_known_and_have_reasons() -> None:
    assert PUBLIC_PATHS.keys() == PUBLIC
    assert all(PUBLIC_PATHS.values())


def test_every_route_answers_a_forged_token_from_the_headers_alone(
    server: Server, db: Database, forged: str, person: Person
) -> None:
    routes = sorted({route for route in every_route() if route[1] not in PUBLIC})
    assert len(routes) > 60
    for method, path in routes:
        db.execute("DELETE FROM todo.failures WHERE user_id = %s", person.user_id)
        answer = send_head(server, method, path, forged)
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer"), (method, path)
        assert answer.problem["type"] == "urn:todo:not-signed-in"
        counted = db.execute("SELECT hits FROM todo.failures WHERE user_id = %s", person.user_id)
        assert counted == [(1,)], (method, path)


@pytest.fixture
def forged(person: Person) -> str:
    """A token that names an existing account, with another secret."""
    return person.token[:-1] + ("a" if person.token[-1] != "a" else "b")


def test_model_names_are_not_told_to_a_forged_token(chatless_body: dict[str, Any], server: Server, forged: str) -> None:
    answer = ask(server.url, "POST", "/v1/turns", chatless_body, token=forged)
    assert (answer.status, b"model" in answer.body) == (401, False)


@pytest.fixture
def chatless_body() -> dict[str, Any]:
    return {"turn": new_id(), "conversation": new_id(), "text": "hi", "model": "no-such-model"}


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_mcp_offers_no_stream_and_no_session(server: Server, person: Person, method: str) -> None:
    answer = ask(server.url, method, "/mcp", token=person.token, Accept="text/event-stream")
    assert (answer.status, answer.headers["allow"]) == (405, "OPTIONS, POST")


MESSAGES = {"initialize": {}, "tools/list": {}, "resources/list": {}, "prompts/list": {}, "ping": {}}


@pytest.mark.parametrize("message", MESSAGES)
def test_mcp_message_of_a_revoked_token_is_refused_at_once(
    server: Server, db: Database, person: Person, message: str
) -> None:
    def send() -> Answer:
        body = {"jsonrpc": "2.0", "id": 1, "method": message, "params": MESSAGES[message]}
        accept = "application/json, text/event-stream"
        return ask(server.url, "POST", "/mcp", body, token=token, Accept=accept)

    token = token_for(db, person, "all")
    assert send().status != 401
    revoke(db, person)
    assert send().status == 401


def revoke(db: Database, person: Person) -> None:
    db.execute("UPDATE todo.tokens SET revoked_at = clock_timestamp() WHERE user_id = %s", person.user_id)


REQUESTS_OF_A_REMEMBERED_TOKEN: dict[str, tuple[str, str, Any]] = {
    "read": ("GET", "/v1/tasks", None),
    "write": ("POST", "/v1/tasks", {"title": "x"}),
    "stream": ("GET", f"/v1/turns/{new_id()}/events", None),
    "models": ("GET", "/v1/models", None),
    "turn": ("POST", "/v1/turns", {"turn": new_id(), "conversation": new_id(), "text": "x", "model": "m"}),
}


@pytest.mark.parametrize("kind", REQUESTS_OF_A_REMEMBERED_TOKEN)
def test_token_that_was_valid_a_moment_ago_is_refused_once_revoked(
    server: Server, db: Database, person: Person, kind: str
) -> None:
    method, path, body = REQUESTS_OF_A_REMEMBERED_TOKEN[kind]
    assert ask(server.url, "GET", "/v1/me", token=person.token).status == 200
    revoke(db, person)
    assert ask(server.url, method, path, body, token=person.token).status == 401


def test_check_before_a_request_is_not_counted_by_the_rate_limit(server: Server, db: Database, person: Person) -> None:
    db.execute("UPDATE todo.users SET per_minute = 100 WHERE id = %s", person.user_id)
    for _ in range(3):
        assert ask(server.url, "POST", "/v1/tasks", {"title": "x"}, token=person.token).status == 201
    recorded = "SELECT cardinality(moments) FROM todo.recent_requests WHERE user_id = %s"
    assert db.execute(recorded, person.user_id) == [(3,)]

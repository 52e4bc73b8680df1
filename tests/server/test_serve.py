"""`todo serve` over HTTP: health, and a problem document for every error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Database, Person, Server, Todo
from tests.support.raw_http import ask, raw
from todo_cli.db.schema_version import SCHEMA_VERSION

ABSENT = "00000000-0000-4000-8000-000000000000"


def test_server_with_a_database_is_healthy_and_ready(server: Server) -> None:
    assert ask(server.url, "GET", "/healthz").json["status"] == "ok"
    assert ask(server.url, "GET", "/readyz").json == {"status": "ready"}
    head = ask(server.url, "HEAD", "/healthz")
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize("path", ["/healthz", "/v1/tasks", "/nowhere"])
def test_answer_names_no_software_and_is_taken_for_its_type_only(server: Server, path: str) -> None:
    headers = {name.lower(): value for name, value in ask(server.url, "GET", path).headers.items()}
    assert "server" not in headers
    assert headers["x-content-type-options"] == "nosniff"


def test_server_without_a_database_is_not_ready(make_bare_server: Callable[..., Server], db: Database) -> None:
    url = re.sub(r"host=[^&]*", "host=/nowhere", db.server_url)
    server = make_bare_server(url)
    assert ask(server.url, "GET", "/healthz").status == 200
    ready = ask(server.url, "GET", "/readyz")
    assert (ready.status, ready.json["reason"]) == (503, "the database cannot be reached")


def test_server_on_an_unmigrated_or_another_database_is_not_ready(
    fresh_db: Database, make_bare_server: Callable[..., Server]
) -> None:
    server = make_bare_server(fresh_db.server_url)
    assert ask(server.url, "GET", "/readyz").status == 200
    person = fresh_db.person()
    later = SCHEMA_VERSION + 2
    fresh_db.execute("UPDATE todo.schema SET version = %s, oldest = %s", later, later - 1)
    ready = ask(server.url, "GET", "/readyz")
    assert ready.status == 503
    assert f"the database has {later} and supports {later - 1} and newer" in ready.json["reason"]
    old = ask(server.url, "GET", "/v1/tasks", token=person.token)
    assert (old.status, old.problem["hint"]) == (503, "upgrade todo on this machine")
    fresh_db.execute("UPDATE todo.schema SET version = 0, oldest = 0")
    assert ask(server.url, "GET", "/readyz").status == 503
    fresh_db.execute("DROP SCHEMA todo CASCADE")
    ready = ask(server.url, "GET", "/readyz")
    assert (ready.status, ready.json["reason"]) == (503, "the database is not set up, run: todo db migrate")
    assert ask(server.url, "GET", "/v1/tasks", token=person.token).problem["type"] == "urn:todo:unavailable"


BAD: dict[str, tuple[str, str, Any, dict[str, str], int, str]] = {  # method, target, body, headers, status, says
    "no route": ("GET", "/v1/nothing", None, {}, 404, "no such path"),
    "a slash too many": ("GET", "/v1/tasks/", None, {}, 404, "no such path"),
    "the root": ("GET", "/", None, {}, 404, "no such path"),
    "another method": ("DELETE", "/v1/tasks", None, {}, 405, "this path has no method DELETE"),
    "a method of nobody's": ("BREW", "/v1/tasks", None, {}, 400, ""),
    "bad JSON": ("POST", "/v1/tasks", b"{", {"Content_Type": "application/json"}, 422, "truncated"),
    "not an object": ("POST", "/v1/tasks", [1], {}, 422, "object"),
    "not UTF-8": ("POST", "/v1/tasks", b'{"title": "\xff"}', {}, 422, "UTF-8|utf-8"),
    "no title": ("POST", "/v1/tasks", {}, {}, 422, "title"),
    "an unknown field": ("POST", "/v1/tasks", {"title": "x", "colour": "red"}, {}, 422, "colour"),
    "a number for a title": ("POST", "/v1/tasks", {"title": 5}, {}, 422, "title"),
    "too long a title": ("POST", "/v1/tasks", {"title": "x" * 1001}, {}, 422, "title is longer than 1,000"),
    "3 MB": ("POST", "/v1/tasks", {"title": "x", "note": "y" * (3 << 20)}, {}, 422, "larger than 2 MiB"),
    "a form": ("POST", "/v1/tasks", b"title=x", {"Content_Type": "application/x-www-form-urlencoded"}, 422, "json"),
    "no type": ("POST", "/v1/tasks", b"{}", {"Content_Type": ""}, 422, "json"),
    "an unknown query": ("GET", "/v1/tasks?colour=red", None, {}, 422, "colour"),
    "a query that is no number": ("GET", "/v1/tasks?limit=many", None, {}, 422, "limit"),
    "a limit of none": ("GET", "/v1/tasks?limit=0", None, {}, 422, "limit must be at least 1"),
    "a limit too high": ("GET", "/v1/tasks?limit=1001", None, {}, 422, "limit must be at most 1,000"),
    "a query twice": ("GET", "/v1/tasks?limit=1&limit=2", None, {}, 422, "limit is given twice"),
    "an empty query value": ("GET", "/v1/tasks?project=", None, {}, 422, "project is empty"),
    "a query that is not UTF-8": ("GET", "/v1/tasks?project=%ff", None, {}, 422, "UTF-8"),
    "a bad cursor": ("GET", "/v1/tasks?cursor=x", None, {}, 422, "cursor"),
    "task zero": ("GET", "/v1/tasks/0", None, {}, 422, "number must be at least 1"),
    "task minus one": ("GET", "/v1/tasks/-1", None, {}, 422, "number must be at least 1"),
    "task of a name": ("GET", "/v1/tasks/milk", None, {}, 422, "number"),
    "task of a float": ("GET", "/v1/tasks/1.5", None, {}, 422, "number"),
    "task beyond 64 bits": ("GET", "/v1/tasks/99999999999999999999", None, {}, 422, "number"),
    "a task that is not there": ("GET", "/v1/tasks/4711", None, {}, 404, "task #4711 does not exist"),
    "two numbers": ("GET", "/v1/tasks/1?number=2", None, {}, 422, "number has one value in the path"),
    "a name in the path, another beside it": (
        "PATCH",
        "/v1/users/ann",
        {"name": "bob"},
        {},
        422,
        "name has one value in the path",
    ),
    "a space that is no id": ("GET", "/v1/tasks", None, {"Todo_Space": "home"}, 422, "Todo-Space"),
    "a space of nobody's": ("GET", "/v1/tasks", None, {"Todo_Space": ABSENT}, 403, "no such space"),
    "a time zone of nowhere": ("GET", "/v1/tasks", None, {"Time_Zone": "Mars/Olympus"}, 422, "unknown time zone"),
    "a path as a time zone": ("GET", "/v1/tasks", None, {"Time_Zone": "../../etc/passwd"}, 422, "unknown time zone"),
    "an empty key": ("POST", "/v1/tasks", {"title": "x"}, {"Idempotency_Key": ""}, 422, "Idempotency-Key"),
    "too long a key": ("POST", "/v1/tasks", {"title": "x"}, {"Idempotency_Key": "k" * 201}, 422, "1 to 200"),
    "a key with a bell": ("POST", "/v1/tasks", {"title": "x"}, {"Idempotency_Key": "a\xfe"}, 422, "Idempotency-Key"),
    "a group that is no id": (
        "POST",
        "/v1/tasks/batch",
        {"tasks": [{"title": "x"}], "group": "------------------------------------"},
        {},
        422,
        "",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_refusal_of_any_kind_is_a_problem_document(server: Server, person: Person, name: str) -> None:
    method, target, body, headers, status, says = BAD[name]
    answer = ask(server.url, method, target, body, token=person.token, **headers)
    assert answer.status == status, answer
    if status != 400:  # a method that the parser does not know is refused before there is a request
        assert re.search(says, answer.problem["detail"]), answer.problem
        assert answer.problem["detail"].count("\n") == 0


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic dG9kbzp0b2Rv", "todo_abc", "Bearer a b c", "Bearer \xe9\xff", "bearer x"],
)
def test_request_without_a_valid_authorization_is_refused(server: Server, header: str | None) -> None:
    answer = ask(server.url, "GET", "/v1/tasks", **({} if header is None else {"Authorization": header}))
    assert answer.status in (401, 429)  # many of these from one address in a minute
    assert answer.problem["type"] in ("urn:todo:not-signed-in", "urn:todo:too-many")
    if answer.status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"


def test_path_with_a_wrong_method_lists_every_allowed_method(server: Server, person: Person) -> None:
    answer = ask(server.url, "PUT", "/v1/tasks", token=person.token)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS, PATCH, POST")
    assert answer.problem["type"] == "urn:todo:invalid"
    options = ask(server.url, "OPTIONS", "/v1/tasks", token=person.token)
    assert (options.status, options.headers["allow"], options.body) == (204, "GET, HEAD, OPTIONS, PATCH, POST", b"")
    assert ask(server.url, "POST", "/healthz").headers["allow"] == "GET, HEAD, OPTIONS"
    assert ask(server.url, "PUT", "/v1/tasks/1", token=person.token).headers["allow"] == "GET, HEAD, OPTIONS"


def test_head_request_returns_get_without_its_body(server: Server, person: Person) -> None:
    full = ask(server.url, "GET", "/v1/tasks", token=person.token)
    head = ask(server.url, "HEAD", "/v1/tasks", token=person.token)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(full.body))


def test_path_with_an_escaped_slash_finds_the_name(
    server: Server, person: Person, as_person: Callable[..., Todo]
) -> None:
    todo = as_person(person, "api")
    assert todo("token", "create", "--name", "ci/cd 100% ü", "--scopes", "read").code == 0
    assert todo("token", "revoke", "ci/cd 100% ü").code == 0
    assert todo("token", "revoke", "a/b").code == 3


def test_bytes_that_are_not_http_are_refused(server: Server) -> None:
    refused = raw(server.url, b"\x16\x03\x01\x02garbage\r\n\r\n")
    assert refused.startswith(b"HTTP/1.1 400 ")
    assert json.loads(refused.partition(b"\r\n\r\n")[2])["detail"] == "this is not a valid HTTP request"
    assert raw(server.url, b"GET / HTTP/1.1\r\nX: " + b"y" * 300_000 + b"\r\n\r\n")[9:12] in (
        b"400",
        b"431",
        b"404",
        b"",
    )
    assert ask(server.url, "GET", "/healthz").status == 200

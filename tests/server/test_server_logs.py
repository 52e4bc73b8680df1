"""The log of `todo serve`: request ids, one line without secrets, and the trace of a bug."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.conftest import Database, Person, Server, wait_for
from tests.support.raw_http import ask, log_lines


def test_request_id_of_a_client_is_kept_if_valid(server: Server) -> None:
    assert ask(server.url, "GET", "/healthz", X_Request_Id="abc-1.2_3").headers["x-request-id"] == "abc-1.2_3"
    for insane in ("", "a b", "x" * 101, "ü", 'a"b', "../x"):
        given = ask(server.url, "GET", "/healthz", X_Request_Id=insane).headers["x-request-id"]
        assert given != insane
        assert re.fullmatch(r"[0-9a-f-]{36}", given)


def test_log_of_a_request_is_one_line_without_secrets(
    db: Database, person: Person, make_server: Callable[..., Server]
) -> None:
    server = make_server(db)
    ask(server.url, "GET", "/v1/tasks?project=geheim", token=person.token, X_Request_Id="r-1")
    ask(server.url, "POST", "/v1/tasks", {"title": "vertraulich"}, token=person.token, Idempotency_Key="schluessel")
    ask(server.url, "GET", "/v1/tasks", token="todo_" + "0" * 32 + "_falsch")
    ask(server.url, "GET", "/no/such%0A%1B[31m%C2%9B%E2%80%A8", token=person.token)
    wait_for(lambda: "/no/such" in server.log.read_text())
    lines = [entry for entry in log_lines(server.log) if entry["path"] != "/readyz"]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("GET", "/v1/tasks", 200),
        ("POST", "/v1/tasks", 201),
        ("GET", "/v1/tasks", 401),
        ("GET", "/no/such\n\x1b[31m\x9b\u2028", 404),
    ]
    assert lines[0].keys() == {"at", "request_id", "from", "method", "path", "status", "ms"}
    assert lines[0]["request_id"] == "r-1"
    assert lines[0]["from"] == "127.0.0.1"
    text = server.log.read_text()
    for secret in (
        person.token,
        person.token.rpartition("_")[2],
        "geheim",
        "vertraulich",
        "schluessel",
        "falsch",
        "server-password",
    ):
        assert secret not in text
    assert "\x1b" not in text


def test_bug_in_a_handler_answers_500_and_logs_the_trace(
    fresh_db: Database, make_server: Callable[..., Server]
) -> None:
    person, server = fresh_db.person(), make_server(fresh_db)
    fresh_db.execute("ALTER TABLE todo.tasks RENAME COLUMN note TO scribble")
    answer = ask(server.url, "POST", "/v1/tasks", {"title": "vertraulich"}, token=person.token, X_Request_Id="bug-1")
    assert answer.status == 500
    assert answer.problem["type"] == "urn:todo:bug"
    assert b"scribble" not in answer.body
    assert b"Traceback" not in answer.body
    wait_for(lambda: len(log_lines(server.log)) >= 2 and "trace" in server.log.read_text())
    entry = next(entry for entry in log_lines(server.log) if "trace" in entry)
    assert entry["request_id"] == "bug-1"
    assert entry["error"] == "UndefinedColumn"
    assert "todo_cli/core/" in entry["trace"]
    assert "vertraulich" not in server.log.read_text()
    fresh_db.execute("ALTER TABLE todo.tasks RENAME COLUMN scribble TO note")
    assert ask(server.url, "POST", "/v1/tasks", {"title": "x"}, token=person.token).status == 201

"""`todo serve` as a process: health, errors, logs, shutdown, workers, sockets, proxies and misbehaving clients."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.conftest import BARE, COMMAND, Database, Person, Server, Todo, free_port, wait_for
from tests.support.raw_http import Answer, ask, log_lines, on, raw
from tests.support.server_log import read_json_log
from todo_cli.db.schema_version import SCHEMA_VERSION
from todo_cli.local_postgres.cluster import LocalPostgres

ABSENT = "00000000-0000-4000-8000-000000000000"


def body_of(answer: Answer) -> Any:
    assert answer.status < 400, answer
    return answer.json


# -- health ----------------------------------------------------------------------------------------


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


@pytest.fixture
def make_bare_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """A server that answers, ready or not: make_bare_server(url of its database, *options)."""
    running: list[Server] = []

    def start(database_url: str, *options: str, env: dict[str, str] | None = None) -> Server:
        port = free_port()
        log = tmp_path / f"bare-{port}.log"
        with log.open("w") as out:
            process = subprocess.Popen(
                [*COMMAND, "serve", "--port", str(port), *options],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=BARE | {"HOME": str(tmp_path), "TODO_SERVER_DATABASE_URL": database_url} | (env or {}),
                text=True,
            )
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


# -- errors ----------------------------------------------------------------------------------------

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
    assert raw(server.url, b"\x16\x03\x01\x02garbage\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert raw(server.url, b"GET / HTTP/1.1\r\nX: " + b"y" * 300_000 + b"\r\n\r\n")[9:12] in (
        b"400",
        b"431",
        b"404",
        b"",
    )
    assert ask(server.url, "GET", "/healthz").status == 200


# -- request ids, log ------------------------------------------------------------------------------


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


# -- stopping --------------------------------------------------------------------------------------


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


# -- workers, sockets, addresses -------------------------------------------------------------------


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


def serve(db: Database, tmp_path: Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A server that is expected to end at once."""
    environment = BARE | {"HOME": str(tmp_path), "TODO_SERVER_DATABASE_URL": db.server_url} | env
    return subprocess.run([*COMMAND, "serve", *options], env=environment, capture_output=True, text=True, timeout=30)


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


@pytest.mark.parametrize(("proxies", "logged"), [("127.0.0.1", "203.0.113.9"), ("10.0.0.0/8", "127.0.0.1")])
def test_forwarded_address_is_used_from_trusted_proxies_only(
    db: Database, make_server: Callable[..., Server], proxies: str, logged: str
) -> None:
    server = make_server(db, env={"TODO_PROXIES": proxies})
    ask(server.url, "GET", "/healthz", X_Forwarded_For="6.6.6.6, 203.0.113.9", X_Request_Id="via")
    wait_for(lambda: "via" in server.log.read_text())
    assert [entry["from"] for entry in log_lines(server.log) if entry["request_id"] == "via"] == [logged]


# -- impolite clients ------------------------------------------------------------------------------


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

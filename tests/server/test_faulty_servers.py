"""Faulty servers: the client prints one line, exits with the right code in time, and leaks no token."""

from __future__ import annotations

import gzip
import json
import re
import socket
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import COMMAND, Todo, free_port
from tests.support.clients_of_fakes import (
    GENEROUS,
    GOOD,
    HEAD,
    TASK,
    TOKEN,
    make_command,
    prepare_client,
    read_error_line,
    send_add,
)
from tests.support.fake_server import (
    Script,
    read_request,
    run_fake_server,
    send_bytes,
    send_megabytes,
    send_response,
    send_slowly,
    sleep_past_timeout,
)
from todo_cli.clients.http import HttpClient
from todo_cli.errors import TodoError


class Fault(NamedTuple):
    """The script of a server, and the error that the client reports."""

    script: Script
    says: str
    code: int = 7
    doubt: bool = False  # the request may have been carried out


def send_problem(document: bytes, status: str = "503 Service Unavailable") -> Script:
    return send_response(document, status, "application/problem+json")


FAULTS = {
    "hangs": Fault(lambda sock, request: sleep_past_timeout(), "no answer in time", doubt=True),
    "hangs after headers": Fault(
        send_bytes(HEAD + b"Content-Length: 5\r\n\r\n", sleep_past_timeout), "no answer in time", doubt=True
    ),
    "drips its headers": Fault(send_slowly(HEAD + b"X-Long: "), "no answer in time", doubt=True),
    "drips its body": Fault(send_slowly(HEAD + b"Content-Length: 5000\r\n\r\n"), "no answer in time", doubt=True),
    "drips a chunk's size": Fault(
        send_slowly(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;", b"x"), "no answer in time", doubt=True
    ),
    "HTML 200": Fault(send_response(b"<h1>Hello</h1>", kind="text/html"), "answered 200 with text/html"),
    "HTML 502": Fault(
        send_response(b"<h1>Bad gateway</h1>", "502 Bad Gateway", "text/html"),
        "answered 502 with text/html",
        doubt=True,
    ),
    "HTML 404": Fault(send_response(b"<h1>No</h1>", "404 Not Found", "text/html"), "answered 404 with text/html"),
    "closes at once": Fault(lambda sock, request: None, "cannot be reached", doubt=True),
    "closes in its headers": Fault(
        send_bytes(HEAD), "cannot be reached|with no content|cannot read|answered 200", doubt=True
    ),
    "closes in its body": Fault(send_bytes(HEAD + b"Content-Length: 900\r\n\r\n{"), "cannot be reached", doubt=True),
    "closes in a chunk": Fault(
        send_bytes(HEAD + b"Transfer-Encoding: chunked\r\n\r\n400\r\n{"), "cannot be reached", doubt=True
    ),
    "garbage": Fault(send_bytes(b"\x00\xff\x16\x03garbage\r\n\r\n"), "cannot be reached", doubt=True),
    "speaks SMTP": Fault(send_bytes(b"220 mail.example ESMTP\r\n"), "cannot be reached", doubt=True),
    "endless headers": Fault(
        send_bytes(HEAD + b"X-A: " + b"y" * 200_000 + b"\r\n\r\n"), "cannot be reached", doubt=True
    ),
    "100 MB": Fault(send_megabytes(100), "larger than 64 MiB"),
    "not JSON": Fault(send_response(b"{nope"), "cannot read", doubt=True),
    "not UTF-8": Fault(send_response(b'{"title": "\xff\xfe"}'), "cannot read", doubt=True),
    "another shape": Fault(send_response(b'{"number": "seven"}'), "cannot read.*upgrade", doubt=True),
    "a list": Fault(send_response(b"[1, 2]"), "cannot read", doubt=True),
    "empty": Fault(send_response(b""), "cannot read", doubt=True),
    "204": Fault(send_bytes(b"HTTP/1.1 204 No Content\r\n\r\n"), "answered 204"),
    "a problem that is not JSON": Fault(send_problem(b"<oops>"), "error cannot be read"),
    "a problem that is a list": Fault(send_problem(b"[]"), "error cannot be read"),
    "a problem without anything": Fault(send_problem(b"{}"), "the server gave no reason"),
    "a problem of a later release": Fault(
        send_problem(b'{"type": "urn:todo:on-fire", "title": "OnFire", "status": 599, "detail": "it burns"}'),
        "it burns",
    ),
    "a problem known by its status": Fault(
        send_problem(b'{"type": "about:blank", "title": "Forbidden", "status": 403}', "403 Forbidden"), "Forbidden", 5
    ),
    "a problem with odd members": Fault(
        send_problem(
            b'{"type": "urn:todo:conflict", "status": 409, "detail": "no", "self": 1, "kind": 2}', "409 Conflict"
        ),
        "no",
        6,
    ),
    "terminal escapes in a problem": Fault(
        send_problem(b'{"type": "urn:todo:invalid", "detail": "a\\u001b[31mred\\nline"}', "422 X"), "red", 2
    ),
}


@pytest.fixture
def cli(tmp_path: Path) -> Todo:
    """Return the command with a token and a short timeout."""
    return make_command(tmp_path)


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], HttpClient]:
    """Return a function that opens an HttpClient as long-lived programs do."""
    return prepare_client(tmp_path, monkeypatch)


@pytest.mark.parametrize("name", FAULTS)
def test_client_of_a_faulty_server_reports_one_line(
    cli: Todo, backend: Callable[[str], HttpClient], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both clients run at once: the command as a process, and the asynchronous client of long-lived programs."""
    fault = FAULTS[name]
    if name == "100 MB" or not fault.doubt:  # a busy machine needs time to read enough to be sure of the fault
        monkeypatch.setitem(cli.env, "TODO_TIMEOUT", "30")
        monkeypatch.setenv("TODO_TIMEOUT", "30")
    with (
        run_fake_server(fault.script) as command_server,
        run_fake_server(fault.script) as client_server,
        ThreadPoolExecutor() as pool,
    ):
        started = time.monotonic()
        command = pool.submit(cli, "add", "Milk", "--key", "my-key", env={"TODO_SERVER": command_server.url})
        with pytest.raises(TodoError) as raised:
            send_add(backend(client_server.url))
        line = read_error_line(command.result(), fault.code)
        assert time.monotonic() - started < GENEROUS
    assert re.search(fault.says, line), line
    assert ("may have been carried out: repeat it with the same --key my-key" in line) == fault.doubt, line
    assert raised.value.exit_code == fault.code, raised.value
    assert ("may have been carried out" in raised.value.detail) == fault.doubt, raised.value
    assert "verysecret" not in repr(raised.value) + str(raised.value.extra)
    for requests in (command_server.requests, client_server.requests):  # a repeated request has the same body
        assert len({request.partition(b"\r\n\r\n")[2] for request in requests}) == 1
    assert all(
        b"\r\nidempotency-key: my-key\r\n" in _lower(request)
        for request in command_server.requests + client_server.requests
    )


def _lower(request: bytes) -> bytes:
    return request.partition(b"\r\n\r\n")[0].lower() + b"\r\n"


def test_lost_read_is_not_reported_as_carried_out(cli: Todo) -> None:
    with run_fake_server(lambda sock, request: None) as server:
        assert "carried out" not in read_error_line(cli("list", env={"TODO_SERVER": server.url}))


def test_json_option_with_a_faulty_server_prints_the_error_as_an_object(cli: Todo) -> None:
    with run_fake_server(send_response(b"<h1>Hello</h1>", kind="text/html")) as server:
        result = cli("list", "--json", env={"TODO_SERVER": server.url})
    assert result.code == 7
    assert json.loads(result.err)["error"]["type"] == "urn:todo:unavailable"


def test_token_is_sent_to_the_server_and_never_printed(cli: Todo) -> None:
    """Only the server receives the token. It never appears in the output."""
    with run_fake_server(GOOD) as server:
        assert cli("add", "Milk", env={"TODO_SERVER": server.url}).out == "Added #7 Milk\n"
    assert TOKEN.encode() in server.requests[0]


def test_gzip_response_is_read_by_the_asynchronous_client_only(cli: Todo, backend: Callable[[str], HttpClient]) -> None:
    """The command does not accept gzip. The asynchronous client requests it and decodes it."""
    with run_fake_server(
        send_response(
            gzip.compress(json.dumps(TASK).encode()), "201 Created", "application/json", "Content-Encoding: gzip"
        )
    ) as server:
        assert "cannot read" in read_error_line(cli("add", "Milk", env={"TODO_SERVER": server.url}))
        assert send_add(backend(server.url)).number == 7


def test_gzip_bomb_is_refused(backend: Callable[[str], HttpClient]) -> None:
    bomb = gzip.compress(b" " * (80 << 20), 1)
    with (
        run_fake_server(send_response(bomb, "200 OK", "application/json", "Content-Encoding: gzip")) as server,
        pytest.raises(TodoError, match=r"larger than 64 MiB|no answer in time"),
    ):
        send_add(backend(server.url))


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "303 See Other", "307 X", "308 X"])
def test_redirect_to_another_server_is_not_followed(
    cli: Todo, backend: Callable[[str], HttpClient], status: str
) -> None:
    with run_fake_server(GOOD) as other_server:
        to = f"Location: {other_server.url}/v1/tasks"
        with run_fake_server(send_response(b"", status, "text/html", to)) as server:
            line = read_error_line(cli("add", "Milk", env={"TODO_SERVER": server.url}))
            with pytest.raises(TodoError) as raised:
                send_add(backend(server.url))
    assert f"redirects to {other_server.url} (if you trust it, set server to {other_server.url})" in line
    assert raised.value.exit_code == 7
    assert not other_server.requests
    assert len(server.requests) == 2


def test_redirect_to_a_path_or_nowhere_is_not_followed(cli: Todo) -> None:
    with run_fake_server(send_response(b"", "302 Found", "text/html", "Location: /login?next=x")) as server:
        assert f"redirects to {server.url}/login" in read_error_line(cli("list", env={"TODO_SERVER": server.url}))
    with run_fake_server(send_response(b"", "304 Not Modified", "text/html")) as server:
        read_error_line(cli("list", env={"TODO_SERVER": server.url}))


# -- where there is no server ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("server", "code", "says"),
    [
        ("http://127.0.0.1:{free}", 7, "Connection refused"),
        ("http://[::1]:{free}", 7, "Connection refused|Cannot assign|not supported"),
        ("unix://{tmp}/absent.sock", 7, "No such file"),
        ("unix://{tmp}", 7, "Connection refused|not a socket|cannot be reached"),
        ("unix:///" + "long" * 60, 7, "too long"),
        ("http://127.0.0.1:99999", 7, "not an address"),
        ("http://127.0.0.1:x", 7, "not an address"),
        ("http://a..b", 7, "cannot be reached"),
        ("http://no-such-host.invalid", 7, "cannot be reached"),
        ("http://", 2, "must begin with http"),
        ("http:///path", 7, "not an address"),
        ("http://[::1", 7, "not an address"),
        ("ftp://127.0.0.1", 2, "must begin with http"),
        ("127.0.0.1:8000", 2, "must begin with http"),
    ],
)
def test_unreachable_server_is_reported_in_one_line(
    cli: Todo, tmp_path: Path, server: str, code: int, says: str
) -> None:
    server = server.format(free=free_port(), tmp=tmp_path)
    line = read_error_line(cli("add", "Milk", env={"TODO_SERVER": server, "TODO_TIMEOUT": "0.5"}), code)
    assert re.search(says, line), line
    assert "carried out" not in line


def test_server_that_starts_late_is_retried(cli: Todo) -> None:
    """The command retries a refused connection, so the restart of a server is not an error."""
    port = free_port()
    process = subprocess.Popen(
        [*COMMAND, "add", "Milk"],
        env=cli.environment({"TODO_SERVER": f"http://127.0.0.1:{port}", "TODO_TIMEOUT": "8"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(0.5)
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.settimeout(10)
        sock, _ = listener.accept()
        with sock:
            GOOD(sock, read_request(sock))
        out, err = process.communicate(timeout=20)
    assert (out, err, process.returncode) == ("Added #7 Milk\n", "", 0)


def test_server_at_an_ipv6_address_is_reached(cli: Todo) -> None:
    try:
        with run_fake_server(GOOD, host="::1") as server:
            assert cli("add", "Milk", env={"TODO_SERVER": f"http://[::1]:{server.port}"}).out == "Added #7 Milk\n"
    except OSError:
        pytest.skip("no IPv6 here")
    assert f"Host: [::1]:{server.port}".encode() in server.requests[0]


def test_server_address_with_a_path_prefixes_every_route(cli: Todo, backend: Callable[[str], HttpClient]) -> None:
    with run_fake_server(GOOD) as server:
        assert cli("add", "Milk", env={"TODO_SERVER": f"{server.url}/todo/"}).code == 0
        send_add(backend(f"{server.url}/todo/"))
    assert [request.split(b" ")[1] for request in server.requests] == [b"/todo/v1/tasks"] * 2


@pytest.mark.parametrize("token", ["todo_x\r\nX-Evil: 1", "tod€"])
def test_token_that_is_not_a_valid_header_is_refused(cli: Todo, token: str) -> None:
    with run_fake_server(GOOD) as server:
        line = read_error_line(cli("list", env={"TODO_SERVER": server.url, "TODO_TOKEN": token}), 4)
    assert "token" in line
    assert "Evil" not in line
    assert not server.requests


def test_doctor_with_a_hanging_server_reports_the_fault(cli: Todo) -> None:
    with run_fake_server(FAULTS["hangs"].script) as server:
        result = cli("doctor", env={"TODO_SERVER": server.url})
    assert result.code == 1
    assert "FAULT" in result.out
    assert TOKEN not in result.out + result.err


def test_fake_server_with_a_valid_response_sends_it() -> None:
    """The other tests rely on this: a fake server can also answer correctly."""
    with run_fake_server(GOOD) as server, socket.create_connection(("127.0.0.1", server.port)) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert b"Milk" in sock.recv(65536)
    assert replace(server).requests == [b"GET / HTTP/1.1\r\n\r\n"]

"""Servers that are down, slow, wrong or somebody else's: one line, the right exit code, an end in time, no token out."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.conftest import COMMAND, Result, Todo, free_port
from tests.support.certificates import self_signed
from tests.support.fake_server import Liar, Script, answering, dripping, flooding, forever, lying, received, saying
from todo_cli.clients.http import HttpClient
from todo_cli.contract.tasks import AddTask
from todo_cli.errors import TodoError
from todo_cli.settings.settings import load_settings

TOKEN = "todo_0123456789abcdef0123456789abcdef_verysecretindeed"
TIMEOUT = "0.7"
GENEROUS = 20.0  # a drip would go on for two minutes: this tells an end from none
TASK = {
    "number": 7, "id": "x", "title": "Milk", "status": "open", "rev": 1, "new": True,
    "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
}  # fmt: skip
GOOD = answering(json.dumps(TASK).encode(), "201 Created")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class Lie(NamedTuple):
    """What a server does, and what the user is told."""

    script: Script
    says: str
    code: int = 7
    doubt: bool = False  # the request may have been carried out


def problem(document: bytes, status: str = "503 Service Unavailable") -> Script:
    return answering(document, status, "application/problem+json")


LIES = {
    "hangs": Lie(lambda sock, request: forever(), "no answer in time", doubt=True),
    "hangs after headers": Lie(saying(HEAD + b"Content-Length: 5\r\n\r\n", forever), "no answer in time", doubt=True),
    "drips its headers": Lie(dripping(HEAD + b"X-Long: "), "no answer in time", doubt=True),
    "drips its body": Lie(dripping(HEAD + b"Content-Length: 5000\r\n\r\n"), "no answer in time", doubt=True),
    "drips a chunk's size": Lie(
        dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;", b"x"), "no answer in time", doubt=True
    ),
    "HTML 200": Lie(answering(b"<h1>Hello</h1>", kind="text/html"), "answered 200 with text/html"),
    "HTML 502": Lie(
        answering(b"<h1>Bad gateway</h1>", "502 Bad Gateway", "text/html"), "answered 502 with text/html", doubt=True
    ),
    "HTML 404": Lie(answering(b"<h1>No</h1>", "404 Not Found", "text/html"), "answered 404 with text/html"),
    "closes at once": Lie(lambda sock, request: None, "cannot be reached", doubt=True),
    "closes in its headers": Lie(saying(HEAD), "cannot be reached|with no content|cannot read|answered 200", doubt=True),
    "closes in its body": Lie(saying(HEAD + b"Content-Length: 900\r\n\r\n{"), "cannot be reached", doubt=True),
    "closes in a chunk": Lie(
        saying(HEAD + b"Transfer-Encoding: chunked\r\n\r\n400\r\n{"), "cannot be reached", doubt=True
    ),
    "garbage": Lie(saying(b"\x00\xff\x16\x03garbage\r\n\r\n"), "cannot be reached", doubt=True),
    "speaks SMTP": Lie(saying(b"220 mail.example ESMTP\r\n"), "cannot be reached", doubt=True),
    "endless headers": Lie(saying(HEAD + b"X-A: " + b"y" * 200_000 + b"\r\n\r\n"), "cannot be reached", doubt=True),
    "100 MB": Lie(flooding(100), "larger than 64 MiB"),
    "not JSON": Lie(answering(b"{nope"), "cannot read", doubt=True),
    "not UTF-8": Lie(answering(b'{"title": "\xff\xfe"}'), "cannot read", doubt=True),
    "another shape": Lie(answering(b'{"number": "seven"}'), "cannot read.*upgrade", doubt=True),
    "a list": Lie(answering(b"[1, 2]"), "cannot read", doubt=True),
    "empty": Lie(answering(b""), "cannot read", doubt=True),
    "204": Lie(saying(b"HTTP/1.1 204 No Content\r\n\r\n"), "answered 204"),
    "a problem that is not JSON": Lie(problem(b"<oops>"), "error cannot be read"),
    "a problem that is a list": Lie(problem(b"[]"), "error cannot be read"),
    "a problem without anything": Lie(problem(b"{}"), "the server gave no reason"),
    "a problem of a later release": Lie(
        problem(b'{"type": "urn:todo:on-fire", "title": "OnFire", "status": 599, "detail": "it burns"}'), "it burns"
    ),
    "a problem known by its status": Lie(
        problem(b'{"type": "about:blank", "title": "Forbidden", "status": 403}', "403 Forbidden"), "Forbidden", 5
    ),
    "a problem with odd members": Lie(
        problem(b'{"type": "urn:todo:conflict", "status": 409, "detail": "no", "self": 1, "kind": 2}', "409 Conflict"),
        "no", 6,
    ),
    "terminal escapes in a problem": Lie(
        problem(b'{"type": "urn:todo:invalid", "detail": "a\\u001b[31mred\\nline"}', "422 X"), "red", 2
    ),
}  # fmt: skip


@pytest.fixture
def cli(tmp_path: Path) -> Todo:
    """The command with a token, and no patience."""
    return Todo(tmp_path, {"TODO_TOKEN": TOKEN, "TODO_TIMEOUT": TIMEOUT})


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], HttpClient]:
    """HttpBackend as long-lived programs use it."""
    for name, value in {"TODO_TOKEN": TOKEN, "TODO_TIMEOUT": TIMEOUT, "TODO_CONFIG": str(tmp_path / "none")}.items():
        monkeypatch.setenv(name, value)

    def made(url: str) -> HttpClient:
        monkeypatch.setenv("TODO_SERVER", url)
        return HttpClient(load_settings())

    return made


def sent(backend: HttpClient) -> Any:
    """One add through the asynchronous face; its kept connections closed."""

    async def once() -> Any:
        try:
            return await backend.send(AddTask(title="Milk"), "my-key")
        finally:
            await backend._client.aclose()

    return asyncio.run(once())


def told(result: Result, code: int = 7) -> str:
    """The one line, checked for what no line may have."""
    assert result.code == code, (result.code, result.err)
    assert result.out == ""
    assert result.err.endswith("\n")
    assert result.err.count("\n") == 1, result.err
    assert result.err.startswith("todo: ")
    assert "Traceback" not in result.err
    assert "\x1b" not in result.err
    assert "verysecret" not in result.err
    return result.err


@pytest.mark.parametrize("name", LIES)
def test_a_lie(cli: Todo, backend: Callable[[str], HttpClient], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both faces at once: the command as a process, and the asynchronous one that long-lived programs use."""
    lie = LIES[name]
    if name == "100 MB":  # to find it too large it must have come, on however busy a machine
        monkeypatch.setitem(cli.env, "TODO_TIMEOUT", "30")
        monkeypatch.setenv("TODO_TIMEOUT", "30")
    with lying(lie.script) as one, lying(lie.script) as other, ThreadPoolExecutor() as pool:
        started = time.monotonic()
        command = pool.submit(cli, "add", "Milk", "--key", "my-key", env={"TODO_SERVER": one.url})
        with pytest.raises(TodoError) as caught:
            sent(backend(other.url))
        line = told(command.result(), lie.code)
        assert time.monotonic() - started < GENEROUS
    assert re.search(lie.says, line), line
    assert ("may have been carried out: repeat it with the same --key my-key" in line) == lie.doubt, line
    assert caught.value.exit_code == lie.code, caught.value
    assert ("may have been carried out" in caught.value.detail) == lie.doubt, caught.value
    assert "verysecret" not in repr(caught.value) + str(caught.value.extra)
    for seen in (one.seen, other.seen):  # whatever was repeated is the same again
        assert len({request.partition(b"\r\n\r\n")[2] for request in seen}) == 1
    assert all(b"\r\nidempotency-key: my-key\r\n" in _lower(request) for request in one.seen + other.seen)


def _lower(request: bytes) -> bytes:
    return request.partition(b"\r\n\r\n")[0].lower() + b"\r\n"


def test_a_read_is_never_said_to_have_been_carried_out(cli: Todo) -> None:
    with lying(lambda sock, request: None) as liar:
        assert "carried out" not in told(cli("list", env={"TODO_SERVER": liar.url}))


def test_json_gives_the_error_as_an_object(cli: Todo) -> None:
    with lying(answering(b"<h1>Hello</h1>", kind="text/html")) as liar:
        result = cli("list", "--json", env={"TODO_SERVER": liar.url})
    assert result.code == 7
    assert json.loads(result.err)["error"]["type"] == "urn:todo:unavailable"


def test_a_token_among_what_a_server_sends_back_stays_in_one_line(cli: Todo) -> None:
    """A server may know the token, and nothing else ever sees it: not the process list, not the output."""
    with lying(GOOD) as liar:
        assert cli("add", "Milk", env={"TODO_SERVER": liar.url}).out == "Added #7 Milk\n"
    assert TOKEN.encode() in liar.seen[0]


def test_gzip_that_nobody_asked_for(cli: Todo, backend: Callable[[str], HttpClient]) -> None:
    """The command takes none; the asynchronous client does ask for it, and reads it."""
    with lying(
        answering(gzip.compress(json.dumps(TASK).encode()), "201 Created", "application/json", "Content-Encoding: gzip")
    ) as liar:
        assert "cannot read" in told(cli("add", "Milk", env={"TODO_SERVER": liar.url}))
        assert sent(backend(liar.url)).number == 7


def test_a_bomb_of_gzip(backend: Callable[[str], HttpClient]) -> None:
    bomb = gzip.compress(b" " * (80 << 20), 1)
    with (
        lying(answering(bomb, "200 OK", "application/json", "Content-Encoding: gzip")) as liar,
        pytest.raises(TodoError, match=r"larger than 64 MiB|no answer in time"),
    ):
        sent(backend(liar.url))


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "303 See Other", "307 X", "308 X"])
def test_a_redirect_is_not_followed(cli: Todo, backend: Callable[[str], HttpClient], status: str) -> None:
    with lying(GOOD) as thief:
        to = f"Location: {thief.url}/v1/tasks"
        with lying(answering(b"", status, "text/html", to)) as liar:
            line = told(cli("add", "Milk", env={"TODO_SERVER": liar.url}))
            with pytest.raises(TodoError) as caught:
                sent(backend(liar.url))
    assert f"redirects to {thief.url} (if you trust it, set server to {thief.url})" in line
    assert caught.value.exit_code == 7
    assert not thief.seen
    assert len(liar.seen) == 2


def test_a_redirect_to_a_path_and_to_nowhere(cli: Todo) -> None:
    with lying(answering(b"", "302 Found", "text/html", "Location: /login?next=x")) as liar:
        assert f"redirects to {liar.url}/login" in told(cli("list", env={"TODO_SERVER": liar.url}))
    with lying(answering(b"", "304 Not Modified", "text/html")) as liar:
        told(cli("list", env={"TODO_SERVER": liar.url}))


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
def test_no_server(cli: Todo, tmp_path: Path, server: str, code: int, says: str) -> None:
    server = server.format(free=free_port(), tmp=tmp_path)
    line = told(cli("add", "Milk", env={"TODO_SERVER": server, "TODO_TIMEOUT": "0.5"}), code)
    assert re.search(says, line), line
    assert "carried out" not in line


def test_a_server_that_comes_up_a_moment_later(cli: Todo) -> None:
    """Refused connections are tried again: a server's restart is not an error."""
    port = free_port()
    process = subprocess.Popen(
        [*COMMAND, "add", "Milk"], env=cli.environment({"TODO_SERVER": f"http://127.0.0.1:{port}", "TODO_TIMEOUT": "8"}),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    time.sleep(0.5)
    with socket.create_server(("127.0.0.1", port)) as door:
        door.settimeout(10)
        sock, _ = door.accept()
        with sock:
            GOOD(sock, received(sock))
        out, err = process.communicate(timeout=20)
    assert (out, err, process.returncode) == ("Added #7 Milk\n", "", 0)


def test_an_ipv6_address(cli: Todo) -> None:
    try:
        with lying(GOOD, host="::1") as liar:
            assert cli("add", "Milk", env={"TODO_SERVER": f"http://[::1]:{liar.port}"}).out == "Added #7 Milk\n"
    except OSError:
        pytest.skip("no IPv6 here")
    assert f"Host: [::1]:{liar.port}".encode() in liar.seen[0]


def test_a_path_before_every_route(cli: Todo, backend: Callable[[str], HttpClient]) -> None:
    with lying(GOOD) as liar:
        assert cli("add", "Milk", env={"TODO_SERVER": f"{liar.url}/todo/"}).code == 0
        sent(backend(f"{liar.url}/todo/"))
    assert [one.split(b" ")[1] for one in liar.seen] == [b"/todo/v1/tasks"] * 2


@pytest.mark.parametrize("token", ["todo_x\r\nX-Evil: 1", "tod€"])
def test_a_token_that_is_no_header(cli: Todo, token: str) -> None:
    with lying(GOOD) as liar:
        line = told(cli("list", env={"TODO_SERVER": liar.url, "TODO_TOKEN": token}), 4)
    assert "token" in line
    assert "Evil" not in line
    assert not liar.seen


# -- TLS -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, in one file."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    self_signed(path)
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[Liar]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with lying(GOOD, tls=context) as liar:
        yield liar


def test_a_certificate_that_is_not_trusted(cli: Todo, secure: Liar, backend: Callable[[str], HttpClient]) -> None:
    url = f"https://127.0.0.1:{secure.port}"
    assert "certificate is not trusted" in told(cli("add", "Milk", env={"TODO_SERVER": url}))
    with pytest.raises(TodoError, match=r"(?i)certificate") as caught:
        sent(backend(url))
    assert caught.value.exit_code == 7
    assert not secure.seen


def test_a_certificate_that_is_trusted(
    cli: Todo, secure: Liar, certificate: Path, backend: Callable[[str], HttpClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"https://127.0.0.1:{secure.port}"
    trust = {"SSL_CERT_FILE": str(certificate)}
    assert cli("add", "Milk", env={"TODO_SERVER": url} | trust).out == "Added #7 Milk\n"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert sent(backend(url)).number == 7


def test_a_certificate_of_another_name(cli: Todo, secure: Liar, certificate: Path) -> None:
    line = told(cli("list", env={"TODO_SERVER": f"https://localhost:{secure.port}", "SSL_CERT_FILE": str(certificate)}))
    assert "certificate is not trusted" in line
    assert not secure.seen


def test_https_to_a_server_of_plain_http(cli: Todo) -> None:
    with lying(GOOD) as liar:
        told(cli("list", env={"TODO_SERVER": f"https://127.0.0.1:{liar.port}"}))
    assert not any(TOKEN.encode() in one for one in liar.seen)


# -- a proxy in the environment --------------------------------------------------------------------


def forwarding(sock: socket.socket, request: bytes) -> None:
    """A forward proxy: an absolute address in the request line, fetched and handed back."""
    line, _, rest = request.partition(b"\r\n")
    method, address, version = line.split(b" ")
    host, _, path = address.removeprefix(b"http://").partition(b"/")
    name, _, port = host.partition(b":")
    with socket.create_connection((name.decode(), int(port))) as onward:
        onward.sendall(b" ".join([method, b"/" + path, version]) + b"\r\n" + rest)
        while part := onward.recv(65536):
            sock.sendall(part)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_requests_go_through_a_proxy(cli: Todo, name: str) -> None:
    with lying(GOOD) as liar, lying(forwarding) as proxy:
        run = {"TODO_SERVER": liar.url, name: proxy.url, "TODO_TIMEOUT": "10"}
        assert cli("add", "Milk", env=run).out == "Added #7 Milk\n"
        assert len(proxy.seen) == len(liar.seen) == 1
        assert cli("add", "Milk", env=run | {"NO_PROXY": "127.0.0.1"}).out == "Added #7 Milk\n"
        assert (len(proxy.seen), len(liar.seen)) == (1, 2)


def test_a_proxy_that_is_down_hangs_or_is_none(cli: Todo) -> None:
    with lying(GOOD) as liar:
        run = {"TODO_SERVER": liar.url}
        told(cli("list", env=run | {"HTTP_PROXY": f"http://127.0.0.1:{free_port()}"}))
        told(cli("list", env=run | {"HTTP_PROXY": "gopher://127.0.0.1:70"}), 2)
        for lie in ("drips its headers", "100 MB"):
            with lying(LIES[lie].script) as proxy:
                started = time.monotonic()
                told(cli("list", env=run | {"HTTP_PROXY": proxy.url}))
                assert time.monotonic() - started < GENEROUS
        assert not liar.seen


def test_a_unix_socket_needs_no_proxy(cli: Todo, tmp_path: Path) -> None:
    told(cli("list", env={"TODO_SERVER": f"unix://{tmp_path}/none.sock", "HTTP_PROXY": "http://127.0.0.1:1"}))


def test_doctor_says_what_is_wrong(cli: Todo) -> None:
    with lying(LIES["hangs"].script) as liar:
        result = cli("doctor", env={"TODO_SERVER": liar.url})
    assert result.code == 1
    assert "FAULT" in result.out
    assert TOKEN not in result.out + result.err


def test_a_copy_of_a_lie_is_no_lie() -> None:
    """The scripted server itself can tell the truth: else nothing above would mean anything."""
    with lying(GOOD) as liar, socket.create_connection(("127.0.0.1", liar.port)) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert b"Milk" in sock.recv(65536)
    assert replace(liar).seen == [b"GET / HTTP/1.1\r\n\r\n"]

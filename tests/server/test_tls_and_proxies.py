"""The way to a server: TLS with trusted certificates only, and the proxies of the environment."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Todo, free_port
from tests.support.certificates import self_signed
from tests.support.clients_of_fakes import (
    GENEROUS,
    GOOD,
    HEAD,
    TOKEN,
    make_command,
    prepare_client,
    read_error_line,
    send_add,
)
from tests.support.fake_server import FakeServer, run_fake_server, send_megabytes, send_slowly
from todo_cli.clients.http import HttpClient
from todo_cli.errors import TodoError


@pytest.fixture
def cli(tmp_path: Path) -> Todo:
    """Return the command with a token and a short timeout."""
    return make_command(tmp_path)


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], HttpClient]:
    """Return a function that opens an HttpClient as long-lived programs do."""
    return prepare_client(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a self-signed certificate for 127.0.0.1 and its key."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    self_signed(path)
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[FakeServer]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with run_fake_server(GOOD, tls=context) as server:
        yield server


def test_untrusted_certificate_is_refused(cli: Todo, secure: FakeServer, backend: Callable[[str], HttpClient]) -> None:
    url = f"https://127.0.0.1:{secure.port}"
    assert "certificate is not trusted" in read_error_line(cli("add", "Milk", env={"TODO_SERVER": url}))
    with pytest.raises(TodoError, match=r"(?i)certificate") as raised:
        send_add(backend(url))
    assert raised.value.exit_code == 7
    assert not secure.requests


def test_trusted_certificate_is_accepted(
    cli: Todo,
    secure: FakeServer,
    certificate: Path,
    backend: Callable[[str], HttpClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = f"https://127.0.0.1:{secure.port}"
    trust = {"SSL_CERT_FILE": str(certificate)}
    assert cli("add", "Milk", env={"TODO_SERVER": url} | trust).out == "Added #7 Milk\n"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert send_add(backend(url)).number == 7


def test_certificate_of_another_name_is_refused(cli: Todo, secure: FakeServer, certificate: Path) -> None:
    line = read_error_line(
        cli("list", env={"TODO_SERVER": f"https://localhost:{secure.port}", "SSL_CERT_FILE": str(certificate)})
    )
    assert "certificate is not trusted" in line
    assert not secure.requests


def test_https_to_a_plain_http_server_sends_no_token(cli: Todo) -> None:
    with run_fake_server(GOOD) as server:
        read_error_line(cli("list", env={"TODO_SERVER": f"https://127.0.0.1:{server.port}"}))
    assert not any(TOKEN.encode() in request for request in server.requests)


def forward_request(sock: socket.socket, request: bytes) -> None:
    """Act as a forward proxy: fetch the absolute address of the request line and return the answer."""
    line, _, rest = request.partition(b"\r\n")
    method, address, version = line.split(b" ")
    host, _, path = address.removeprefix(b"http://").partition(b"/")
    name, _, port = host.partition(b":")
    with socket.create_connection((name.decode(), int(port))) as upstream:
        upstream.sendall(b" ".join([method, b"/" + path, version]) + b"\r\n" + rest)
        while part := upstream.recv(65536):
            sock.sendall(part)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_proxy_in_the_environment_forwards_requests(cli: Todo, name: str) -> None:
    with run_fake_server(GOOD) as server, run_fake_server(forward_request) as proxy:
        run = {"TODO_SERVER": server.url, name: proxy.url, "TODO_TIMEOUT": "10"}
        assert cli("add", "Milk", env=run).out == "Added #7 Milk\n"
        assert len(proxy.requests) == len(server.requests) == 1
        assert cli("add", "Milk", env=run | {"NO_PROXY": "127.0.0.1"}).out == "Added #7 Milk\n"
        assert (len(proxy.requests), len(server.requests)) == (1, 2)


def test_faulty_proxy_is_reported_in_one_line(cli: Todo) -> None:
    with run_fake_server(GOOD) as server:
        run = {"TODO_SERVER": server.url}
        read_error_line(cli("list", env=run | {"HTTP_PROXY": f"http://127.0.0.1:{free_port()}"}))
        read_error_line(cli("list", env=run | {"HTTP_PROXY": "gopher://127.0.0.1:70"}), 2)
        for fault in (send_slowly(HEAD + b"X-Long: "), send_megabytes(100)):
            with run_fake_server(fault) as proxy:
                started = time.monotonic()
                read_error_line(cli("list", env=run | {"HTTP_PROXY": proxy.url}))
                assert time.monotonic() - started < GENEROUS
        assert not server.requests


def test_unix_socket_bypasses_the_proxy(cli: Todo, tmp_path: Path) -> None:
    read_error_line(
        cli("list", env={"TODO_SERVER": f"unix://{tmp_path}/none.sock", "HTTP_PROXY": "http://127.0.0.1:1"})
    )

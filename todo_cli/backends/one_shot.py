"""One HTTP exchange over the standard library: no pool, no event loop, TLS verified, a bound on the whole of it."""

from __future__ import annotations

import http.client
import os
import socket
import time
from typing import TYPE_CHECKING, NamedTuple

from todo_cli.errors import Unavailable

if TYPE_CHECKING:
    import ssl

ANSWER_LIMIT = 64 * 1024 * 1024


class Answer(NamedTuple):
    """What came back; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Refused(Exception):
    """No connection was made: nothing was sent."""


class LostAnswer(Exception):
    """The request was sent, its answer did not arrive."""


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _connection(server: str, patience: float) -> tuple[http.client.HTTPConnection, str]:
    scheme, _, rest = server.partition("://")
    if scheme == "unix":
        return _Unix(rest, patience), ""
    host, slash, path = rest.partition("/")
    try:
        if scheme == "https":
            return http.client.HTTPSConnection(host, timeout=patience, context=_tls()), slash + path
        return http.client.HTTPConnection(host, timeout=patience), slash + path
    except http.client.InvalidURL as error:
        raise Unavailable(f"{server} is not an address: {error}") from None


def _tls() -> ssl.SSLContext:
    """A verifying context. A hashed directory of authorities is read as needed; the one big file costs 200 M
    instructions to load (OpenSSL, SSL_CTX_load_verify_locations).
    """
    import ssl

    paths = ssl.get_default_verify_paths()
    hashed = paths.capath and any(name.endswith(".0") for name in os.listdir(paths.capath))
    if os.environ.get("SSL_CERT_FILE") or not hashed:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(capath=paths.capath)
    return context


def exchange(
    server: str, method: str, target: str, body: bytes | None, headers: dict[str, str], patience: float
) -> Answer:
    """Send and read, in at most `patience` seconds; raises Refused, LostAnswer, Unavailable."""
    deadline = time.monotonic() + patience
    connection, prefix = _connection(server, patience)
    try:
        _connect(connection)
        return _sent(connection, method, prefix + target, body, headers, deadline)
    finally:
        connection.close()


def _connect(connection: http.client.HTTPConnection) -> None:
    try:
        connection.connect()
    except OSError as error:
        if type(error).__name__ == "SSLCertVerificationError":
            raise Unavailable(f"the server's certificate is not trusted: {error.args[-1]}") from None
        raise Refused(error.strerror or str(error) or "no answer") from None


def _sent(
    connection: http.client.HTTPConnection, method: str, target: str, body: bytes | None,
    headers: dict[str, str], deadline: float,
) -> Answer:  # fmt: skip
    if body is not None:
        headers = headers | {"Content-Type": "application/json"}
    try:
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, found, _read(connection, answer, deadline))
    except TimeoutError:
        raise LostAnswer("it gave no answer in time") from None
    except http.client.HTTPException as error:
        raise LostAnswer(f"it does not speak HTTP as it should ({type(error).__name__})") from None
    except OSError as error:
        raise LostAnswer(error.strerror or str(error)) from None


def _read(connection: http.client.HTTPConnection, answer: http.client.HTTPResponse, deadline: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        if connection.sock is not None:
            connection.sock.settimeout(remaining)
        part = answer.read1(1 << 16)
        if not part:
            break
        parts.append(part)
        size += len(part)
        if size > ANSWER_LIMIT:
            raise Unavailable("the server's answer is larger than 64 MiB", hint="ask for less, with --limit")
    if answer.length:
        raise http.client.IncompleteRead(b"", answer.length)
    return b"".join(parts)

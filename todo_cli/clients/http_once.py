"""One HTTP exchange over the standard library: no pool, no event loop, TLS verified, a bound on the whole of it."""

from __future__ import annotations

import http.client
import io
import os
import socket
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from todo_cli.errors import Unavailable

if TYPE_CHECKING:
    import ssl

ANSWER_LIMIT = 64 * 1024 * 1024


class Answer(NamedTuple):
    """What came back; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class NotConnected(Exception):
    """No connection was made: nothing was sent."""


class ResponseLost(Exception):
    """The request was sent, its answer did not arrive."""


class _Secure(http.client.HTTPConnection):
    """Only the port that an address need not name; the standard one loads every authority when it is made."""

    default_port = 443


class _Timed(io.RawIOBase):
    """A socket to read from until a deadline, however slowly it comes."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        self._sock.settimeout(remaining)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _connection(server: str, deadline: float) -> tuple[http.client.HTTPConnection, str]:
    """A connection and the path that stands before every target; raises Refused, Unavailable."""
    scheme, _, rest = server.partition("://")
    if scheme == "unix":
        connection, prefix = http.client.HTTPConnection("localhost"), ""
    else:
        host, slash, path = rest.partition("/")
        prefix = slash + path
        kind = _Secure if scheme == "https" else http.client.HTTPConnection
        try:
            connection = kind(host)
        except http.client.InvalidURL as error:
            raise Unavailable(f"{server} is not an address: {error}") from None
        if not connection.host or "[" in connection.host or not 0 < connection.port < 65536:
            raise Unavailable(f"{server} is not an address")
    try:
        connection.sock = _unix(rest, deadline) if scheme == "unix" else _tcp(connection, deadline, scheme == "https")
    except (OSError, UnicodeError, OverflowError) as error:
        if type(error).__name__ == "SSLCertVerificationError":
            raise Unavailable(f"the server's certificate is not trusted: {error.args[-1]}") from None
        raise NotConnected(getattr(error, "strerror", None) or str(error) or "no answer") from None
    return connection, prefix


def _unix(path: str, deadline: float) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(_remaining(deadline))
    sock.connect(path)
    return sock


def _tcp(connection: http.client.HTTPConnection, deadline: float, tls: bool) -> socket.socket:
    refusal: OSError = OSError("it has no address")
    # a text would be taken for an international name, and the tables for those loaded
    host = connection.host.encode("ascii") if connection.host.isascii() else connection.host
    for family, kind, protocol, _, address in socket.getaddrinfo(host, connection.port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(_remaining(deadline))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls:
                sock.settimeout(_remaining(deadline))
                return _tls().wrap_socket(sock, server_hostname=connection.host)
            return sock
        except OSError as error:
            sock.close()
            refusal = error
    raise refusal


def _remaining(deadline: float) -> float:
    # never nothing: a time-out of 0 would mean a socket that does not wait
    return max(0.01, deadline - time.monotonic())


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
    connection, prefix = _connection(server, deadline)
    try:
        return _sent(connection, method, prefix + target, body, headers, deadline)
    finally:
        connection.close()


class _Response(http.client.HTTPResponse):
    """Reads its socket until `deadline`, the headers too."""

    deadline = 0.0

    def __init__(self, sock: socket.socket, *arguments: Any, **settings: Any) -> None:
        super().__init__(sock, *arguments, **settings)
        self.fp.close()
        self.fp = io.BufferedReader(_Timed(sock, self.deadline))


def _sent(
    connection: http.client.HTTPConnection, method: str, target: str, body: bytes | None,
    headers: dict[str, str], deadline: float,
) -> Answer:  # fmt: skip
    if body is not None:
        headers = headers | {"Content-Type": "application/json"}
    connection.response_class = type("_Response", (_Response,), {"deadline": deadline})
    try:
        connection.sock.settimeout(_remaining(deadline))
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, found, _read(answer))
    except TimeoutError:
        raise ResponseLost("it gave no answer in time") from None
    except http.client.HTTPException as error:
        raise ResponseLost(f"it does not speak HTTP as it should ({type(error).__name__})") from None
    except OSError as error:
        raise ResponseLost(error.strerror or str(error)) from None


def _read(answer: http.client.HTTPResponse) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := answer.read1(1 << 16):
        parts.append(part)
        size += len(part)
        if size > ANSWER_LIMIT:
            raise too_large()
    if answer.length:
        raise http.client.IncompleteRead(b"", answer.length)
    return b"".join(parts)


def too_large() -> Unavailable:
    """More than anything that was asked for."""
    return Unavailable("the server's answer is larger than 64 MiB", hint="ask for less, with --limit")

"""Send one HTTP request over a bare socket: no pool, no event loop, TLS verified, bounded in time and size.

`http.client` would import `email` and `ssl`: 85 of a command's 375 million instructions.
"""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from todo_cli.errors import Unavailable

if TYPE_CHECKING:
    import ssl

MAX_RESPONSE_BYTES = 64 * 1024 * 1024
MAX_HEAD_BYTES = 64 * 1024
RECEIVE_BYTES = 64 * 1024
MIN_TIMEOUT_SECONDS = 0.01  # a socket with a timeout of 0 does not wait at all


class HttpResponse(NamedTuple):
    """A whole response. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class NotConnected(Exception):
    """No connection was made, so nothing was sent."""


class ResponseLost(Exception):
    """The request was sent, but its response did not arrive whole."""


class _Address(NamedTuple):
    """The parts of the `server` setting. For a unix socket `host` is empty and `path` names the socket."""

    scheme: str
    host: str
    port: int
    path: str

    def host_header(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        is_default = self.port == (443 if self.scheme == "https" else 80)
        return (name or "localhost") + ("" if is_default else f":{self.port}")


def send_once(
    server: str, method: str, target: str, body: bytes | None, headers: dict[str, str], timeout: float
) -> HttpResponse:
    """Send a request and read the response in at most `timeout` seconds.

    Raises NotConnected, ResponseLost, or Unavailable for an address or a response that no retry can mend.
    """
    deadline = time.monotonic() + timeout
    address = _parse_address(server)
    prefix = "" if address.scheme == "unix" else address.path
    request = _format_request(address, method, prefix + target, body, headers)
    with _connect(address, deadline) as sock:
        try:
            sock.settimeout(_seconds_until(deadline))
            sock.sendall(request)
            return _receive(sock, deadline)
        except TimeoutError:
            raise ResponseLost("it gave no answer in time") from None
        except OSError as error:
            raise ResponseLost(error.strerror or str(error)) from None


def _parse_address(server: str) -> _Address:
    if server.startswith("unix://"):
        return _Address("unix", "", 80, server.removeprefix("unix://"))
    try:
        parts = urlsplit(server)
        host = parts.hostname or ""
        if not host.isascii():
            host = host.encode("idna").decode("ascii")
        port = (443 if parts.scheme == "https" else 80) if parts.port is None else parts.port
    except ValueError as error:  # also a UnicodeError
        raise Unavailable(f"{server} is not an address: {error}") from None
    is_plain = parts.path.isascii() and parts.path.isprintable() and " " not in parts.path
    if not host or not port or not is_plain or "@" in parts.netloc or parts.query or parts.fragment:
        raise Unavailable(f"{server} is not an address")
    return _Address(parts.scheme, host, port, parts.path)


def _format_request(address: _Address, method: str, target: str, body: bytes | None, headers: dict[str, str]) -> bytes:
    fields = {"Host": address.host_header(), "Accept-Encoding": "identity"} | headers
    if body is not None:
        fields |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + (body or b"")


def _connect(address: _Address, deadline: float) -> socket.socket:
    try:
        if address.scheme == "unix":
            return _connect_unix(address.path, deadline)
        sock = _connect_tcp(address, deadline)
        return _wrap_tls(sock, address.host, deadline) if address.scheme == "https" else sock
    except (OSError, UnicodeError, OverflowError) as error:
        raise NotConnected(getattr(error, "strerror", None) or str(error) or "no answer") from None


def _connect_unix(path: str, deadline: float) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.settimeout(_seconds_until(deadline))
        sock.connect(path)
    except BaseException:
        sock.close()
        raise
    return sock


def _connect_tcp(address: _Address, deadline: float) -> socket.socket:
    """Try each address of the host in turn."""
    last_error = OSError("the host has no address")
    # as bytes: for a string Python loads the tables of international names
    host = address.host.encode("ascii")
    for family, kind, protocol, _, destination in socket.getaddrinfo(host, address.port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(_seconds_until(deadline))
            sock.connect(destination)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except OSError as error:
            sock.close()
            last_error = error
    raise last_error


def _wrap_tls(sock: socket.socket, host: str, deadline: float) -> socket.socket:
    import ssl

    try:
        sock.settimeout(_seconds_until(deadline))
        return _tls_context().wrap_socket(sock, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        sock.close()
        raise Unavailable(f"the server's certificate is not trusted: {error.verify_message}") from None
    except BaseException:
        sock.close()
        raise


def _tls_context() -> ssl.SSLContext:
    """Return a context that verifies the server.

    A hashed directory of authorities is read as needed. Loading the one big file instead costs 200 M instructions.
    """
    import ssl

    paths = ssl.get_default_verify_paths()
    is_hashed = paths.capath and any(name.endswith(".0") for name in os.listdir(paths.capath))
    if os.environ.get("SSL_CERT_FILE") or not is_hashed:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(capath=paths.capath)
    return context


def _seconds_until(deadline: float) -> float:
    return max(MIN_TIMEOUT_SECONDS, deadline - time.monotonic())


class _ResponseReader:
    """Collects one response from the callbacks of httptools. Interim responses (1xx) are skipped."""

    def __init__(self) -> None:
        self.response: HttpResponse | None = None
        self.has_head = False
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._parser = HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Parse more bytes; raises ResponseLost for bytes that are not HTTP."""
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if self.response is None:  # bytes behind a whole response do not matter
                raise ResponseLost(f"it does not speak HTTP as it should ({type(error).__name__})") from None

    def finish(self) -> HttpResponse:
        """Return the response after the server closed the connection; raises ResponseLost if it is cut off."""
        has_length = "content-length" in self._headers or "transfer-encoding" in self._headers
        if not self.has_head or has_length:
            raise ResponseLost("it closed the connection before its answer was complete")
        return self._whole_response()

    def _whole_response(self) -> HttpResponse:
        body = b"".join(self._body)
        self._body.clear()
        return HttpResponse(self._parser.get_status_code(), dict(self._headers), body)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.has_head:  # else a trailer behind a chunked body
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.has_head = self._parser.get_status_code() >= 200
        if not self.has_head:
            self._headers.clear()

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self.has_head and self.response is None:
            self.response = self._whole_response()


def _receive(sock: socket.socket, deadline: float) -> HttpResponse:
    reader = _ResponseReader()
    received_bytes = 0
    while reader.response is None:
        if time.monotonic() >= deadline:
            raise TimeoutError
        sock.settimeout(_seconds_until(deadline))
        data = sock.recv(RECEIVE_BYTES)
        if not data:
            return reader.finish()
        reader.feed(data)
        received_bytes += len(data)
        if received_bytes > MAX_RESPONSE_BYTES:
            raise too_large()
        if received_bytes > MAX_HEAD_BYTES and not reader.has_head:
            raise ResponseLost("its headers are larger than 64 KiB")
    # the reader and its parser refer to each other: a download would fill the memory until the next collection
    response, reader.response = reader.response, None
    return response


def too_large() -> Unavailable:
    """Return the error for a response beyond MAX_RESPONSE_BYTES."""
    return Unavailable("the server's answer is larger than 64 MiB", hint="ask for less, with --limit")

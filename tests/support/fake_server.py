"""Scripted servers on real sockets: they answer wrongly, slowly, endlessly or not at all."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Script = Callable[[socket.socket, bytes], None]


@dataclass
class FakeServer:
    """The port of a running server, and every request that it received."""

    port: int
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def run_fake_server(
    script: Script, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[FakeServer]:
    """Run a server that reads one request per connection, runs the script and closes the connection."""
    listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    server = FakeServer(listener.getsockname()[1])
    open_sockets: list[socket.socket] = []

    def serve(sock: socket.socket) -> None:
        with suppress(OSError), sock:
            if tls is not None:
                sock = tls.wrap_socket(sock, server_side=True)
            open_sockets.append(sock)
            with sock:
                request = read_request(sock)
                server.requests.append(request)
                script(sock, request)

    def accept() -> None:
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                threading.Thread(target=serve, args=(sock,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        # closing alone does not wake a thread that waits in accept
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for sock in open_sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def read_request(sock: socket.socket) -> bytes:
    """Read one request with its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = sock.recv(65536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += sock.recv(65536)
    return head + b"\r\n\r\n" + body


def send_response(
    body: bytes, status: str = "200 OK", kind: str = "application/json", *headers: str, length: int | None = None
) -> Script:
    """Return a script that sends the same response to every request."""

    def script(sock: socket.socket, request: bytes) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", *headers]
        lines.append(f"Content-Length: {len(body) if length is None else length}")
        sock.sendall("\r\n".join([*lines, "", ""]).encode() + body)

    return script


def send_bytes(data: bytes, then: Callable[[], None] = lambda: None) -> Script:
    """Return a script that sends these bytes, HTTP or not."""

    def script(sock: socket.socket, request: bytes) -> None:
        sock.sendall(data)
        then()

    return script


def sleep_past_timeout() -> None:
    """Sleep longer than any client waits."""
    time.sleep(120)


def send_slowly(start: bytes, piece: bytes = b"x") -> Script:
    """Return a script that sends a piece every tenth of a second for two minutes."""

    def script(sock: socket.socket, request: bytes) -> None:
        sock.sendall(start)
        for _ in range(1200):
            sock.sendall(piece)
            time.sleep(0.1)

    return script


def send_megabytes(megabytes: int) -> Script:
    """Return a script that sends a body of that size."""

    def script(sock: socket.socket, request: bytes) -> None:
        size = megabytes << 20
        sock.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n".encode())
        piece = b" " * (1 << 20)
        for _ in range(megabytes):
            sock.sendall(piece)

    return script

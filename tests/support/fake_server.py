"""Servers that do as they are told, on real sockets: what stands in front of a client on a bad day."""

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
class Liar:
    """Where it is, and the requests that it was sent, whole."""

    port: int
    seen: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def lying(script: Script, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Liar]:
    """A server that reads a request and leaves the rest to the script; the connection is closed after it."""
    door = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    liar = Liar(door.getsockname()[1])
    open_now: list[socket.socket] = []

    def serve(sock: socket.socket) -> None:
        with suppress(OSError), sock:
            if tls is not None:
                sock = tls.wrap_socket(sock, server_side=True)
            open_now.append(sock)
            with sock:
                request = received(sock)
                liar.seen.append(request)
                script(sock, request)

    def accept() -> None:
        with suppress(OSError):
            while True:
                sock, _ = door.accept()
                threading.Thread(target=serve, args=(sock,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield liar
    finally:
        # closing alone does not wake a thread that waits in accept
        with suppress(OSError):
            door.shutdown(socket.SHUT_RDWR)
        door.close()
        for sock in open_now:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def received(sock: socket.socket) -> bytes:
    """One request, with its body."""
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


def answering(
    body: bytes, status: str = "200 OK", kind: str = "application/json", *headers: str, length: int | None = None
) -> Script:
    """An answer, the same to everything."""

    def script(sock: socket.socket, request: bytes) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", *headers]
        lines.append(f"Content-Length: {len(body) if length is None else length}")
        sock.sendall("\r\n".join([*lines, "", ""]).encode() + body)

    return script


def saying(data: bytes, then: Callable[[], None] = lambda: None) -> Script:
    """These bytes, HTTP or not."""

    def script(sock: socket.socket, request: bytes) -> None:
        sock.sendall(data)
        then()

    return script


def forever() -> None:
    """Longer than any test."""
    time.sleep(120)


def dripping(start: bytes, drop: bytes = b"x") -> Script:
    """A drop every tenth of a second for two minutes: always something, never an end."""

    def script(sock: socket.socket, request: bytes) -> None:
        sock.sendall(start)
        for _ in range(1200):
            sock.sendall(drop)
            time.sleep(0.1)

    return script


def flooding(megabytes: int) -> Script:
    """A body of that size."""

    def script(sock: socket.socket, request: bytes) -> None:
        size = megabytes << 20
        sock.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n".encode())
        piece = b" " * (1 << 20)
        for _ in range(megabytes):
            sock.sendall(piece)

    return script

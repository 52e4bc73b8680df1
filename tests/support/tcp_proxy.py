"""A proxy between two of our parts, over TCP or unix sockets, that loses answers or stops forwarding when told."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

PG = ".s.PGSQL.5432"


class Between:
    """Forwards, byte for byte. `marker` picks the requests that something happens to: those that it stands in.

    `drop`: of so many the answer is lost; it is cut off when the other side has answered, hence acted.
    `hang`: no answer to a marked request goes through, and the connection stays open.
    `down`: new connections are closed at once.
    """

    def __init__(self, door: socket.socket, onward: str | tuple[str, int], marker: bytes) -> None:
        self.door, self.onward, self.marker = door, onward, marker
        self.drop, self.hang, self.down = 0, False, False
        self.connections = self.marked = 0
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []

    def serve(self) -> None:
        """Until the door is closed."""
        with suppress(OSError):
            while True:
                client, _ = self.door.accept()
                self.connections += 1
                if self.down:
                    client.close()
                    continue
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def cut(self) -> None:
        """Every connection that is open now."""
        while self._open:
            _end(self._open.pop())

    def _carry(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX if isinstance(self.onward, str) else socket.AF_INET)
        self._open += [client, server]
        armed = threading.Event()
        with suppress(OSError), client, server:
            server.connect(self.onward)
            threading.Thread(target=self._answers, args=(client, server, armed), daemon=True).start()
            while data := client.recv(65536):
                if self.marker in data:
                    self.marked += 1
                    armed.set()
                server.sendall(data)
            _end(server)

    def _answers(self, client: socket.socket, server: socket.socket, armed: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if armed.is_set() and self.hang:
                    continue
                if armed.is_set() and self._loses():
                    break
                armed.clear()
                client.sendall(data)
        _end(client)
        _end(server)

    def _loses(self) -> bool:
        with self._lock:
            self.drop -= 1
            return self.drop >= 0


def _end(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


@contextmanager
def _running(between: Between) -> Iterator[Between]:
    threading.Thread(target=between.serve, daemon=True).start()
    try:
        yield between
    finally:
        _end(between.door)
        between.door.close()
        between.cut()


@contextmanager
def before_server(url: str, marker: bytes = b"Idempotency-Key") -> Iterator[tuple[Between, str]]:
    """In front of an HTTP server: the proxy and its address."""
    there = urlsplit(url)
    with socket.create_server(("127.0.0.1", 0)) as door:
        between = Between(door, (there.hostname or "", there.port or 0), marker)
        with _running(between):
            yield between, f"http://127.0.0.1:{door.getsockname()[1]}"


@contextmanager
def before_database(url: str, marker: bytes) -> Iterator[tuple[Between, str]]:
    """In front of a Postgres on a unix socket: the proxy, and the URI with its directory in place of the real one."""
    sockets = parse_qs(urlsplit(url).query)["host"][0]
    directory = Path(tempfile.mkdtemp(prefix="todo-between-"))
    try:
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(str(directory / PG))
            door.listen(64)
            between = Between(door, f"{sockets}/{PG}", marker)
            with _running(between):
                yield between, url.replace(quote(sockets, safe="/"), quote(str(directory), safe="/"))
    finally:
        shutil.rmtree(directory, ignore_errors=True)

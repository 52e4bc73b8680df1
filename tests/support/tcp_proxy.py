"""A TCP proxy in front of Postgres or of an HTTP server. It counts round trips, drops answers and cuts connections."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from random import Random
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit


class TcpProxy:
    """Forward bytes between clients and a server. A test sets `drop`, `hang` and `down` while the proxy runs.

    A request is marked when it contains `marker`; an empty marker marks every request.
    `drop`: how many answers to marked requests are dropped. The server has acted; the client's connection is cut.
    `hang`: answers to marked requests are dropped, and their connections stay open.
    `down`: new connections are closed at once.
    """

    def __init__(self, target: str | tuple[str, int], marker: bytes = b"") -> None:
        self.target, self.marker = target, marker
        self.drop, self.hang, self.down = 0, False, False
        self.connections = self.marked = self.round_trips = 0
        self.sent = bytearray()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def port(self) -> int:
        """The port on which clients reach the proxy."""
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        """The address of the proxied HTTP server."""
        return f"http://127.0.0.1:{self.port}"

    def through(self, url: str) -> str:
        """Return the URI of the same database and login by way of this proxy."""
        parts = urlsplit(url)
        login = parts.netloc.rpartition("@")[0]
        return urlunsplit((parts.scheme, f"{login}@127.0.0.1:{self.port}", quote(parts.path), "sslmode=disable", ""))

    def reset(self) -> None:
        """Count round trips and sent bytes from zero."""
        with self._lock:
            self.round_trips, self.sent = 0, bytearray()

    def cut(self) -> None:
        """End every open connection; new ones are still accepted."""
        while self._open:
            shut_down(self._open.pop())

    def close(self) -> None:
        """Stop accepting, end every connection and wait for the threads."""
        shut_down(self._listener)
        self._accepting.join(10)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                if self.down:
                    client.close()
                    continue
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                server = socket.socket(socket.AF_UNIX if isinstance(self.target, str) else socket.AF_INET)
                self._open += [client, server]
                self._start(self._forward_requests, client, server)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _forward_requests(self, client: socket.socket, server: socket.socket) -> None:
        marked, waiting = threading.Event(), threading.Event()
        with suppress(OSError), client, server:
            server.connect(self.target)
            self._start(self._forward_answers, client, server, marked, waiting)
            while data := client.recv(65536):
                self._count(data, marked, waiting)
                server.sendall(data)
            shut_down(server)

    def _count(self, data: bytes, marked: threading.Event, waiting: threading.Event) -> None:
        with self._lock:
            self.sent += data
            self.round_trips += not waiting.is_set()
            waiting.set()
            if self.marker in data:
                self.marked += 1
                marked.set()

    def _forward_answers(
        self, client: socket.socket, server: socket.socket, marked: threading.Event, waiting: threading.Event
    ) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                with self._lock:
                    waiting.clear()
                if marked.is_set() and self.hang:
                    continue
                if marked.is_set() and self.drops_answer():
                    break
                marked.clear()
                client.sendall(data)
        shut_down(client)
        shut_down(server)

    def drops_answer(self) -> bool:
        """Count one dropped answer if there is one to drop."""
        with self._lock:
            self.drop -= 1
            return self.drop >= 0


def shut_down(sock: socket.socket) -> None:
    """End both directions of a connection; wake threads that wait for it."""
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def open_server_proxy(url: str, marker: bytes = b"Idempotency-Key") -> TcpProxy:
    """Open a proxy in front of an HTTP server."""
    parts = urlsplit(url)
    return TcpProxy((parts.hostname or "", parts.port or 0), marker)


def open_database_proxy(url: str, marker: bytes = b"") -> TcpProxy:
    """Open a proxy in front of a Postgres that listens on a unix socket."""
    query = parse_qs(urlsplit(url).query)
    return TcpProxy(f"{query['host'][0]}/.s.PGSQL.{query['port'][0]}", marker)


class LossyProxy(TcpProxy):
    """A proxy in front of an HTTP server that drops a share of the answers at random, from a seed."""

    def __init__(self, url: str, seed: int, share: float) -> None:
        self._random, self._share, self.dropped = Random(seed), share, 0
        parts = urlsplit(url)
        super().__init__((parts.hostname or "", parts.port or 0))

    def drops_answer(self) -> bool:
        """Decide by chance."""
        with self._lock:
            drops = self._random.random() < self._share
            self.dropped += drops
            return drops

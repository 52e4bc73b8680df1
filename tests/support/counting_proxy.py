"""What stands between a client and Postgres and counts how often the client waits."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit


class Proxy:
    """A TCP port in front of Postgres's unix socket. A turn: the client speaks after the server has spoken."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        asked = parse_qs(parts.query)
        self._target = f"{asked['host'][0]}/.s.PGSQL.{asked['port'][0]}"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._cut: list[socket.socket] = []
        self.turns, self.connections, self.sent = 0, 0, b""
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def through(self, url: str) -> str:
        """The same database and login, by way of this proxy."""
        parts = urlsplit(url)
        login = parts.netloc.rpartition("@")[0]
        return urlunsplit((parts.scheme, f"{login}@127.0.0.1:{self._port}", quote(parts.path), "sslmode=disable", ""))

    def reset(self) -> None:
        """Count from zero."""
        with self._lock:
            self.turns, self.sent = 0, b""

    def cut(self) -> None:
        """End the connections there are; it takes new ones."""
        cut, self._open = self._open, []
        for one in cut:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._cut += cut

    def close(self) -> None:
        """Take no more connections and end those there are."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for one in (self._listener, *self._open, *self._cut):
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                self.connections += 1
                self._open += (client, server)
                last = [False]  # whether the client spoke last
                for source, target, ours in ((client, server, True), (server, client, False)):
                    self._threads.append(
                        threading.Thread(target=self._pump, args=(source, target, ours, last), daemon=True)
                    )
                    self._threads[-1].start()

    def _pump(self, source: socket.socket, target: socket.socket, from_client: bool, last: list[bool]) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                with self._lock:
                    self.turns += from_client and not last[0]
                    last[0] = from_client
                    if from_client:
                        self.sent += data
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

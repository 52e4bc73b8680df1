"""A load balancer in front of several HTTP servers that loses, delays, doubles and cuts requests and answers."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from random import Random

FAULTS = {"delay": 0.1, "double": 0.05, "lose request": 0.03, "lose answer": 0.04, "cut answer": 0.03}
"""The share of requests that each fault meets."""
MAX_DELAY_SECONDS = 0.05
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)


class FaultyBalancer:
    """Each request goes to the next server that accepts it, on a connection of its own.

    Set `is_faulty` to False for a balancer without faults.
    """

    def __init__(self, ports: list[int], seed: int) -> None:
        self.ports, self.is_faulty = ports, True
        self.faults: Counter[str] = Counter()
        self._random, self._turn, self._lock = Random(seed), 0, threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            if request := _read_request(client):
                self._forward(client, request, self._choose_fault())

    def _choose_fault(self) -> str:
        with self._lock:
            names = [*FAULTS, ""]
            fault = self._random.choices(names, [*FAULTS.values(), 1 - sum(FAULTS.values())])[0]
            fault = fault if self.is_faulty else ""
            self.faults[fault] += 1
            return fault

    def _forward(self, client: socket.socket, request: bytes, fault: str) -> None:
        if fault == "lose request":
            return
        if fault == "delay":
            time.sleep(MAX_DELAY_SECONDS * self._random.random())
        if fault == "double":
            threading.Thread(target=self._discard_answer, args=(request,), daemon=True).start()
        with self._connect() as server:
            server.sendall(request)
            while data := server.recv(65536):
                if fault == "cut answer":
                    client.sendall(data[: len(data) // 2])
                    return
                if fault != "lose answer":
                    client.sendall(data)

    def _discard_answer(self, request: bytes) -> None:
        with suppress(OSError), self._connect() as server:
            server.sendall(request)
            while server.recv(65536):
                pass

    def _connect(self) -> socket.socket:
        """Connect to the next server; raises OSError if none accepts."""
        for _ in self.ports:
            with self._lock:
                self._turn += 1
                port = self.ports[self._turn % len(self.ports)]
            with suppress(OSError):
                return socket.create_connection(("127.0.0.1", port), timeout=60)
        raise OSError("no server accepts connections")


def _read_request(client: socket.socket) -> bytes:
    """Return a whole request, changed so that the server closes the connection after its answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := client.recv(65536)):
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    while length and len(body) < int(length[1]):
        body += client.recv(65536)
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*lines, b"Connection: close", b"", body])

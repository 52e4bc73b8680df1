"""Raw HTTP to a real server: what no client of ours would send."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    """Status, headers in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def problem(self) -> Any:
        """The body as a problem document, checked for what every one must have."""
        assert self.headers["content-type"] == "application/problem+json", (self.status, self.headers, self.body)
        found = self.json
        assert found["type"].startswith("urn:todo:")
        assert found["status"] == self.status
        assert found["detail"]
        assert found["request_id"] == self.headers["x-request-id"]
        return found


def ask(
    url: str,
    method: str,
    target: str,
    body: Any = None,
    *,
    token: str | None = None,
    timeout: float = 30,
    **headers: str,
) -> Answer:
    """One request on a connection of its own; a body that is not bytes is sent as JSON."""
    there = urlsplit(url)
    connection = http.client.HTTPConnection(there.hostname or "", there.port, timeout=timeout)
    try:
        return on(connection, method, target, body, token=token, **headers)
    finally:
        connection.close()


def on(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    body: Any = None,
    *,
    token: str | None = None,
    **headers: str,
) -> Answer:
    """One request on a given connection; header names with _ for -."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    if body is not None and not isinstance(body, bytes):
        body, sent = json.dumps(body).encode(), {"Content-Type": "application/json"} | sent
    connection.request(method, target, body, sent)
    answer = connection.getresponse()
    found = {name.lower(): value for name, value in answer.getheaders()}
    return Answer(answer.status, found, answer.read())


def read_answer(sock: socket.socket) -> Answer:
    """Read one answer from a socket on which a request was sent."""
    response = http.client.HTTPResponse(sock)
    response.begin()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())


def raw(url: str, data: bytes, timeout: float = 10) -> bytes:
    """These bytes, and all that comes back until the other side ends or is silent."""
    there = urlsplit(url)
    with socket.create_connection((there.hostname, there.port or 0), timeout=timeout) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        parts = []
        while part := sock.recv(65536):
            parts.append(part)
    return b"".join(parts)


def log_lines(log: Path) -> list[dict[str, Any]]:
    """The JSON lines of a server's log."""
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]

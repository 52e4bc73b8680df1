"""Users who chat through the real command, by each way in, with a scripted model."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.conftest import COMMAND, Database, Person, Result, Server, Todo
from tests.support.fake_model import FakeModel
from tests.support.model_answers import Script

# titles would take an answer of the script: tests/agent/test_titles.py has them on
MODEL_ENVIRONMENT = {"TODO_MODEL": "test-model", "OPENAI_API_KEY": "sk-test-not-to-be-shown", "TODO_TITLES": "false"}


def model_environment(model: FakeModel) -> dict[str, str]:
    """Return the environment of a process that runs turns."""
    return MODEL_ENVIRONMENT | {"OPENAI_BASE_URL": model.url}


@dataclass
class ChatProcess:
    """A user's terminal: the command, and the model behind it."""

    db: Database
    who: Person
    todo: Todo
    model: FakeModel
    way: str
    other: Todo

    def script(self, *scripts: Script) -> None:
        """Add scripts for the model's next answers."""
        self.model.add(*scripts)

    def __call__(self, *arguments: str, **given: Any) -> Result:
        """Run the command to its end."""
        return self.todo(*arguments, **given)

    def tasks(self) -> list[tuple[int, str, str]]:
        """Return number, title and status of all the user's tasks."""
        rows = self.db.execute(
            "SELECT number, title, status FROM todo.tasks WHERE space_id = %s ORDER BY 1", self.who.user_id
        )
        return [(number, title, status) for number, title, status in rows]

    def turns(self) -> list[tuple[str, str]]:
        """Return id and state of the user's turns, oldest first."""
        rows = self.db.execute("SELECT id, state FROM todo.turns WHERE space_id = %s ORDER BY id", self.who.user_id)
        return [(str(one), state) for one, state in rows]

    def said(self, number: int = 1) -> list[tuple[str, str]]:
        """Return role and content of a conversation's messages, as `chat show --json` prints them."""
        shown = self.todo("chat", "show", str(number), "--json")
        assert shown.code == 0, shown.err
        return [(one["role"], one["content"]) for one in shown.json["messages"]]

    def lapse(self) -> None:
        """Let every lease expire."""
        self.db.execute(
            "UPDATE todo.turns SET lease_until = now() - interval '1 s' WHERE space_id = %s", self.who.user_id
        )

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Start the command in a pipe."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            env=self.todo.environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def heard(self) -> str:
        """Return the text of the running answer that is stored so far."""
        found = self.db.execute(
            """SELECT string_agg(e ->> 'text', '' ORDER BY n) FROM todo.events, jsonb_array_elements(batch) AS e
            WHERE space_id = %s AND e ->> 'kind' = 'words'""",
            self.who.user_id,
        )
        return str(found[0][0] or "")

    def spawn(self, *arguments: str, columns: int = 160) -> Any:
        """Start the command on a terminal."""
        return self.todo.spawn(*arguments, rows=40, columns=columns, env={"TERM": "dumb", "NO_COLOR": "1"})


@dataclass
class EventFrame:
    """A server-sent event."""

    event: str
    data: Any
    id: int | None = None


def read_frames(
    url: str,
    method: str,
    target: str,
    body: Any = None,
    *,
    token: str,
    timeout: float = 30,
    headers: dict[str, str] | None = None,
) -> Iterator[EventFrame]:
    """Yield the events of a raw request; raise AssertionError for an answer that is not a stream."""
    there = urlsplit(url)
    connection = http.client.HTTPConnection(there.hostname or "", there.port, timeout=timeout)
    data = json.dumps(body).encode() if body is not None else None
    sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"} | (headers or {})
    try:
        connection.request(method, target, data, sent)
        answer = connection.getresponse()
        assert answer.headers["content-type"] == "text/event-stream", (answer.status, answer.read())
        found: dict[str, str] = {}
        while line := answer.readline():
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                found[name] = value
            elif "data" in found:
                number = int(found["id"]) if "id" in found else None
                yield EventFrame(found.get("event", ""), json.loads(found["data"]), number)
                found = {}
    finally:
        connection.close()


class Balancer:
    """One address in front of several servers. Each connection goes to the first server that accepts it."""

    def __init__(self, *servers: Server) -> None:
        self.targets = [urlsplit(one.url).port or 0 for one in servers]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def close(self) -> None:
        """Stop accepting, then close every connection, also one that was just accepted."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join(10)
        for connection in (self._listener, *self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = self._reached()
                self._open += [client, *([server] if server else [])]
                if server is None:
                    client.close()
                    continue
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=_passed, args=pair, daemon=True).start()

    def _reached(self) -> socket.socket | None:
        for port in self.targets:
            with suppress(OSError):
                return socket.create_connection(("127.0.0.1", port), timeout=None)
        return None


def _passed(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def join_words(found: list[EventFrame]) -> str:
    """Return the text of the events."""
    return "".join(
        one["text"] for frame in found if frame.event == "events" for one in frame.data if one["kind"] == "words"
    )


def slow_answer(*parts: str, every: float = 0.3) -> Script:
    """Return an answer that pauses between its parts."""
    from tests.support.model_answers import chunk

    steps: list[dict[str, Any]] = []
    for part in parts:
        steps += [chunk({"content": part}), {"wait": every}]
    return [*steps, chunk({}, "stop"), {"done": True}]


def wait_until(condition: Callable[[], Any], timeout: float = 20) -> Any:
    """Wait until the condition is true, and return its value."""
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return found


def read_log(server: Server) -> str:
    """Return the server's log."""
    return Path(server.log).read_text()

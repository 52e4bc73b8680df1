"""A scripted server of the OpenAI protocol on loopback: standard library only, in a thread or as its own process.

    python -m tests.support.fake_model --port N --script FILE.json [--strict]

prints `ready http://127.0.0.1:N/v1` and serves until it is killed. FILE.json is a list of scripts, or
{"scripts": [...], "otherwise": script, "models": ["name", ...]}.

A script is a list of steps, or {"steps": [...], "when": {...}, "keep": true, "split": n, "newline": "\\r\\n"}:
    when     only for a request whose last message that is not a system message has this "role" and "has" this text;
             with "messages": n, that has so many of them. The first script that fits is taken
    keep     it stays for the next request, too
    split    the body is sent in pieces of n bytes; or a list of positions to split it at
    newline  the line end of the events
A step is an object with one key:
    {"answer": {"status": 429, "headers": {...}, "body": "text or JSON value"}}   a whole answer, and the end
    {"open": {"status": 200, "headers": {...}, "chunked": true}}   begins a stream; implied by the first data
    {"data": value}      an event; a text is sent as it is, anything else as JSON
    {"event": "error"}   the name of the next event
    {"comment": "ping"}  a comment line
    {"raw": "text"}      text of the body as it is ({"hex": "ff"} for bytes)
    {"done": true}       data: [DONE]
    {"wait": 0.2}        seconds
    {"forever": step, "every": 0.01}   that step, until the client leaves
    {"stall": true}      nothing, until the client leaves
    {"cut": true}        the connection breaks: before the headers, or in the middle of a chunk
A stream whose steps are over ends cleanly. Without a script for it, a request gets `otherwise`, else status 500.

GET /requests prints the requests so far ({"path", "headers", "body", "left", "faults"}), POST /scripts adds scripts: so a
test in another process can use it. `strict` answers 400 to a request that providers refuse (`faults`).
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.support.model_answers import Script, Step, error_answer
from tests.support.replay_errors import replay_errors

MAX_STALL_SECONDS = 30.0


@dataclass
class ModelRequest:
    """One request. `left` is set once the client closes the connection first."""

    path: str
    headers: dict[str, str]
    body: Any
    left: threading.Event = field(default_factory=threading.Event)

    def as_json(self) -> dict[str, Any]:
        """Return the request as GET /requests prints it."""
        faults = replay_errors(self.body.get("messages", [])) if isinstance(self.body, dict) else []
        return {
            "path": self.path,
            "headers": self.headers,
            "body": self.body,
            "left": self.left.is_set(),
            "faults": faults,
        }


class FakeModel:
    """The server. It takes `scripts` from the front; `asked` has every completion request in order."""

    def __init__(
        self, *scripts: Script, port: int = 0, models: Sequence[str] = ("test-model",), tls: Path | None = None
    ) -> None:
        """Listen on loopback; `tls` is a file with a certificate and its key."""
        self.scripts: list[Script] = list(scripts)
        self.otherwise: Script | None = None
        self.models: Script = [{"answer": {"status": 200, "body": {"data": [{"id": name} for name in models]}}}]
        self.asked: list[ModelRequest] = []
        self.strict = False
        self.keep_alive = False
        self.connections = 0
        self._tls = bool(tls)
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        if tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(tls)
            # the handshake is for the connection's own thread
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_address[1]

    @property
    def url(self) -> str:
        """The base URL for a client."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/v1"

    def add(self, *scripts: Script) -> None:
        """Add scripts at the end."""
        with self._lock:
            self.scripts += scripts

    def assert_valid(self) -> None:
        """Assert that any provider would accept every request so far."""
        wrong = [(at, fault) for at, asked in enumerate(self.asked) for fault in replay_errors(asked.body["messages"])]
        assert wrong == []

    def serve(self) -> None:
        """Serve until `close` is called."""
        self._server.serve_forever(poll_interval=0.02)

    def close(self) -> None:
        """Stop the server and end its open streams."""
        self._server.shutdown()
        self._server.server_close()

    def script_for(self, asked: ModelRequest) -> Script:
        """Take the first script that fits the request."""
        with self._lock:
            self.asked.append(asked)
            messages = asked.body.get("messages") if isinstance(asked.body, dict) else None
            faults = replay_errors(messages or [])
            if self.strict and faults:
                return error_answer(400, f"invalid messages: {faults}")
            for at, script in enumerate(self.scripts):
                if _fits(script, messages or []):
                    keep = isinstance(script, dict) and script.get("keep")
                    return script if keep else self.scripts.pop(at)
        return self.otherwise if self.otherwise is not None else error_answer(500, "the script is over")


@contextmanager
def run_fake_model(*scripts: Script, tls: Path | None = None, port: int = 0) -> Iterator[FakeModel]:
    """Run a server in a thread."""
    server = FakeModel(*scripts, tls=tls, port=port)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()


def _fits(script: Script, messages: list[dict[str, Any]]) -> bool:
    when = script.get("when", {}) if isinstance(script, dict) else {}
    spoken = [message for message in messages if message.get("role") not in ("system", "developer")]
    last = spoken[-1] if spoken else {}
    return (
        when.get("role") in (None, last.get("role"))
        and str(when.get("has", "")) in str(last.get("content"))
        and when.get("messages") in (None, len(spoken))
    )


class _Left(Exception):
    """The client has closed the connection, or the script has cut it."""


class _Handler(BaseHTTPRequestHandler):
    owner: FakeModel
    protocol_version = "HTTP/1.1"
    wbufsize = 0

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Count the connection."""
        super().setup()
        self.owner.connections += 1

    def handle(self) -> None:
        """Handle the requests of a connection; a client that refuses the certificate or hangs up is no error."""
        with suppress(OSError):
            super().handle()

    def do_GET(self) -> None:
        """Answer with the models, or with the requests so far."""
        if self.path == "/requests":
            body = [asked.as_json() for asked in self.owner.asked]
            self._play([{"answer": {"status": 200, "body": body}}], None)
        else:
            self._play(self.owner.models, None)

    def do_POST(self) -> None:
        """Answer a completion request, or add scripts."""
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            body = json.loads(data)
        except ValueError:
            body = None
        if self.path == "/scripts":
            self.owner.add(*body)
            return self._play([{"answer": {"status": 200, "body": {}}}], None)
        asked = ModelRequest(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        return self._play(self.owner.script_for(asked), asked)

    def _play(self, script: Script, asked: ModelRequest | None) -> None:
        self.close_connection = not self.owner.keep_alive
        form = script if isinstance(script, dict) else {"steps": script}
        play = _Play(self, form, asked)
        with suppress(_Left, OSError):
            for step in form["steps"]:
                play.step(step)
            play.end()


class _Play:
    """One script, played on one connection."""

    def __init__(self, handler: _Handler, form: dict[str, Any], asked: ModelRequest | None) -> None:
        self._handler = handler
        self._asked = asked
        self._newline: str = form.get("newline", "\n")
        self._split: int | list[int] | None = form.get("split")
        self._sent = 0
        self._opened = False
        self._chunked = True
        self._held = b""

    def step(self, step: Step) -> None:
        """Play one step."""
        (name, value), *more = step.items()
        if name == "answer":
            return self._answer(**value)
        if name == "open":
            return self._open(**value)
        if name == "cut":
            return self._cut()
        if name in ("wait", "stall"):
            return self._wait(MAX_STALL_SECONDS if name == "stall" else value)
        if name == "forever":
            return self._forever(value, **dict(more))
        return self._body(self._bytes(name, value))

    def end(self) -> None:
        """End the body properly."""
        if self._opened:
            self._flush()
            self._send(b"0\r\n\r\n" if self._chunked else b"")

    def _bytes(self, name: str, value: Any) -> bytes:
        if name == "hex":
            return bytes.fromhex(value)
        if name == "raw":
            return str(value).encode("utf-8", "surrogatepass")
        if name == "comment":
            return f": {value}{self._newline * 2}".encode()
        if name == "event":
            return f"event: {value}{self._newline}".encode()
        text = "[DONE]" if name == "done" else value if isinstance(value, str) else json.dumps(value)
        return f"data: {text}{self._newline * 2}".encode()

    def _answer(self, status: int, body: Any = "", headers: dict[str, str] | None = None) -> None:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        kind = "text/html" if data.startswith(b"<") else "application/json"
        length = {} if status == 204 else {"Content-Length": str(len(data))}
        self._head(status, {"Content-Type": kind} | length | (headers or {}))
        self._send(data)

    def _open(self, status: int = 200, headers: dict[str, str] | None = None, chunked: bool = True) -> None:
        self._opened, self._chunked = True, chunked
        framing = {"Transfer-Encoding": "chunked"} if chunked else {}
        self._head(status, {"Content-Type": "text/event-stream"} | framing | (headers or {}))

    def _head(self, status: int, headers: dict[str, str]) -> None:
        kept = "keep-alive" if self._handler.owner.keep_alive else "close"
        lines = [f"HTTP/1.1 {status} Scripted", f"Connection: {kept}", *(f"{k}: {v}" for k, v in headers.items())]
        self._send("\r\n".join([*lines, "", ""]).encode())

    def _body(self, data: bytes) -> None:
        if not self._opened:
            self._open()
        if isinstance(self._split, list):
            self._held += data
            return
        size = self._split or len(data)
        for at in range(0, len(data), size):
            self._piece(data[at : at + size])

    def _flush(self) -> None:
        if isinstance(self._split, list) and self._held:
            data, self._held = self._held, b""
            places = sorted({0, *(at for at in self._split if at < len(data)), len(data)})
            for start, stop in pairwise(places):
                self._piece(data[start:stop])

    def _piece(self, data: bytes) -> None:
        if data:
            self._send(b"%x\r\n%s\r\n" % (len(data), data) if self._chunked else data)

    def _send(self, data: bytes) -> None:
        try:
            self._handler.connection.sendall(data)
        except OSError:
            self._gone()

    def _cut(self) -> None:
        self._flush()
        connection = self._handler.connection
        self._handler.close_connection = True
        if self._opened and self._chunked:
            connection.sendall(b"ff\r\ndata: {")
        elif not self._opened:
            # a reset, not an orderly end
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        raise _Left

    def _wait(self, seconds: float) -> None:
        self._flush()
        if select.select([self._handler.connection], [], [], seconds)[0]:
            self._gone()

    def _forever(self, step: Step, every: float = 0.01) -> None:
        until = time.monotonic() + MAX_STALL_SECONDS
        while time.monotonic() < until:
            self.step(step)
            self._wait(every)

    def _gone(self) -> None:
        self._handler.close_connection = True
        if self._asked:
            self._asked.left.set()
        raise _Left


def main() -> None:
    """Run the server as a process of its own."""
    parser = argparse.ArgumentParser(description="a scripted model server")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", type=Path, required=True)
    parser.add_argument("--strict", action="store_true")
    options = parser.parse_args()
    plan = json.loads(options.script.read_text())
    plan = {"scripts": plan} if isinstance(plan, list) else plan
    server = FakeModel(*plan.get("scripts", []), port=options.port, models=plan.get("models", ["test-model"]))
    server.otherwise, server.strict = plan.get("otherwise"), options.strict
    print(f"ready {server.url}", flush=True)
    server.serve()


if __name__ == "__main__":
    main()

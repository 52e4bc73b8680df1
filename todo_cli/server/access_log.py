"""Log each request as one JSON line on stderr, without its query, headers and body."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from contextlib import suppress
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from todo_cli.contract.ids import new_id

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")

NO_SNIFFING = (b"x-content-type-options", b"nosniff")
"""A browser takes an answer for what its Content-Type says, so that no text of a user becomes a page."""


class AccessLog:
    """Gives every request an id, or keeps the one that a proxy sent, and logs the request if the log is on."""

    def __init__(self, app: ASGIApp, *, is_on: bool = True) -> None:
        self._app, self._is_on = app, is_on
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                request_header = (b"x-request-id", request_id.encode())
                message["headers"] = [*message.get("headers", []), request_header, NO_SNIFFING]
            await send(message)

        self._running += 1
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            self._running -= 1
            if self._is_on:
                _write(scope, request_id, status, time.perf_counter() - started)

    async def wait_until_idle(self, seconds: float) -> None:
        """Wait until no request runs, at most `seconds`: requests that a shutdown ends still send their error."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._running:  # noqa: ASYNC110  # once in the life of a process: an event would cost every request
                    await asyncio.sleep(0.02)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        request_id: str = value.decode("latin-1")
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(request_id):
            return request_id
    return new_id()


def _write(scope: Scope, request_id: str, status: int, seconds: float) -> None:
    entry: dict[str, Any] = {
        "at": round(time.time(), 3),
        "request_id": request_id,
        "from": scope["client"][0] if scope.get("client") else "unix",
        "method": scope["method"],
        "path": scope["path"][:200],
        "status": status,
        "ms": round(seconds * 1000, 1),
    }
    line = msgspec.json.encode(entry).decode()
    if not line.isascii():  # a path may contain line separators and control characters beyond ASCII
        line = json.dumps(entry)
    sys.stderr.write(line + "\n")

"""One JSON line a request, on stderr: what, how long, how it ended; never a query, a header or a body."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from contextlib import suppress
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from todo_cli.contract.ids import new_id

_SANE = re.compile(r"[A-Za-z0-9._-]{1,100}")


class AccessLog:
    """Gives every request an id (its own, when a proxy in front sent one), and logs it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
            await send(message)

        self._running += 1
        try:
            await self._app(scope, receive, watched)
        finally:
            self._running -= 1
            _write(scope, request_id, status, time.perf_counter() - started)

    async def settled(self, patience: float) -> None:
        """Until no request runs, or so many seconds: those that a stop has ended still have to say so."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self._running:  # noqa: ASYNC110  # once in a process's life: no event is worth its upkeep
                    await asyncio.sleep(0.02)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        given: str = value.decode("latin-1")
        if name == b"x-request-id" and _SANE.fullmatch(given):
            return given
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
    sys.stderr.write(msgspec.json.encode(entry).decode() + "\n")

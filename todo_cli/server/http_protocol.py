"""The HTTP protocol of uvicorn with bounds on the cost of a connection before its request is read."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from todo_cli.errors import Invalid

MAX_HEAD_BYTES = 64 * 1024
"""The request line and the headers."""
HEAD_TIMEOUT_SECONDS = 10.0
"""From the first byte of a request, or the beginning of a connection, to the last header."""
DISCARD_SECONDS = 5.0
"""For the rest of a body whose request was answered without it; then the connection is closed."""
SPARE_CONNECTIONS = 100
"""Connections beyond the limit that are answered with 503; further ones are closed at once."""


def _format_refusal(status: int, reason: str, detail: str) -> bytes:
    """Return the response to a request that the application never sees: a problem document too."""
    body = msgspec.json.encode(Invalid(detail).as_problem() | {"status": status})
    head = f"HTTP/1.1 {status} {reason}\r\ncontent-type: application/problem+json\r\n"
    return f"{head}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body


TOO_LARGE_RESPONSE = _format_refusal(
    431, "Request Header Fields Too Large", f"the address and the headers are larger than {MAX_HEAD_BYTES:,} bytes"
)
BAD_RESPONSE = _format_refusal(400, "Bad Request", "this is not a valid HTTP request")


class BoundedHttpProtocol(HttpToolsProtocol):
    """Closes connections that stall. Marks requests beyond the limit of connections with `state["overloaded"]`.

    uvicorn itself waits for headers without a limit, and its answer to `limit_concurrency` is no problem document.
    """

    head_timeout_seconds: ClassVar[float] = HEAD_TIMEOUT_SECONDS
    discard_seconds: ClassVar[float] = DISCARD_SECONDS

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._max_connections, self.limit_concurrency = self.limit_concurrency, None
        self._is_in_head, self._head_bytes = True, 0
        self._is_idle = self._is_refused = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begin a connection."""
        super().connection_made(transport)
        if self._max_connections and len(self.connections) > self._max_connections + SPARE_CONNECTIONS:
            transport.abort()
        else:
            self._start_timer(self.head_timeout_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read bytes. Those of an endless head are refused."""
        if self._is_refused:
            return
        self._head_bytes += len(data)
        self._is_idle = False
        super().data_received(data)
        if not self._is_in_head or self._is_idle or self.transport.is_closing():
            return
        if self._head_bytes > MAX_HEAD_BYTES:
            self._is_refused = True
            self.transport.write(TOO_LARGE_RESPONSE)
            self._start_timer(self.discard_seconds)
        elif self._timer is None:
            self._start_timer(self.head_timeout_seconds)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self.transport.write(BAD_RESPONSE)
        self.transport.close()

    def on_message_begin(self) -> None:
        """Begin the head of a request."""
        self._is_idle = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin a request, whose body may follow."""
        self._stop_timer()
        self._is_in_head = False
        limit = self._max_connections
        self.scope["state"]["overloaded"] = bool(limit and len(self.connections) > limit)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the body of a request."""
        self._stop_timer()
        self._is_in_head, self._head_bytes, self._is_idle = True, 0, True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """End a response. The rest of a body that the application did not read is discarded for a while."""
        super().on_response_complete()
        if not self._is_in_head:
            self._start_timer(self.discard_seconds)

    def _start_timer(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, self._close_stalled)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _close_stalled(self) -> None:
        self._timer = None
        if self._is_in_head and self.cycle and not self.cycle.response_complete:
            self._start_timer(self.head_timeout_seconds)  # the next request waits for the answer to this one
        else:
            self.transport.close()

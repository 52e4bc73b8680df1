"""A response of server-sent events: for as long as its client is connected, but bounded in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

from starlette.types import Receive, Send

from todo_cli.contract.codec import encode
from todo_cli.errors import Bug, TodoError
from todo_cli.server.responses import log_trace

HEARTBEAT_SECONDS = 10.0
"""A stream that has nothing to send sends a comment after so long."""
HEARTBEAT = b": \n\n"
MAX_STREAM_SECONDS = 900.0
"""Of one response. A turn takes 600 seconds at most."""
LAST_FRAME_SECONDS = 1.0
"""To send the end of a stream to a client that may read nothing."""


def format_event(event: str, value: Any, number: int | None = None) -> bytes:
    """Return one event; its number is the id from which a client continues."""
    event_id = b"" if number is None else b"id: %d\n" % number
    return event_id + b"event: %s\ndata: %s\n\n" % (event.encode(), encode(value))


def format_problem(error: Exception, request_id: str) -> bytes:
    """Return the event that ends a stream with an error; a bug goes to the log."""
    if isinstance(error, TodoError):
        return format_event("problem", error.as_problem() | {"request_id": request_id})
    log_trace(error, request_id)
    return format_event("problem", Bug("the server failed").as_problem() | {"request_id": request_id})


class EventStream:
    """One response to a client. The client continues a stream that ends early, here or at another server."""

    def __init__(self, first: bytes, frames: AsyncGenerator[bytes, None]) -> None:
        self._first, self._frames = first, frames

    async def send(self, receive: Receive, send: Send) -> None:
        """Send the frames until they end, the client leaves, the time is over, or the server stops."""
        headers = [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        sender = asyncio.create_task(self._send_frames(send))
        disconnect = asyncio.create_task(_wait_for_disconnect(receive))
        try:
            await asyncio.wait({sender, disconnect}, timeout=MAX_STREAM_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            is_gone = disconnect.done()
            await _end(sender)
            if not is_gone:
                with suppress(TimeoutError):  # of a client that reads nothing
                    async with asyncio.timeout(LAST_FRAME_SECONDS):
                        await send({"type": "http.response.body", "body": b""})
        except asyncio.CancelledError:
            return  # the server stops: the client connects to another
        finally:
            sender.cancel()
            disconnect.cancel()

    async def _send_frames(self, send: Send) -> None:
        async with aclosing(self._frames) as frames:
            await send({"type": "http.response.body", "body": self._first or HEARTBEAT, "more_body": True})
            async for frame in frames:
                await send({"type": "http.response.body", "body": frame, "more_body": True})


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _end(sender: asyncio.Task[None]) -> None:
    """End the sender and its frames; raise its error, if it has one."""
    sender.cancel()
    await asyncio.wait({sender})
    if not sender.cancelled():
        sender.result()

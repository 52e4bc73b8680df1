"""Bounds on the bodies of requests: their size, the time they take to arrive, and the memory of all that arrive."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Message, Receive, Scope

from todo_cli.contract.limits import MAX_BODY_BYTES
from todo_cli.errors import Invalid, TooMany, Unavailable

BODY_TIMEOUT_SECONDS = 30.0
"""From the first read to the last byte."""
MAX_ARRIVING_BYTES = 64 * 1024 * 1024
"""Of all bodies that a process has begun to read and has not read to the end."""
MAX_ARRIVING_BYTES_PER_USER = 8 * 1024 * 1024


class BodyTooSlow(Unavailable):
    """A body that did not arrive in time."""

    status = 408


class Bodies:
    """Counts the bytes of the bodies that arrive in this process."""

    def __init__(self) -> None:
        self._bytes: Counter[str] = Counter()

    @asynccontextmanager
    async def open(
        self, scope: Scope, receive: Receive, user: str, max_bytes: int = MAX_BODY_BYTES
    ) -> AsyncIterator[Body]:
        """Yield the body of a request of this user for the block; raises BodyTooSlow in it."""
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        try:
            async with asyncio.timeout(None) as limit:
                body = Body(self, user, receive, int(declared), limit, max_bytes)
                try:
                    yield body
                finally:
                    body.close()
        except TimeoutError:
            if not limit.expired():
                raise
            detail = f"the request did not arrive within {BODY_TIMEOUT_SECONDS:.0f} seconds"
            raise BodyTooSlow(detail, hint="check the network, then try again") from None

    def count(self, user: str, size: int) -> None:
        """Count bytes that have arrived; raises TooMany or Unavailable."""
        self._bytes[user] += size
        if self._bytes[user] > MAX_ARRIVING_BYTES_PER_USER:
            detail = "you are sending too many large requests at once"
            raise TooMany(detail, hint="send one after the other", reason="size")
        if self._bytes.total() > MAX_ARRIVING_BYTES:
            raise Unavailable("the server is receiving too many large requests", hint="try again in a moment")

    def release(self, user: str, size: int) -> None:
        """Give back bytes of a body that is complete or given up."""
        self._bytes[user] -= size
        if not self._bytes[user]:
            del self._bytes[user]


class Body:
    """The `receive` of one request; raises TodoError for a body that is too large."""

    def __init__(
        self,
        bodies: Bodies,
        user: str,
        receive: Receive,
        declared_bytes: int,
        limit: asyncio.Timeout,
        max_bytes: int,
    ) -> None:
        self._bodies, self._user, self._receive, self._limit = bodies, user, receive, limit
        self._declared_bytes, self._bytes, self._max_bytes = declared_bytes, 0, max_bytes
        self._is_complete = False

    async def receive(self) -> Message:
        """Return the next message of the client."""
        if self._is_complete:
            return await self._receive()
        self._raise_if_too_large(self._declared_bytes)
        if self._limit.when() is None:
            self._limit.reschedule(asyncio.get_running_loop().time() + BODY_TIMEOUT_SECONDS)
        message = await self._receive()
        size = len(message.get("body", b""))
        self._bytes += size
        self._bodies.count(self._user, size)
        self._raise_if_too_large(self._bytes)
        if not message.get("more_body", False):
            self._limit.reschedule(None)
            self.close()
        return message

    def close(self) -> None:
        """Give back the bytes: the body was read to its end, or nobody reads the rest."""
        self._is_complete = True
        self._bodies.release(self._user, self._bytes)
        self._bytes = 0

    def _raise_if_too_large(self, size: int) -> None:
        if size > self._max_bytes:
            mebibytes, kibibytes = self._max_bytes >> 20, self._max_bytes >> 10
            limit = f"{mebibytes} MiB" if mebibytes else f"{kibibytes} KiB"
            raise Invalid(f"the request is larger than {limit}", hint="send it in parts" if mebibytes else None)

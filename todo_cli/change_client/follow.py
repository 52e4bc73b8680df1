"""Follow the changes of a space for ever: through outages and restarts, without a hole and without a repetition."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import NamedTuple

from todo_cli.change_client.database import read_from_database
from todo_cli.change_client.position import FeedPosition
from todo_cli.change_client.server import read_from_server
from todo_cli.clients.http_once import NotConnected, ResponseLost
from todo_cli.contract.change_feed import ChangeBatch
from todo_cli.errors import TooMany, Unavailable
from todo_cli.settings.settings import Settings

FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.5, 10.0
"""Between two attempts to connect again; the pause doubles with each."""
JITTER = 0.2
"""The part of a pause by which it is longer or shorter, so that clients of a server do not come back at once."""


class Outage(NamedTuple):
    """Why no changes arrive, and when the next attempt is made."""

    reason: str
    pause_seconds: float


class ChangeFollower:
    """Follows what is behind a position, which moves with each batch that it yields.

    `on_outage` is called at each failure, and with None when changes arrive again.
    """

    def __init__(self, settings: Settings, position: FeedPosition, on_outage: Callable[[Outage | None], None]) -> None:
        self._settings, self._position, self._on_outage = settings, position, on_outage
        self._failures = 0

    async def follow(self) -> AsyncGenerator[ChangeBatch, None]:
        """Yield batches for ever, each connection's first one at once; raises errors that no attempt can mend."""
        while True:
            try:
                is_first = True
                async with aclosing(self._read()) as batches:
                    async for batch in batches:
                        self._end_outage()
                        news = self._position.take(batch)
                        if news or is_first:
                            yield news or ChangeBatch(cursor=batch.cursor)
                        is_first = False
            except (Unavailable, TooMany, NotConnected, ResponseLost) as error:
                await self._pause(error)

    def _read(self) -> AsyncGenerator[ChangeBatch, None]:
        read = read_from_server if self._settings.server else read_from_database
        return read(self._settings, self._position)

    def _end_outage(self) -> None:
        if self._failures:
            self._failures = 0
            self._on_outage(None)

    async def _pause(self, error: Exception) -> None:
        pause = min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(self._failures, 10))
        if isinstance(error, TooMany):
            pause = max(pause, float(error.extra.get("retry_after") or 0))
        self._failures += 1
        pause *= random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # not a secret
        self._on_outage(Outage(str(error) or type(error).__name__, pause))
        await asyncio.sleep(pause)

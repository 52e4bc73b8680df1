"""One watcher for all streams of this process that follow changes: it asks once for all their spaces."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from todo_cli.db.pipeline import time_limit
from todo_cli.db.watched_states import WatchedSpace, read_states
from todo_cli.errors import Unavailable
from todo_cli.server.connection_pools import Pool
from todo_cli.server.shutdown import GracePeriod

POLL_INTERVAL_SECONDS = 0.25
POLL_TIMEOUT_SECONDS = 5.0
FAILED_POLLS = 2
"""After so many in a row the streams read for themselves, and tell their clients that the database is away."""


class Subscription:
    """What one stream waits for: something has changed, or the server stops."""

    def __init__(self) -> None:
        self.is_over = False
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Let the stream look for changes."""
        self._changed.set()

    async def wait(self, seconds: float) -> bool:
        """Wait until something may have changed since the last call; return False after so many seconds without."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True


class _Watched:
    """A space of a user: its last known state, and the streams that follow it."""

    def __init__(self) -> None:
        self.state: str | None = None
        self.subscriptions: set[Subscription] = set()

    def update(self, state: str | None) -> None:
        """Wake the streams if the state is another one. The first one is always: a change may have come before it."""
        if state is None or state != self.state:
            for subscription in self.subscriptions:
                subscription.wake()
        self.state = state


class ChangeWatcher:
    """Asks while there are streams. The number of its statements does not depend on the number of streams."""

    def __init__(self, pool: Pool, grace: GracePeriod) -> None:
        self._pool, self._grace = pool, grace
        self._watched: dict[WatchedSpace, _Watched] = {}
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def subscribe(self, space: WatchedSpace) -> Iterator[Subscription]:
        """Open a subscription for the block; it misses nothing that commits from now on."""
        watched = self._watched.setdefault(space, _Watched())
        subscription = Subscription()
        watched.subscriptions.add(subscription)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._poll())
        try:
            yield subscription
        finally:
            watched.subscriptions.discard(subscription)
            if not watched.subscriptions and self._watched.get(space) is watched:
                del self._watched[space]

    async def close(self) -> None:
        """End the streams and the watcher."""
        self._end_streams()
        if self._task:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _poll(self) -> None:
        failures = 0
        while self._watched:
            await asyncio.sleep(POLL_INTERVAL_SECONDS)
            if self._grace.has_begun:
                self._end_streams()
                return
            spaces = list(self._watched)
            try:
                async with time_limit(POLL_TIMEOUT_SECONDS), self._pool.lend(wait_for_database=False) as connection:
                    states: list[str] = await read_states(connection, spaces)
            except (psycopg.Error, Unavailable, TimeoutError):
                failures += 1
                if failures == FAILED_POLLS:
                    self._update(spaces, [None] * len(spaces))
                await self._pool.renew()
            else:
                failures = 0
                self._update(spaces, states)

    def _update(self, spaces: list[WatchedSpace], states: list[str] | list[None]) -> None:
        for space, state in zip(spaces, states, strict=True):
            if watched := self._watched.get(space):
                watched.update(state)

    def _end_streams(self) -> None:
        for watched in self._watched.values():
            for subscription in watched.subscriptions:
                subscription.is_over = True
                subscription.wake()

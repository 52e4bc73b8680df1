"""One poller for each turn and token in this process, shared by all streams that follow the turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec

from todo_cli.agent.follow import POLL_FAST_SECONDS, SETTLED_STATES, follow_turn
from todo_cli.contract.base import Caller, Secret
from todo_cli.contract.turn_events import EventBatch, TurnProgress
from todo_cli.server.connection_pools import Pool
from todo_cli.server.stream_counts import StreamCounts
from todo_cli.server.turn_attendance import TurnAttendance
from todo_cli.server.turn_runner import answer_for_turn

MAX_STREAMS_PER_USER = 20
"""In one process."""
PROGRESS_TIMEOUT_SECONDS = 1.0
"""Between two polls of a turn that runs in this process: each renews the turn's sign of life."""


class TurnWatch(NamedTuple):
    """What a stream follows: the batches of a turn after a given one. A settled turn emits nothing new."""

    turn: str
    after: int
    is_settled: bool


class TurnFeed:
    """All progress of one running turn since its beginning, polled with the token of one caller."""

    def __init__(self, pool: Pool, caller: Caller, turn: str, attendance: TurnAttendance) -> None:
        self.attendance, self.watchers, self.is_over = attendance, 0, False
        self._pool, self._caller, self._turn = pool, caller, turn
        self._batches: list[EventBatch] = []
        self._latest: TurnProgress | None = None
        self._failure: Exception | None = None
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._poll())

    async def watch(self, after: int) -> AsyncGenerator[TurnProgress, None]:
        """Yield the progress after batch `after` at each poll until the turn has settled; raises the poller's error."""
        position = 0
        while True:
            changed, is_over = self._changed, self.is_over
            batches = tuple(batch for batch in self._batches[position:] if batch.n > after)
            position = len(self._batches)
            if self._latest:
                yield msgspec.structs.replace(self._latest, batches=batches)
            if is_over and self._failure:
                raise self._failure
            if is_over:
                return
            await changed.wait()

    def close(self) -> None:
        """End the poller."""
        self._task.cancel()

    async def _poll(self) -> None:
        try:
            async for seen in follow_turn(self._read, self._turn, -1, self._pause):
                self._batches += seen.batches
                self._latest = seen
                self._wake_watchers()
                if seen.state not in SETTLED_STATES:
                    await self.attendance.take_over_if_orphaned(self._turn, seen)
        except Exception as error:  # raised by `watch` in each stream that follows
            self._failure = error
        finally:
            self.is_over = True
            self._wake_watchers()

    def _wake_watchers(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _read(self, request: Any) -> Any:
        return await answer_for_turn(self._pool, self._caller, request)

    async def _pause(self, seconds: float) -> None:
        progress = self.attendance.progress
        if progress is None:
            await asyncio.sleep(seconds)
            return
        # this process sets `progress` when it stores events
        progress.clear()
        earliest = time.monotonic() + seconds - POLL_FAST_SECONDS
        try:
            async with asyncio.timeout(PROGRESS_TIMEOUT_SECONDS):
                await progress.wait()
        except TimeoutError:
            return
        await asyncio.sleep(max(0.0, earliest - time.monotonic()))


class TurnFeeds:
    """The feeds of this process, and the number of streams of each user."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._feeds: dict[tuple[Secret, str | None, str], TurnFeed] = {}
        self.streams = StreamCounts(
            MAX_STREAMS_PER_USER, f"you follow {MAX_STREAMS_PER_USER} turns at once on this server"
        )

    @asynccontextmanager
    async def follow(
        self, caller: Caller, watch: TurnWatch, attendance: TurnAttendance
    ) -> AsyncIterator[AsyncGenerator[TurnProgress, None]]:
        """Yield the progress of a turn for the block. The last follower ends the poller."""
        if watch.is_settled:
            yield follow_turn(self._reader(caller), watch.turn, watch.after, asyncio.sleep)
            return
        key = (caller.token, caller.space, watch.turn)
        feed = self._feeds.get(key)
        if feed is None or feed.is_over:
            feed = self._feeds[key] = TurnFeed(self._pool, caller, watch.turn, attendance)
        elif attendance.progress:
            feed.attendance = attendance
        feed.watchers += 1
        try:
            yield feed.watch(watch.after)
        finally:
            feed.watchers -= 1
            if not feed.watchers:
                feed.close()
                if self._feeds.get(key) is feed:
                    del self._feeds[key]

    def _reader(self, caller: Caller) -> Any:
        async def read(request: Any) -> Any:
            return await answer_for_turn(self._pool, caller, request)

        return read

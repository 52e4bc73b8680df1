"""The server process of a local list: it is found once it can answer, and ends with the Postgres of the list."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn

CHECK_TICKS = 20
"""Ticks of a tenth of a second between two checks whether the server is needed."""
MAX_MISSED_CHECKS = 3
"""A Postgres that restarts is away for a moment."""
TICKS_AT_ONCE = 10


class LocalListServer(uvicorn.Server):
    """Calls `on_start` when requests are answered, and ends when `is_needed` has returned False several times."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None], is_needed: Callable[[], bool]) -> None:
        super().__init__(config)
        self._on_start, self._is_needed, self._missed_checks = on_start, is_needed, 0
        self._has_signal = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: Any = None) -> None:
        """Start to answer, then report it."""
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self._on_start()

    async def main_loop(self) -> None:
        """Wait for a signal. It wakes the processor once a second, a tenth as often as a busy server's loop."""
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += TICKS_AT_ONCE
            try:
                async with asyncio.timeout(TICKS_AT_ONCE / 10):
                    await self._has_signal.wait()
            except TimeoutError:
                continue

    async def on_tick(self, counter: int) -> bool:
        """Return whether to end."""
        if counter % CHECK_TICKS == 0:
            self._missed_checks = 0 if self._is_needed() else self._missed_checks + 1
        return self._missed_checks >= MAX_MISSED_CHECKS or await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End at a signal, at once."""
        super().handle_exit(sig, frame)
        if self._loop:
            self._loop.call_soon_threadsafe(self._has_signal.set)

"""Leave a turn that never began: there is nothing to stop, and the database or the server may never answer."""

from __future__ import annotations

import asyncio
from typing import Any

UNBEGUN_STOP_SECONDS = 2.0
"""The wait for the answer to the begin of a turn that is to stop. A turn that has begun is stopped instead."""


async def leave_unbegun_turn(stop: asyncio.Event, begun: asyncio.Event, running: asyncio.Task[Any] | None) -> None:
    """Wait for `stop`, then cancel the running task unless the turn begins soon."""
    await stop.wait()
    try:
        async with asyncio.timeout(UNBEGUN_STOP_SECONDS):
            await begun.wait()
    except TimeoutError:
        if running:
            running.cancel()

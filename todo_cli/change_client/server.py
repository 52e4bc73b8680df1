"""Follow changes through a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from todo_cli.contract.change_feed import ChangeBatch, FollowChanges
from todo_cli.settings.settings import Settings

POLL_INTERVAL_SECONDS = 1.0


async def read_from_server(
    settings: Settings, filter: str | None, cursor: int | None
) -> AsyncGenerator[ChangeBatch, None]:
    """Yield the next batches, the first one at once, also where it is empty; raises TodoError."""
    from todo_cli.clients.http import HttpClient

    client = HttpClient(settings)
    try:
        is_first = True
        while True:
            batch = await client.send(FollowChanges(after=cursor, filter=filter))
            if is_first or batch.cursor != cursor:
                yield batch
            is_first, cursor = False, batch.cursor
            if not batch.more:
                await asyncio.sleep(POLL_INTERVAL_SECONDS)
    finally:
        await client.aclose()

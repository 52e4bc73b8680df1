"""Follow changes directly: ask the database several times a second for those behind the cursor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from todo_cli.change_client.position import FeedPosition
from todo_cli.contract.change_feed import ChangeBatch
from todo_cli.settings.settings import Settings

POLL_INTERVAL_SECONDS = 0.25
ANSWER_TIMEOUT_SECONDS = 5.0
"""A database that has not answered by then counts as away."""


async def read_from_database(settings: Settings, position: FeedPosition) -> AsyncGenerator[ChangeBatch, None]:
    """Yield what is behind the position, also where that is nothing; the caller moves it. Raises TodoError."""
    from todo_cli.clients.direct import DirectClient

    client = DirectClient(_limit_timeout(settings))
    try:
        while True:
            batch = await client.send(position.next_request)
            yield batch
            if not batch.more:
                await asyncio.sleep(POLL_INTERVAL_SECONDS)
    finally:
        await client.aclose()


def _limit_timeout(settings: Settings) -> Settings:
    """Return the settings of a client that notices an outage, and that starts no local Postgres that was stopped."""
    bounded = settings.replace(timeout=min(settings.timeout, ANSWER_TIMEOUT_SECONDS))
    return bounded.replace(embedded=None) if settings.database_url else bounded

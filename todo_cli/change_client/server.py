"""Follow changes through a server, which streams them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlencode

from todo_cli.contract.change_feed import ChangeBatch
from todo_cli.contract.codec import decode
from todo_cli.errors import from_problem
from todo_cli.settings.settings import Settings


async def read_from_server(
    settings: Settings, filter: str | None, cursor: int | None
) -> AsyncGenerator[ChangeBatch, None]:
    """Yield the next batches until the stream ends, the first one at once; raises TodoError or ResponseLost."""
    from todo_cli.clients.http import HttpClient
    from todo_cli.turn_client.stream_frames import read_frames

    query = {name: value for name, value in (("after", cursor), ("filter", filter)) if value is not None}
    client = HttpClient(settings)
    try:
        target = "/v1/changes/stream" + (f"?{urlencode(query)}" if query else "")
        async for frame in read_frames(client, "GET", target, None, settings):
            if frame.event == "problem":
                raise from_problem(decode(frame.data, dict[str, Any]))
            if frame.event == "changes":
                yield decode(frame.data, ChangeBatch)
    finally:
        await client.aclose()

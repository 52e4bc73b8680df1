"""Follow changes through a server, which streams them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlencode

from todo_cli.change_client.position import FeedPosition
from todo_cli.contract.change_feed import ChangeBatch
from todo_cli.contract.codec import decode, to_builtins
from todo_cli.errors import from_problem
from todo_cli.settings.settings import Settings


async def read_from_server(settings: Settings, position: FeedPosition) -> AsyncGenerator[ChangeBatch, None]:
    """Yield what comes behind the position until the stream ends, the first batch at once.

    Raises TodoError or ResponseLost.
    """
    from todo_cli.clients.http import HttpClient
    from todo_cli.turn_client.stream_frames import read_frames

    fields = to_builtins(position.next_request)
    query = {name: fields[name] for name in ("after", "filter", "reminded_since") if fields.get(name) is not None}
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

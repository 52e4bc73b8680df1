"""Read the server-sent events of a turn's stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import msgspec

from todo_cli.clients.http import HttpClient, read_whole
from todo_cli.clients.http_answer import decode_response
from todo_cli.clients.http_once import ResponseLost
from todo_cli.contract.codec import decode
from todo_cli.contract.conversations import StopTurn
from todo_cli.contract.turn_events import TurnProgress
from todo_cli.errors import Unavailable, from_problem
from todo_cli.settings.settings import Settings

SILENCE_SECONDS = 35.0
"""A connection without a byte for so long is dead: the server sends a comment every ten seconds."""


class StreamFrame(NamedTuple):
    """One server-sent event."""

    event: str
    data: bytes
    id: int | None


def read_final_frame(frame: StreamFrame) -> TurnProgress | None:
    """Return the turn's final state if the frame has it, else None; raise the error that the frame reports."""
    if frame.event == "problem":
        raise from_problem(decode(frame.data, dict[str, Any]))
    if frame.event != "turn":
        return None
    fields = decode(frame.data, dict[str, Any])
    return msgspec.convert({"batches": (), "attempt": 0} | fields, TurnProgress)


async def read_frames(
    client: HttpClient, method: str, target: str, body: bytes | None, settings: Settings
) -> AsyncIterator[StreamFrame]:
    """Yield the events of a stream; raise ResponseLost where the connection breaks, and the server's error."""
    import httpx2

    timeout = httpx2.Timeout(settings.timeout, read=max(settings.timeout, SILENCE_SECONDS))
    headers = client.headers(None) | {"Accept": "text/event-stream"}
    try:
        async with client.open_stream(method, target, body, headers, timeout=timeout) as response:
            if response.headers.get("content-type", "").partition(";")[0] != "text/event-stream":
                decode_response(await read_whole(response), StopTurn(turn=""), settings.server or "")
                raise Unavailable(f"{settings.server} is not a todo server with chat", hint="upgrade the server")
            async for frame in _parse_frames(response.aiter_lines()):
                yield frame
    except httpx2.InvalidURL as error:
        raise Unavailable(f"{settings.server} is not an address: {error}") from None
    except (httpx2.HTTPError, httpx2.StreamError) as error:
        raise ResponseLost(str(error) or type(error).__name__) from None


async def _parse_frames(lines: AsyncIterator[str]) -> AsyncIterator[StreamFrame]:
    event, number = "", None
    data: list[str] = []
    async for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield StreamFrame(event, "\n".join(data).encode(), number)
            event, data, number = "", [], None
        elif not name:
            yield StreamFrame("ping", b"", None)
        elif name == "event":
            event = value
        elif name == "data":
            data.append(value)
        elif name == "id" and value.isdecimal():
            number = int(value)

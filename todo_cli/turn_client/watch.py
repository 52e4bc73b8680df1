"""Watch a turn that runs elsewhere without taking part in it, through a server or directly."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec

from todo_cli.contract.turn_events import EmitEvent, TurnProgress
from todo_cli.contract.turn_steps import ENDED_STATES
from todo_cli.errors import Unavailable
from todo_cli.settings.settings import Settings

POLL_INTERVAL_SECONDS = 1.0
"""Between two looks at a turn that waits for an approval, or at a server that does not answer."""
MAX_OUTAGE_SECONDS = 30.0
"""After so long without the server, watching fails."""


async def watch_turn(
    settings: Settings, turn: str, emit: EmitEvent, on_held_calls: Callable[[TurnProgress], None]
) -> TurnProgress:
    """Emit every event until the turn has ended; raise TodoError.

    `on_held_calls` is called each time the turn begins to wait for an approval.
    """
    watcher = _Watcher(settings, turn, emit)
    held: tuple[Any, ...] = ()
    while True:
        look = await (watcher.watch_server() if settings.server else watcher.watch_database())
        if look.state in ENDED_STATES:
            return look
        if look.held and look.held != held:
            on_held_calls(look)
        held = look.held
        await asyncio.sleep(POLL_INTERVAL_SECONDS)


class _Watcher:
    def __init__(self, settings: Settings, turn: str, emit: EmitEvent) -> None:
        self._settings, self._turn, self._emit, self._after = settings, turn, emit, -1
        self._last_frame = time.monotonic()

    async def watch_database(self) -> TurnProgress:
        """Watch until the turn has ended or waits."""
        from todo_cli.agent.follow import follow_turn
        from todo_cli.clients.direct import DirectClient

        client = DirectClient(self._settings)
        try:
            async for look in follow_turn(client.send, self._turn, self._after, asyncio.sleep):
                for batch in look.batches:
                    self._take(batch.n, batch.events)
        finally:
            await client.aclose()
        return look

    async def watch_server(self) -> TurnProgress:
        """Watch until the turn has ended or waits, or until the connection is lost: then the caller tries again."""
        from todo_cli.clients.http import HttpClient
        from todo_cli.clients.http_once import ResponseLost
        from todo_cli.turn_client.stream_frames import read_final_frame, read_frames

        client = HttpClient(self._settings)
        target = f"/v1/turns/{self._turn}/events?after={self._after}"
        try:
            async for frame in read_frames(client, "GET", target, None, self._settings):
                self._last_frame = time.monotonic()
                if frame.id is not None:
                    self._take(frame.id, msgspec.json.decode(frame.data))
                if last := read_final_frame(frame):
                    return last
        except (ResponseLost, Unavailable) as error:
            if time.monotonic() - self._last_frame > MAX_OUTAGE_SECONDS:
                raise Unavailable(f"the server {self._settings.server} cannot be reached: {error}") from None
        finally:
            await client.aclose()
        return TurnProgress(batches=(), state="running", attempt=0)

    def _take(self, n: int, events: Any) -> None:
        self._after = n
        for event in events:
            self._emit(event)

"""Watching a turn that runs elsewhere, without a part in it; whichever way in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec

from todo_cli.contract.turn_events import TurnProgress
from todo_cli.contract.turn_steps import ENDED_STATES
from todo_cli.errors import Unavailable
from todo_cli.settings.settings import Settings

LOOK = 1.0
"""Seconds between two looks at a turn that waits for a yes, or at a server that was lost."""
GONE = 30.0
"""Seconds after which a server that cannot be reached is given up."""

Tell = Callable[[dict[str, Any]], None]


async def attend(settings: Settings, turn: str, tell: Tell, waits: Callable[[TurnProgress], None]) -> TurnProgress:
    """Tell every event until the turn has ended; `waits` once each time that it waits for a yes. Raises TodoError."""
    watching = _Watching(settings, turn, tell)
    held: tuple[Any, ...] = ()
    while True:
        seen = await (watching.served() if settings.server else watching.direct())
        if seen.state in ENDED_STATES:
            return seen
        if seen.held and seen.held != held:
            waits(seen)
        held = seen.held
        await asyncio.sleep(LOOK)


class _Watching:
    def __init__(self, settings: Settings, turn: str, tell: Tell) -> None:
        self._settings, self._turn, self._tell, self._after = settings, turn, tell, -1
        self._heard = time.monotonic()

    async def direct(self) -> TurnProgress:
        """Until it rests."""
        from todo_cli.agent.follow import watch
        from todo_cli.clients.direct import DirectClient

        backend = DirectClient(self._settings)
        try:
            async for seen in watch(backend.send, self._turn, self._after, asyncio.sleep):
                for batch in seen.batches:
                    self._take(batch.n, batch.events)
        finally:
            await backend.aclose()
        return seen

    async def served(self) -> TurnProgress:
        """Until it rests; a server that goes away is asked again, or another in its place."""
        from todo_cli.clients.http import HttpClient
        from todo_cli.clients.http_once import ResponseLost
        from todo_cli.turn_client.remote import final, frames

        backend = HttpClient(self._settings)
        target = f"/v1/turns/{self._turn}/events?after={self._after}"
        try:
            async for frame in frames(backend, "GET", target, None, self._settings):
                self._heard = time.monotonic()
                if frame.id is not None:
                    self._take(frame.id, msgspec.json.decode(frame.data))
                if seen := final(frame):
                    return seen
        except (ResponseLost, Unavailable) as error:
            if time.monotonic() - self._heard > GONE:
                raise Unavailable(f"the server {self._settings.server} cannot be reached: {error}") from None
        finally:
            await backend.aclose()
        return TurnProgress(batches=(), state="running", attempt=0)

    def _take(self, n: int, events: Any) -> None:
        self._after = n
        for event in events:
            self._tell(event)

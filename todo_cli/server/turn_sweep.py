"""Continue turns whose process died, also when no client follows them.

While this process is in use, it looks for them every few seconds. A process that gets no requests sends nothing to the
database, which may sleep. Whichever server finds a dead turn first continues it as the token that asked.
"""

from __future__ import annotations

import asyncio
import random
import time

import psycopg
from starlette.types import ASGIApp, Receive, Scope, Send

from todo_cli.errors import TodoError
from todo_cli.server.responses import log_trace
from todo_cli.server.turn_adoption import SWEEP_SECONDS, TurnAdoption

QUIET_SECONDS = 60.0
"""A process stops looking so long after its last request, unless turns run."""


class TurnSweep:
    """The middleware that counts as use of this process, and the task that looks for dead turns meanwhile."""

    def __init__(self, app: ASGIApp, adoption: TurnAdoption) -> None:
        self._app, self._adoption = app, adoption
        self._task: asyncio.Task[None] | None = None
        self._is_running, self._last_use = False, 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one ASGI request on. A request with a valid token counts as use."""
        if self._is_running and "caller" in scope.get("state", ()):
            self._note_use()
        await self._app(scope, receive, send)

    def start(self) -> None:
        """Look for turns that died before this process started, and from now on."""
        self._is_running = True
        self._note_use()

    async def close(self) -> None:
        """Stop looking."""
        self._is_running = False
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _note_use(self) -> None:
        self._last_use = time.monotonic()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._sweep_while_used())

    async def _sweep_while_used(self) -> None:
        has_live_turns = True
        while has_live_turns or time.monotonic() - self._last_use < QUIET_SECONDS:
            has_live_turns = await self._look()
            # Servers that started at once do not look at once.
            await asyncio.sleep(SWEEP_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311

    async def _look(self) -> bool:
        """Continue dead turns; return whether other turns run, False where the database cannot say."""
        try:
            return await self._adoption.continue_dead_turns()
        except (psycopg.Error, TimeoutError, TodoError):
            return False
        except Exception as error:  # a bug must not end the sweep
            log_trace(error, "turn-sweep")
            return False

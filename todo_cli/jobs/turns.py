"""Continue turns of the chat whose servers have died, in a worker that has a model.

The database lets only the login of the servers act with users' tokens, so a worker needs that login too.

Servers look for them every few seconds while they are in use. A worker looks for them when no server does: every few
seconds while turns run anywhere, and twelve times an hour otherwise.
"""

from __future__ import annotations

import asyncio
import logging
import random

import psycopg

from todo_cli.errors import TodoError
from todo_cli.settings.settings import Settings

IDLE_SECONDS = 300.0
"""Between two looks while no turn runs."""
CONNECTIONS = 4
"""Database connections for the steps of turns, opened when there are any."""

log = logging.getLogger("todo.worker")


class WorkerTurns:
    """The task of a worker that looks for dead turns and runs them."""

    def __init__(self, url: str, settings: Settings) -> None:
        # half a second of imports, which a worker without a model does not need
        from todo_cli.server.connection_pools import open_pool
        from todo_cli.server.shutdown import GracePeriod
        from todo_cli.server.turn_adoption import TurnAdoption
        from todo_cli.server.turn_runner import TurnRunner

        self._pool = open_pool(url, CONNECTIONS)
        self._runner = TurnRunner(self._pool, GracePeriod(), titles=settings.model_titles)
        self._adoption = TurnAdoption(self._pool, settings, self._runner)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look for dead turns from now on."""
        await self._pool.open()
        self._task = asyncio.create_task(self._look())

    async def stop(self) -> None:
        """Stop looking, and give the running turns their grace period."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._runner.close()
        await self._pool.close()

    async def _look(self) -> None:
        from todo_cli.server.turn_adoption import SWEEP_SECONDS

        while True:
            try:
                is_soon = await self._adoption.continue_dead_turns()
            except (psycopg.Error, TimeoutError, TodoError):
                is_soon = True  # the database is away or busy
            except Exception as error:  # a bug must not end the task
                log.error("looking for dead turns failed: %s", type(error).__name__)
                is_soon = False
            seconds = SWEEP_SECONDS if is_soon else IDLE_SECONDS
            # workers that started at once do not look at once
            await asyncio.sleep(seconds * random.uniform(0.8, 1.2))  # noqa: S311

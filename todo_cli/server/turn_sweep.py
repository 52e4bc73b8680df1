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

from todo_cli.contract.base import Caller
from todo_cli.contract.conversations import StopTurn
from todo_cli.contract.ids import new_id, new_token
from todo_cli.contract.turn_steps import BeginTurn
from todo_cli.core.turns.unfinished_turns import DeadTurn, act_for, find_unfinished_turns
from todo_cli.db.transaction import time_limit
from todo_cli.errors import TodoError
from todo_cli.llm.endpoints import ModelEndpoint
from todo_cli.llm.selection import select_endpoint
from todo_cli.server.connection_pools import Pool
from todo_cli.server.endpoint import answer_client
from todo_cli.server.responses import log_trace
from todo_cli.server.turn_runner import TurnRunner
from todo_cli.settings.settings import Settings

SWEEP_SECONDS = 5.0
"""Between two looks for dead turns."""
QUIET_SECONDS = 60.0
"""After the last request a process looks no more, unless turns run."""
SWEEP_TIMEOUT_SECONDS = 10.0
MAX_TURNS_PER_SWEEP = 10
MAX_ATTEMPTS = 5
"""A turn whose processes died so many times is ended."""


class TurnSweep:
    """The middleware that counts as use of this process, and the task that looks for dead turns meanwhile."""

    def __init__(self, app: ASGIApp, pool: Pool, settings: Settings, runner: TurnRunner) -> None:
        self._app, self._pool, self._settings, self._runner = app, pool, settings, runner
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
        """Look no more."""
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
            has_live_turns = await self._sweep()
            # Servers that started at once do not look at once.
            await asyncio.sleep(SWEEP_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311

    async def _sweep(self) -> bool:
        """Continue dead turns; return whether other turns run now, here or elsewhere."""
        try:
            async with time_limit(SWEEP_TIMEOUT_SECONDS), self._pool.lend(wait_for_database=False) as connection:
                unfinished = await find_unfinished_turns(connection, MAX_TURNS_PER_SWEEP)
            for turn in unfinished.dead:
                await self._adopt(turn)
        except (psycopg.Error, TimeoutError, TodoError):
            return False  # The database is away or busy.
        except Exception as error:
            log_trace(error, "turn-sweep")
            return False
        return unfinished.live > 0

    async def _adopt(self, turn: DeadTurn) -> None:
        """Continue a dead turn, unless another server is about to or this one does not have its model."""
        endpoint = await self._choose_endpoint(turn)
        if endpoint is None:
            return
        token = new_token(turn.user)
        async with time_limit(SWEEP_TIMEOUT_SECONDS), self._pool.lend(wait_for_database=False) as connection:
            if not await act_for(connection, turn, token):
                return
        # The user's rate limit has counted the request that began the turn.
        caller = Caller(token=token, space=turn.space, zone=turn.zone, way="chat")
        if turn.attempt >= MAX_ATTEMPTS:
            await answer_client(self._pool, caller, StopTurn(turn=turn.turn))
            return
        begin = BeginTurn(
            conversation=turn.conversation, turn=turn.turn, runner=new_id(), model=endpoint.model[:100] or None
        )
        self._runner.start(caller, endpoint, begin, f"turn-{turn.turn}")

    async def _choose_endpoint(self, turn: DeadTurn) -> ModelEndpoint | None:
        try:
            # the keyring may be slow
            return await asyncio.to_thread(select_endpoint, self._settings, requested=turn.model)
        except TodoError:
            return None

"""Continue turns whose process died, as the token that asked. Servers and workers use it."""

from __future__ import annotations

import asyncio

from todo_cli.contract.base import Caller
from todo_cli.contract.conversations import StopTurn
from todo_cli.contract.ids import new_id, new_token
from todo_cli.contract.turn_steps import BeginTurn
from todo_cli.core.turns.unfinished_turns import DeadTurn, act_for, find_unfinished_turns
from todo_cli.db.pipeline import time_limit
from todo_cli.errors import TodoError
from todo_cli.llm.endpoints import ModelEndpoint
from todo_cli.llm.selection import select_endpoint
from todo_cli.server.connection_pools import Pool
from todo_cli.server.endpoint import answer_client
from todo_cli.server.turn_runner import TurnRunner
from todo_cli.settings.settings import Settings

SWEEP_SECONDS = 5.0
"""Between two looks for dead turns, while turns run."""
SWEEP_TIMEOUT_SECONDS = 10.0
MAX_TURNS_PER_SWEEP = 10
MAX_ATTEMPTS = 5
"""A turn whose processes died so many times is ended."""


class TurnAdoption:
    """Finds dead turns and lets this process run them."""

    def __init__(self, pool: Pool, settings: Settings, runner: TurnRunner) -> None:
        self._pool, self._settings, self._runner = pool, settings, runner

    async def continue_dead_turns(self) -> bool:
        """Continue dead turns; return whether other turns run now, here or elsewhere.

        Raises psycopg.Error, TimeoutError or TodoError where the database is away or busy.
        """
        async with time_limit(SWEEP_TIMEOUT_SECONDS), self._pool.lend(wait_for_database=False) as connection:
            unfinished = await find_unfinished_turns(connection, MAX_TURNS_PER_SWEEP)
        for turn in unfinished.dead:
            await self._adopt(turn)
        return unfinished.live > 0

    async def _adopt(self, turn: DeadTurn) -> None:
        """Continue a dead turn, unless another process is about to or this one does not have its model."""
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

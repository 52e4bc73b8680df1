"""The server's part in a turn that a client follows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from todo_cli.agent.follow import has_no_runner
from todo_cli.contract.base import Caller
from todo_cli.contract.ids import new_id
from todo_cli.contract.turn_events import TurnProgress
from todo_cli.contract.turn_steps import BeginTurn, ClaimedTurn
from todo_cli.llm.endpoints import ModelEndpoint
from todo_cli.server.turn_runner import RunningTurn, TurnRunner


class TurnAttendance:
    """The server's part in a turn that a client follows: run it, or take it over from a dead process.

    Both use the token of that client.
    """

    def __init__(
        self, runner: TurnRunner, caller: Caller, choose: Callable[[], Awaitable[ModelEndpoint]], request_id: str
    ) -> None:
        self._runner, self._caller, self._choose, self._request_id = runner, caller, choose, request_id
        self._own_turn: RunningTurn | None = None
        self._endpoint: ModelEndpoint | None = None

    async def endpoint(self) -> ModelEndpoint:
        """Return the endpoint of the model, select_endpoint once; raises ModelFailed."""
        self._endpoint = self._endpoint or await self._choose()
        return self._endpoint

    async def begin(self, turn: str, conversation: str, text: str | None) -> ClaimedTurn:
        """Run the turn unless another process does, and return its claim; raises TodoError."""
        endpoint = await self.endpoint()
        begin = BeginTurn(conversation=conversation, turn=turn, runner=new_id(), text=text, model=endpoint.model[:100])
        turn_here = self._runner.start(self._caller, endpoint, begin, self._request_id)
        claim = await turn_here.wait_until_claimed()
        self._own_turn = turn_here if claim.mine else None
        return claim

    @property
    def progress(self) -> asyncio.Event | None:
        """The event that is set when this process has stored something of the turn."""
        return self._own_turn.progress if self._own_turn else None

    async def take_over_if_orphaned(self, turn: str, seen: TurnProgress) -> None:
        """Take over a turn that no process runs; raises the error that ended it in this process."""
        if self._own_turn and not self._own_turn.task.done():
            return
        if self._own_turn and self._own_turn.failure:
            raise self._own_turn.failure
        if has_no_runner(seen):
            await self.begin(turn, seen.conversation, None)

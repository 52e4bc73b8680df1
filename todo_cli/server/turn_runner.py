"""Run turns in this process. A turn goes on when the client that started it disconnects."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from todo_cli.agent.attempt import RELEASE_TIMEOUT_SECONDS
from todo_cli.agent.loop import TurnEnd, run_turn
from todo_cli.agent.titles import store_title
from todo_cli.contract.base import Caller
from todo_cli.contract.turn_steps import BeginTurn, ClaimedTurn
from todo_cli.errors import Bug, Conflict, TodoError
from todo_cli.llm.endpoints import ModelEndpoint
from todo_cli.server.connection_pools import Pool
from todo_cli.server.endpoint import answer_client
from todo_cli.server.responses import log_trace
from todo_cli.server.shutdown import GracePeriod

if TYPE_CHECKING:
    from todo_cli.llm.client import ModelClient


async def answer_for_turn(pool: Pool, caller: Caller, request: Any) -> Any:
    """Answer a step of a turn, or a read of it: journaled as `chat`. The request that started the turn was counted."""
    return await answer_client(pool, msgspec.structs.replace(caller, way="chat"), request)


class RunningTurn:
    """One attempt at a turn, run by this process."""

    def __init__(
        self, pool: Pool, caller: Caller, endpoint: ModelEndpoint, begin: BeginTurn, request_id: str, *, titles: bool
    ) -> None:
        self.title_task: asyncio.Task[None] | None = None
        self._titles = titles
        self.progress = asyncio.Event()
        self.error: TodoError | None = None
        self._pool, self._caller, self._endpoint = pool, caller, endpoint
        self._begin, self._request_id = begin, request_id
        self._claim: ClaimedTurn | None = None
        self.task = asyncio.create_task(self._run())

    async def wait_until_claimed(self) -> ClaimedTurn:
        """Wait until the turn is claimed and return the claim; raises the error that prevents it."""
        while self._claim is None and not self.task.done():
            self.progress.clear()
            await self.progress.wait()
        if self._claim is None:
            raise self.error or Bug("the turn did not start")
        return self._claim

    @property
    def failure(self) -> TodoError | None:
        """Return the error that ended the turn early, None if another process took it over."""
        is_fenced = isinstance(self.error, Conflict) and self.error.extra.get("reason") == "fenced"
        return self.error if self.task.done() and not is_fenced else None

    async def _run(self) -> None:
        try:
            model = await _open_model(self._endpoint)
            try:
                ended = await run_turn(self._send, model, self._begin, titles=self._titles)
            except BaseException:
                await model.close()
                raise
            self.title_task = asyncio.create_task(self._set_title(model, ended))
        except TodoError as error:
            self.error = error
        except Exception as error:  # a bug: whoever follows the turn gets the request id
            log_trace(error, self._request_id)
            self.error = Bug("the server failed", request_id=self._request_id)
        finally:
            if isinstance(self.error, Bug):
                log_trace(self.error, self._request_id)
            asyncio.get_running_loop().call_soon(self.progress.set)

    async def _set_title(self, model: ModelClient, ended: TurnEnd) -> None:
        """Title the conversation after the turn has ended, when no client waits any more."""
        try:
            if self._titles and ended.first and ended.state == "done":
                await store_title(self._send, model, ended.conversation, ended.turn, self._begin.model)
        except TodoError:
            return  # the first words of the conversation stay its title
        except Exception as error:  # a bug: no client waits for the title
            log_trace(error, self._request_id)
        finally:
            await model.close()

    async def _send(self, request: Any) -> Any:
        send = answer_client if isinstance(request, BeginTurn) else answer_for_turn
        answer = await send(self._pool, self._caller, request)
        if isinstance(answer, ClaimedTurn):
            self._claim = answer
        self.progress.set()
        return answer


async def _open_model(endpoint: ModelEndpoint) -> ModelClient:
    # half a second of imports and a trust store: not in the event loop that serves every client
    def open_model() -> ModelClient:
        from todo_cli.llm.client import ModelClient

        return ModelClient(endpoint)

    return await asyncio.to_thread(open_model)


class TurnRunner:
    """All turns that run in this process."""

    def __init__(self, pool: Pool, grace: GracePeriod, *, titles: bool) -> None:
        self._pool, self._grace, self._titles = pool, grace, titles
        self._title_tasks: set[asyncio.Task[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, caller: Caller, endpoint: ModelEndpoint, begin: BeginTurn, request_id: str) -> RunningTurn:
        """Start an attempt at a turn. It ends at once if another process runs the turn."""
        without_key = msgspec.structs.replace(caller, key=None)
        turn = RunningTurn(self._pool, without_key, endpoint, begin, request_id, titles=self._titles)
        self._tasks.add(turn.task)
        turn.task.add_done_callback(lambda task: self._forget(task, turn))
        return turn

    def _forget(self, task: asyncio.Task[None], turn: RunningTurn) -> None:
        self._tasks.discard(task)
        if turn.title_task:
            self._title_tasks.add(turn.title_task)
            turn.title_task.add_done_callback(self._title_tasks.discard)

    async def close(self) -> None:
        """Wait for the grace period, then cancel the remaining turns. Another process takes them over."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._grace.seconds_left())
        remaining = [*self._tasks, *self._title_tasks]
        for task in remaining:
            task.cancel()
        if remaining:
            await asyncio.wait(remaining, timeout=RELEASE_TIMEOUT_SECONDS + 1)

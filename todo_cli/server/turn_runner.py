"""Turns that this process runs. They end with their own end, not with the connection that asked for them."""

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
from todo_cli.server.endpoint import answered, log_trace
from todo_cli.server.pool import Pool
from todo_cli.server.shutdown import Grace

if TYPE_CHECKING:
    from todo_cli.llm.client import ModelClient


async def within_turn(pool: Pool, caller: Caller, request: Any) -> Any:
    """A step of a turn, or a look at it: the journal says `chat`, and the person's rate limit does not count it."""
    return await answered(pool, msgspec.structs.replace(caller, way="chat"), request)


class Running:
    """One attempt at a turn."""

    def __init__(
        self, pool: Pool, caller: Caller, endpoint: ModelEndpoint, begin: BeginTurn, request_id: str, *, titles: bool
    ) -> None:  # fmt: skip
        self.titling: asyncio.Task[None] | None = None
        self._titles = titles
        self.news = asyncio.Event()
        self.error: TodoError | None = None
        self._pool, self._caller, self._endpoint = pool, caller, endpoint
        self._begin, self._request_id = begin, request_id
        self._begun: ClaimedTurn | None = None
        self.task = asyncio.create_task(self._run())

    async def begun(self) -> ClaimedTurn:
        """How it began; raises the error because of which it did not."""
        while self._begun is None and not self.task.done():
            self.news.clear()
            await self.news.wait()
        if self._begun is None:
            raise self.error or Bug("the turn did not begin")
        return self._begun

    @property
    def failed(self) -> TodoError | None:
        """Why it is over before its end; not because another has taken it over."""
        fenced = isinstance(self.error, Conflict) and self.error.extra.get("reason") == "fenced"
        return self.error if self.task.done() and not fenced else None

    async def _run(self) -> None:
        try:
            model = await _model(self._endpoint)
            try:
                ended = await run_turn(self._send, model, self._begin)
            except BaseException:
                await model.close()
                raise
            self.titling = asyncio.create_task(self._titled(model, ended))
        except TodoError as error:
            self.error = error
        except Exception as error:
            log_trace(error, self._request_id)
            self.error = Bug("the server failed", request_id=self._request_id)
        finally:
            if isinstance(self.error, Bug):
                log_trace(self.error, self._request_id)
            asyncio.get_running_loop().call_soon(self.news.set)

    async def _titled(self, model: ModelClient, ended: TurnEnd) -> None:
        """Behind the turn's end: nobody waits for it."""
        try:
            if self._titles and ended.first and ended.state == "done":
                await store_title(self._send, model, ended.conversation, ended.turn, self._begin.model)
        except TodoError:
            return  # the first words stay
        except Exception as error:
            log_trace(error, self._request_id)
        finally:
            await model.close()

    async def _send(self, request: Any) -> Any:
        send = answered if isinstance(request, BeginTurn) else within_turn
        answer = await send(self._pool, self._caller, request)
        if isinstance(answer, ClaimedTurn):
            self._begun = answer
        self.news.set()
        return answer


async def _model(endpoint: ModelEndpoint) -> ModelClient:
    # half a second of imports, and a trust store: not in the loop that serves everybody
    def made() -> ModelClient:
        from todo_cli.llm.client import ModelClient

        return ModelClient(endpoint)

    return await asyncio.to_thread(made)


class Turns:
    """All that run here."""

    def __init__(self, pool: Pool, grace: Grace, *, titles: bool) -> None:
        self._pool, self._grace, self._titles = pool, grace, titles
        self._titling: set[asyncio.Task[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, caller: Caller, endpoint: ModelEndpoint, begin: BeginTurn, request_id: str) -> Running:
        """Begin one, or find that another runs it."""
        without_key = msgspec.structs.replace(caller, key=None)
        running = Running(self._pool, without_key, endpoint, begin, request_id, titles=self._titles)
        self._tasks.add(running.task)
        running.task.add_done_callback(lambda task: self._ended(task, running))
        return running

    def _ended(self, task: asyncio.Task[None], running: Running) -> None:
        self._tasks.discard(task)
        if running.titling:
            self._titling.add(running.titling)
            running.titling.add_done_callback(self._titling.discard)

    async def close(self) -> None:
        """The server stops: what does not end in time is left to another."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._grace.left())
        left = [*self._tasks, *self._titling]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=RELEASE_TIMEOUT_SECONDS + 1)

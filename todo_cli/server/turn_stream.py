"""Turns over HTTP, as server-sent events, from what stands in the database: any instance can serve any of them.

`begun` says which turn it is; each stored batch is an `events` with its number as id; `turn`, the last, how the turn
stands; `problem`, that this server cannot go on. Leaving is not stopping: StopTurn is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from starlette.types import Receive, Scope, Send

from todo_cli.agent.follow import POLL_FAST_SECONDS, SETTLED_STATES, follow_turn, has_no_runner
from todo_cli.contract.base import Caller, Name
from todo_cli.contract.codec import convert_request, decode_request, encode
from todo_cli.contract.conversations import ConversationNumber, ShowConversation
from todo_cli.contract.ids import new_id
from todo_cli.contract.tokens import Id
from todo_cli.contract.turn_events import ReadEvents, TurnProgress
from todo_cli.contract.turn_steps import BeginTurn, ClaimedTurn, MessageText
from todo_cli.contract.users import WhoAmI
from todo_cli.errors import Bug, ModelFailed, TodoError
from todo_cli.llm.endpoints import ModelEndpoint
from todo_cli.llm.selection import select_endpoint
from todo_cli.server.endpoint import answered, body_of, caller_of, guarded, headers_of, log_trace, respond
from todo_cli.server.pool import Pool
from todo_cli.server.shutdown import Grace
from todo_cli.server.turn_runner import Running, Turns, within_turn
from todo_cli.settings.settings import Settings

HEARTBEAT = 10.0

After = Annotated[int, Meta(ge=-1, le=2**63 - 1, description="only events after this id")]


class TurnAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Say something to the model, or attach to what was said under this id, and go on with it if nobody does.

    Without `text` it only attaches. `model` wins over the person's preference, that over the server's own.
    """

    turn: Id
    conversation: Annotated[Id | ConversationNumber, Meta(description="an id, new for a new conversation, or a number")]
    text: MessageText | None = None
    model: Name | None = None
    after: After = -1


class EventsAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Watch a turn."""

    turn: Id
    after: After = -1


class TurnRoutes:
    """The hand-written routes of the chat."""

    def __init__(self, pool: Pool, settings: Settings, grace: Grace) -> None:
        self._pool, self._settings = pool, settings
        self._turns = Turns(pool, grace, titles=settings.model_titles)

    async def close(self) -> None:
        """Let go of what still runs."""
        await self._turns.close()

    async def post(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`POST /v1/turns`"""
        await guarded(scope, send, self._post(scope, receive, send))

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`GET /v1/turns/{turn}/events`"""
        await guarded(scope, send, self._get(scope, receive, send))

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        caller = msgspec.structs.replace(caller_of(headers, scope), key=None)
        asked = decode_request(await body_of(receive, headers), TurnAsked)
        runs = self._runs(scope, caller, asked.model)
        await runs.endpoint()
        conversation = await self._conversation(caller, asked.conversation)
        begun = await runs.begin(asked.turn, conversation, asked.text)
        stream = _Stream(self._pool, caller, runs)
        await stream.send(scope, receive, send, asked.turn, asked.after, _frame("begun", begun))

    async def _get(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        caller = msgspec.structs.replace(caller_of(headers, scope), key=None)
        query = scope["query_string"].decode("latin-1")
        given = dict(pair.partition("=")[::2] for pair in query.split("&") if pair)
        if "after" not in given and "last-event-id" in headers:
            given["after"] = headers["last-event-id"]
        asked = convert_request(given | scope["path_params"], EventsAsked)
        await answered(self._pool, caller, ReadEvents(turn=asked.turn, after=asked.after, limit=1))
        if scope["method"] == "HEAD":
            await respond(send, 200, b"", b"text/event-stream")
            return
        stream = _Stream(self._pool, caller, self._runs(scope, caller))
        await stream.send(scope, receive, send, asked.turn, asked.after, b"")

    def _runs(self, scope: Scope, caller: Caller, model: str | None = None) -> _Runs:
        choose = partial(self._endpoint, caller, model)
        return _Runs(self._turns, caller, choose, scope["state"]["request_id"])

    async def _endpoint(self, caller: Caller, model: str | None) -> ModelEndpoint:
        """Where the model is: of the settings, a person only names it; raises ModelFailed."""
        preferred = None if model else (await within_turn(self._pool, caller, WhoAmI())).model
        try:
            # a keyring may take its time
            return await asyncio.to_thread(select_endpoint, self._settings, requested=model, preferred=preferred)
        except ModelFailed as error:
            raise ModelFailed(f"on the server, {error.detail}", hint=error.hint, **error.extra) from None

    async def _conversation(self, caller: Caller, named: str | int) -> str:
        if isinstance(named, str):
            return named
        shown = await answered(self._pool, caller, ShowConversation(number=named, limit=1))
        return shown.conversation.id


class _Runs:
    """This server's part in a turn: it runs it, or takes it over from who has died, with the token of who watches."""

    def __init__(
        self, turns: Turns, caller: Caller, choose: Callable[[], Awaitable[ModelEndpoint]], request_id: str
    ) -> None:
        self._turns, self._caller, self._choose, self._request_id = turns, caller, choose, request_id
        self._mine: Running | None = None
        self._endpoint: ModelEndpoint | None = None

    async def endpoint(self) -> ModelEndpoint:
        """Where the model is; raises ModelFailed."""
        self._endpoint = self._endpoint or await self._choose()
        return self._endpoint

    async def begin(self, turn: str, conversation: str, text: str | None) -> ClaimedTurn:
        """Run it, unless another does; raises TodoError."""
        endpoint = await self.endpoint()
        begin = BeginTurn(conversation=conversation, turn=turn, runner=new_id(), text=text, model=endpoint.model[:100])
        running = self._turns.start(self._caller, endpoint, begin, self._request_id)
        begun = await running.begun()
        self._mine = running if begun.mine else None
        return begun

    @property
    def news(self) -> asyncio.Event | None:
        """Set when something was stored here."""
        return self._mine.news if self._mine else None

    async def go_on(self, turn: str, seen: TurnProgress) -> None:
        """Take over a turn that nobody runs; raises the error that has ended it here."""
        if self._mine and not self._mine.task.done():
            return
        if self._mine and self._mine.failed:
            raise self._mine.failed
        if has_no_runner(seen):
            await self.begin(turn, seen.conversation, None)


class _Stream:
    """One answer to a client, for as long as it stays."""

    def __init__(self, pool: Pool, caller: Caller, runs: _Runs) -> None:
        self._pool, self._caller, self._runs = pool, caller, runs
        self._gone = asyncio.Event()

    async def send(
        self, scope: Scope, receive: Receive, send: Send, turn: str, after: int, first: bytes
    ) -> None:  # fmt: skip
        headers = [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        leaving = asyncio.create_task(self._until_left(receive))
        request_id = scope["state"]["request_id"]
        try:
            await send({"type": "http.response.body", "body": first or b": \n\n", "more_body": True})
            async for frame in self._frames(turn, after, request_id):
                if self._gone.is_set():
                    break
                await send({"type": "http.response.body", "body": frame, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except asyncio.CancelledError:
            return  # the server stops: whoever listens asks another
        finally:
            leaving.cancel()

    async def _until_left(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._gone.set()

    async def _frames(self, turn: str, after: int, request_id: str) -> AsyncIterator[bytes]:
        said = time.monotonic()
        try:
            async for seen in follow_turn(self._read, turn, after, self._pause):
                frames = b"".join(_frame("events", one.events, one.n) for one in seen.batches)
                if frames or time.monotonic() - said > HEARTBEAT:
                    said = time.monotonic()
                    yield frames or b": \n\n"
                if self._gone.is_set():
                    return
                if seen.state not in SETTLED_STATES:
                    await self._runs.go_on(turn, seen)
            end = {"turn": turn, "state": seen.state, "held": seen.held, "error": seen.error, "usage": seen.usage}
            yield _frame("turn", end)
        except TodoError as error:
            yield _frame("problem", error.as_problem() | {"request_id": request_id})
        except Exception as error:
            log_trace(error, request_id)
            yield _frame("problem", Bug("the server failed").as_problem() | {"request_id": request_id})

    async def _read(self, request: Any) -> Any:
        return await within_turn(self._pool, self._caller, request)

    async def _pause(self, seconds: float) -> None:
        news = self._runs.news
        if news:
            news.clear()
        earliest = time.monotonic() + seconds - POLL_FAST_SECONDS
        waiting = [asyncio.create_task(one.wait()) for one in (self._gone, news) if one]
        # a second's look is a sign of life, and whoever runs it here says when there is more
        await asyncio.wait(waiting, timeout=1.0 if news else seconds, return_when=asyncio.FIRST_COMPLETED)
        for one in waiting:
            one.cancel()
        if not self._gone.is_set() and (early := earliest - time.monotonic()) > 0:
            await asyncio.sleep(early)


def _frame(event: str, value: Any, n: int | None = None) -> bytes:
    named = b"" if n is None else b"id: %d\n" % n
    return named + b"event: %s\ndata: %s\n\n" % (event.encode(), encode(value))

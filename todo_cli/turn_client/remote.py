"""Following a turn on a server: a lost connection is taken up again, at this server or at the one that answers next."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from todo_cli.clients.http import HttpClient, decode_response, read_whole
from todo_cli.clients.http_once import ResponseLost
from todo_cli.contract.codec import decode, encode
from todo_cli.contract.conversations import StopTurn
from todo_cli.contract.model_list import ModelList
from todo_cli.contract.turn_events import EventBatch, TurnProgress
from todo_cli.contract.turn_steps import BeginTurn, ClaimedTurn
from todo_cli.errors import NotFound, TodoError, Unavailable, from_problem
from todo_cli.settings.settings import Settings
from todo_cli.turn_client.run import Tell, TurnOutcome, stands

QUIET = 35.0
"""Seconds without a byte after which a connection is dead: the server sends one every ten."""
FIRST_TRIES = 3
PAUSE = 0.5


class Frame(NamedTuple):
    """One server-sent event."""

    event: str
    data: bytes
    id: int | None


class Stream:
    """One turn on a server, until it rests."""

    def __init__(self, settings: Settings, begin: BeginTurn, tell: Tell, stop: asyncio.Event, after: int) -> None:
        self._settings, self._begin, self._tell, self._stop, self._after = settings, begin, tell, stop, after
        self._backend = HttpClient(settings)
        self._outcome: TurnOutcome | None = None
        self._begun = asyncio.Event()
        self._text = ""
        self._heard, self._tries = time.monotonic(), 0

    async def run(self) -> TurnOutcome:
        """How it stands in the end; raises TodoError."""
        stopper = asyncio.create_task(self._stop_it())
        try:
            while True:
                try:
                    return await self._followed()
                except (ResponseLost, Unavailable) as error:
                    await asyncio.sleep(self._pause(error))
        finally:
            stopper.cancel()
            await asyncio.wait({stopper})
            await self._backend.aclose()

    async def _followed(self) -> TurnOutcome:
        begin = self._begin
        body = {"turn": begin.turn, "conversation": begin.conversation, "text": begin.text, "after": self._after}
        if begin.model:
            body["model"] = begin.model
        async for frame in frames(self._backend, "POST", "/v1/turns", encode(body), self._settings):
            if frame.event not in ("begun", "problem"):
                self._heard = time.monotonic()
            if seen := self._take(frame):
                assert self._outcome  # noqa: S101  # `begun` is the first
                return stands(self._outcome, seen, self._text, self._after)
        raise ResponseLost("the stream ended before the turn")

    def _take(self, frame: Frame) -> TurnProgress | None:
        if frame.event == "begun":
            begun = decode(frame.data, ClaimedTurn)
            self._outcome = TurnOutcome(begun.turn, begun.conversation, begun.number, begun.state)
            self._begun.set()
        elif frame.event == "events":
            self._after = self._after if frame.id is None else frame.id
            for event in decode(frame.data, list[dict[str, Any]]):
                self._text = event["text"] if event["kind"] == "end" else self._text
                self._tell(event)
        return final(frame)

    def _pause(self, error: Exception) -> float:
        """Before the stream is opened again; raises when there is no sense in it."""
        self._tries += 1
        final = isinstance(error, TodoError) and not (error.extra.get("again") or error.extra.get("uncertain"))
        over = self._outcome is None and (final or self._tries >= FIRST_TRIES)
        if over or time.monotonic() - self._heard > self._settings.timeout:
            if isinstance(error, TodoError):
                raise error
            hint = f"take it up again with: todo chat resume {self._outcome.number}" if self._outcome else None
            raise Unavailable(f"the server {self._settings.server} cannot be reached: {error}", hint=hint) from None
        return PAUSE

    async def _stop_it(self) -> None:
        await self._stop.wait()
        await self._begun.wait()
        with suppress(NotFound):
            await self._backend.send(StopTurn(turn=self._begin.turn))


async def last_frame(settings: Settings, turn: str) -> TurnProgress:
    """How a turn that rests stands, with its last batch."""
    backend = HttpClient(settings)
    target = f"/v1/turns/{turn}/events"
    batches: tuple[EventBatch, ...] = ()
    try:
        async with asyncio.timeout(settings.timeout):
            async for frame in frames(backend, "GET", target, None, settings):
                if frame.id is not None:
                    batches = (EventBatch(n=frame.id, events=()),)
                if seen := final(frame):
                    return msgspec.structs.replace(seen, batches=batches)
    except ResponseLost as error:
        raise Unavailable(f"the server {settings.server} cannot be reached: {error}") from None
    except TimeoutError:
        pass
    finally:
        await backend.aclose()
    return TurnProgress(batches=batches, state="running", attempt=0)


async def listed_models(settings: Settings) -> ModelList:
    """The models that may be named on the server; raises TodoError."""
    import httpx2

    backend = HttpClient(settings)
    try:
        async with backend.open_stream("GET", "/v1/models", None, backend.headers(None)) as answer:
            found = await read_whole(answer)
        if found.status != 200:
            decode_response(found, StopTurn(turn=""), settings.server or "")
        return decode(found.body, ModelList)
    except NotFound:
        raise Unavailable("the server does not tell which models it has", hint="upgrade the server") from None
    except httpx2.HTTPError as error:
        raise Unavailable(f"the server {settings.server} cannot be reached: {error}") from None
    finally:
        await backend.aclose()


def final(frame: Frame) -> TurnProgress | None:
    """The end that a frame tells; raises the error that it is."""
    if frame.event == "problem":
        raise from_problem(decode(frame.data, dict[str, Any]))
    if frame.event != "turn":
        return None
    fields = decode(frame.data, dict[str, Any])
    return msgspec.convert({"batches": (), "attempt": 0} | fields, TurnProgress)


async def frames(
    backend: HttpClient, method: str, target: str, body: bytes | None, settings: Settings
) -> AsyncIterator[Frame]:  # fmt: skip
    """The events of one stream as they come; raises LostAnswer for a connection that broke, and the server's error."""
    import httpx2

    patience = httpx2.Timeout(settings.timeout, read=max(settings.timeout, QUIET))
    headers = backend.headers(None) | {"Accept": "text/event-stream"}
    try:
        async with backend.open_stream(method, target, body, headers, timeout=patience) as answer:
            if answer.headers.get("content-type", "").partition(";")[0] != "text/event-stream":
                decode_response(await read_whole(answer), StopTurn(turn=""), settings.server or "")
                raise Unavailable(f"{settings.server} is no todo server that chats", hint="upgrade the server")
            async for frame in _parsed(answer.aiter_lines()):
                yield frame
    except httpx2.InvalidURL as error:
        raise Unavailable(f"{settings.server} is not an address: {error}") from None
    except (httpx2.HTTPError, httpx2.StreamError) as error:
        raise ResponseLost(str(error) or type(error).__name__) from None


async def _parsed(lines: AsyncIterator[str]) -> AsyncIterator[Frame]:
    event, number = "", None
    data: list[str] = []
    async for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield Frame(event, "\n".join(data).encode(), number)
            event, data, number = "", [], None
        elif not name:
            yield Frame("ping", b"", None)
        elif name == "event":
            event = value
        elif name == "data":
            data.append(value)
        elif name == "id" and value.isdecimal():
            number = int(value)

"""Follow a turn on a server. A lost connection is opened again, to this server or to the one that answers next."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any

import msgspec

from todo_cli.clients.http import HttpClient, read_whole
from todo_cli.clients.http_answer import decode_response
from todo_cli.clients.http_once import ResponseLost
from todo_cli.contract.codec import decode, encode
from todo_cli.contract.conversations import StopTurn
from todo_cli.contract.model_list import ModelList
from todo_cli.contract.turn_events import EmitEvent, EventBatch, TurnProgress
from todo_cli.contract.turn_steps import BeginTurn, ClaimedTurn
from todo_cli.errors import NotFound, TodoError, Unavailable
from todo_cli.settings.settings import Settings
from todo_cli.turn_client.leave import leave_unbegun_turn
from todo_cli.turn_client.outcome import TurnOutcome, outcome_of
from todo_cli.turn_client.stream_frames import StreamFrame, read_final_frame, read_frames

MAX_FIRST_ATTEMPTS = 3
"""Attempts to reach the server before the turn has begun."""
RETRY_SECONDS = 0.5


class RemoteTurn:
    """A turn that a server runs, until it ends or waits for an approval.

    `after` is the number of the last batch of events that was emitted. A server that is away for `max_outage_seconds`
    is given up.
    """

    def __init__(
        self,
        settings: Settings,
        begin: BeginTurn,
        emit: EmitEvent,
        stop: asyncio.Event,
        after: int,
        *,
        max_outage_seconds: float | None = None,
    ) -> None:
        self._settings, self._begin, self._emit, self._stop, self.after = settings, begin, emit, stop, after
        self._max_outage_seconds = settings.timeout if max_outage_seconds is None else max_outage_seconds
        self._client = HttpClient(settings)
        self._outcome: TurnOutcome | None = None
        self._begun = asyncio.Event()
        self._text = ""
        self._last_progress, self._attempts = time.monotonic(), 0

    @property
    def has_begun(self) -> bool:
        """Whether the server has stored the user's message."""
        return self._outcome is not None

    async def run(self) -> TurnOutcome:
        """Follow the turn and return its outcome; raise TodoError."""
        stopper = asyncio.create_task(self._send_stop(asyncio.current_task()))
        try:
            while True:
                try:
                    return await self._follow()
                except (ResponseLost, Unavailable) as error:
                    self._raise_if_hopeless(error)
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            stopper.cancel()
            await asyncio.wait({stopper})
            await self._client.aclose()

    async def _follow(self) -> TurnOutcome:
        begin = self._begin
        body = {"turn": begin.turn, "conversation": begin.conversation, "text": begin.text, "after": self.after}
        if begin.model:
            body["model"] = begin.model
        async for frame in read_frames(self._client, "POST", "/v1/turns", encode(body), self._settings):
            if frame.event not in ("begun", "problem"):
                self._last_progress = time.monotonic()
            if last := self._take(frame):
                assert self._outcome  # noqa: S101  # the server sends `begun` first
                return outcome_of(self._outcome, last, self._text, self.after)
        raise ResponseLost("the stream ended before the turn")

    def _take(self, frame: StreamFrame) -> TurnProgress | None:
        if frame.event == "begun":
            begun = decode(frame.data, ClaimedTurn)
            self._outcome = TurnOutcome(begun.turn, begun.conversation, begun.number, begun.state)
            self._begun.set()
        elif frame.event == "events":
            self.after = self.after if frame.id is None else frame.id
            for event in decode(frame.data, list[dict[str, Any]]):
                self._text = event["text"] if event["kind"] == "end" else self._text
                self._emit(event)
        return read_final_frame(frame)

    def _raise_if_hopeless(self, error: Exception) -> None:
        """Raise the error where opening the stream again makes no sense."""
        self._attempts += 1
        is_final = isinstance(error, TodoError) and not (error.extra.get("again") or error.extra.get("uncertain"))
        never_began = self._outcome is None and (is_final or self._attempts >= MAX_FIRST_ATTEMPTS)
        if never_began or time.monotonic() - self._last_progress > self._max_outage_seconds:
            if isinstance(error, TodoError):
                raise error
            hint = f"continue it with: todo chat resume {self._outcome.number}" if self._outcome else None
            raise Unavailable(f"the server {self._settings.server} cannot be reached: {error}", hint=hint) from None

    async def _send_stop(self, running: asyncio.Task[Any] | None) -> None:
        await leave_unbegun_turn(self._stop, self._begun, running)
        if not self._begun.is_set():
            return
        with suppress(NotFound):
            await self._client.send(StopTurn(turn=self._begin.turn))


async def read_last_frame(settings: Settings, turn: str) -> TurnProgress:
    """Read the state of a turn that does not run now, with the number of its last batch."""
    client = HttpClient(settings)
    target = f"/v1/turns/{turn}/events"
    batches: tuple[EventBatch, ...] = ()
    try:
        async with asyncio.timeout(settings.timeout):
            async for frame in read_frames(client, "GET", target, None, settings):
                if frame.id is not None:
                    batches = (EventBatch(n=frame.id, events=()),)
                if last := read_final_frame(frame):
                    return msgspec.structs.replace(last, batches=batches)
    except ResponseLost as error:
        raise Unavailable(f"the server {settings.server} cannot be reached: {error}") from None
    except TimeoutError:
        pass
    finally:
        await client.aclose()
    return TurnProgress(batches=batches, state="running", attempt=0)


async def fetch_server_models(settings: Settings) -> ModelList:
    """Fetch the models that a user may choose on the server; raise TodoError."""
    import httpx2

    client = HttpClient(settings)
    try:
        async with client.open_stream("GET", "/v1/models", None, client.headers(None)) as response:
            answer = await read_whole(response)
        if answer.status != 200:
            decode_response(answer, StopTurn(turn=""), settings.server or "")
        return decode(answer.body, ModelList)
    except NotFound:
        raise Unavailable("the server does not list its models", hint="upgrade the server") from None
    except httpx2.HTTPError as error:
        raise Unavailable(f"the server {settings.server} cannot be reached: {error}") from None
    finally:
        await client.aclose()

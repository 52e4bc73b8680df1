"""Stream turns as server-sent events, read from the database, so that any server can stream any turn.

`begun` names the turn. Each stored batch is an `events` with its number as the event's id. The last event is `turn`,
the state of the turn, or `problem`, the error of this server. A client that disconnects does not stop the turn:
StopTurn does.
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
from todo_cli.server.endpoint import answer_client, read_body
from todo_cli.server.headers import read_headers
from todo_cli.server.pool import Pool
from todo_cli.server.responses import log_trace, send_response
from todo_cli.server.shutdown import GracePeriod
from todo_cli.server.turn_runner import RunningTurn, TurnRunner, answer_for_turn
from todo_cli.settings.settings import Settings

HEARTBEAT_SECONDS = 10.0
PROGRESS_TIMEOUT_SECONDS = 1.0

EventId = Annotated[int, Meta(ge=-1, le=2**63 - 1, description="only events after this id")]


class StartTurnBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Send a message to the model, or follow the turn of this id and take it over if no process runs it.

    Without `text` only an existing turn is followed. `model` wins over the user's preference, that over the server's
    setting.
    """

    turn: Id
    conversation: Annotated[Id | ConversationNumber, Meta(description="an id, new for a new conversation, or a number")]
    text: MessageText | None = None
    model: Name | None = None
    after: EventId = -1


class FollowTurnQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Follow a turn."""

    turn: Id
    after: EventId = -1


class TurnRoutes:
    """The routes of the chat that do not answer a single Request."""

    def __init__(self, pool: Pool, settings: Settings, grace: GracePeriod) -> None:
        self._pool, self._settings = pool, settings
        self._runner = TurnRunner(pool, grace, titles=settings.model_titles)

    async def close(self) -> None:
        """End the turns of this process."""
        await self._runner.close()

    async def post(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer `POST /v1/turns`; raises TodoError."""
        caller = msgspec.structs.replace(scope["state"]["caller"], key=None)
        body = decode_request(await read_body(scope, receive), StartTurnBody)
        attendance = self._attend(scope, caller, body.model)
        await attendance.endpoint()
        conversation = await self._conversation_id(caller, body.conversation)
        claim = await attendance.begin(body.turn, conversation, body.text)
        stream = _Stream(self._pool, caller, attendance)
        await stream.send(scope, receive, send, body.turn, body.after, _format_event("begun", claim))

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer `GET /v1/turns/{turn}/events`; raises TodoError."""
        caller, headers = msgspec.structs.replace(scope["state"]["caller"], key=None), read_headers(scope)
        text = scope["query_string"].decode("latin-1")
        fields = dict(pair.partition("=")[::2] for pair in text.split("&") if pair)
        if "after" not in fields and "last-event-id" in headers:
            fields["after"] = headers["last-event-id"]
        query = convert_request(fields | scope["path_params"], FollowTurnQuery)
        await answer_client(self._pool, caller, ReadEvents(turn=query.turn, after=query.after, limit=1))
        if scope["method"] == "HEAD":
            await send_response(send, 200, b"", b"text/event-stream")
            return
        stream = _Stream(self._pool, caller, self._attend(scope, caller))
        await stream.send(scope, receive, send, query.turn, query.after, b"")

    def _attend(self, scope: Scope, caller: Caller, model: str | None = None) -> _Attendance:
        choose = partial(self._choose_endpoint, caller, model)
        return _Attendance(self._runner, caller, choose, scope["state"]["request_id"])

    async def _choose_endpoint(self, caller: Caller, model: str | None) -> ModelEndpoint:
        """Return the endpoint of the model. The settings hold its address, a user only names it; raises ModelFailed."""
        me = await answer_for_turn(self._pool, caller, WhoAmI())  # an error names the models: signed-in users only
        try:
            # the keyring may be slow
            return await asyncio.to_thread(
                select_endpoint, self._settings, requested=model, preferred=None if model else me.model
            )
        except ModelFailed as error:
            raise ModelFailed(f"on the server, {error.detail}", hint=error.hint, **error.extra) from None

    async def _conversation_id(self, caller: Caller, name: str | int) -> str:
        if isinstance(name, str):
            return name
        shown = await answer_client(self._pool, caller, ShowConversation(number=name, limit=1))
        return shown.conversation.id


class _Attendance:
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


class _Stream:
    """One response to a client, for as long as it is connected."""

    def __init__(self, pool: Pool, caller: Caller, attendance: _Attendance) -> None:
        self._pool, self._caller, self._attendance = pool, caller, attendance
        self._gone = asyncio.Event()

    async def send(self, scope: Scope, receive: Receive, send: Send, turn: str, after: int, first: bytes) -> None:
        headers = [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        disconnect = asyncio.create_task(self._wait_for_disconnect(receive))
        request_id = scope["state"]["request_id"]
        try:
            await send({"type": "http.response.body", "body": first or b": \n\n", "more_body": True})
            async for frame in self._format_events(turn, after, request_id):
                if self._gone.is_set():
                    break
                await send({"type": "http.response.body", "body": frame, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except asyncio.CancelledError:
            return  # the server stops: the client connects to another
        finally:
            disconnect.cancel()

    async def _wait_for_disconnect(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._gone.set()

    async def _format_events(self, turn: str, after: int, request_id: str) -> AsyncIterator[bytes]:
        last_sent = time.monotonic()
        try:
            async for seen in follow_turn(self._read, turn, after, self._pause):
                frames = b"".join(_format_event("events", batch.events, batch.n) for batch in seen.batches)
                if frames or time.monotonic() - last_sent > HEARTBEAT_SECONDS:
                    last_sent = time.monotonic()
                    yield frames or b": \n\n"
                if self._gone.is_set():
                    return
                if seen.state not in SETTLED_STATES:
                    await self._attendance.take_over_if_orphaned(turn, seen)
            end = {"turn": turn, "state": seen.state, "held": seen.held, "error": seen.error, "usage": seen.usage}
            yield _format_event("turn", end)
        except TodoError as error:
            yield _format_event("problem", error.as_problem() | {"request_id": request_id})
        except Exception as error:
            log_trace(error, request_id)
            yield _format_event("problem", Bug("the server failed").as_problem() | {"request_id": request_id})

    async def _read(self, request: Any) -> Any:
        return await answer_for_turn(self._pool, self._caller, request)

    async def _pause(self, seconds: float) -> None:
        progress = self._attendance.progress
        if progress:
            progress.clear()
        earliest = time.monotonic() + seconds - POLL_FAST_SECONDS
        waits = [asyncio.create_task(event.wait()) for event in (self._gone, progress) if event]
        # this process sets `progress` when it stores events; the timeout renews the turn's sign of life
        await asyncio.wait(
            waits, timeout=PROGRESS_TIMEOUT_SECONDS if progress else seconds, return_when=asyncio.FIRST_COMPLETED
        )
        for wait in waits:
            wait.cancel()
        if not self._gone.is_set() and (early := earliest - time.monotonic()) > 0:
            await asyncio.sleep(early)


def _format_event(event: str, value: Any, n: int | None = None) -> bytes:
    event_id = b"" if n is None else b"id: %d\n" % n
    return event_id + b"event: %s\ndata: %s\n\n" % (event.encode(), encode(value))

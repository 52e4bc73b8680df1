"""Stream turns as server-sent events, read from the database, so that any server can stream any turn.

`begun` names the turn. Each stored batch is an `events` with its number as the event's id. The last event is `turn`,
the state of the turn, or `problem`, the error of this server. A client that disconnects does not stop the turn:
StopTurn does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.types import Receive, Scope, Send

from todo_cli.agent.follow import SETTLED_STATES
from todo_cli.contract.base import Caller, Name
from todo_cli.contract.codec import convert_request, decode_request
from todo_cli.contract.conversations import ConversationNumber, ShowConversation
from todo_cli.contract.tokens import Id
from todo_cli.contract.turn_events import ReadEvents, TurnProgress
from todo_cli.contract.turn_steps import MessageText
from todo_cli.contract.users import WhoAmI
from todo_cli.db.rate_limit import RequestCount
from todo_cli.errors import ModelFailed, NotAllowed
from todo_cli.llm.endpoints import ModelEndpoint
from todo_cli.llm.selection import select_endpoint
from todo_cli.server.connection_pools import Pool
from todo_cli.server.endpoint import answer_client, read_body
from todo_cli.server.event_stream import HEARTBEAT, HEARTBEAT_SECONDS, EventStream, format_event, format_problem
from todo_cli.server.headers import read_headers
from todo_cli.server.responses import send_response
from todo_cli.server.shutdown import GracePeriod
from todo_cli.server.turn_attendance import TurnAttendance
from todo_cli.server.turn_feed import TurnFeeds, TurnWatch
from todo_cli.server.turn_runner import TurnRunner
from todo_cli.settings.settings import Settings

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
        self.runner = TurnRunner(pool, grace, titles=settings.model_titles)
        self._feeds = TurnFeeds(pool)

    async def close(self) -> None:
        """End the turns of this process."""
        await self.runner.close()

    async def post(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer `POST /v1/turns`; raises TodoError."""
        caller = msgspec.structs.replace(scope["state"]["caller"], key=None)
        body = decode_request(await read_body(scope, receive), StartTurnBody)
        attendance = self._attend(scope, caller, body.model)
        with self._feeds.streams.count(caller):
            await attendance.endpoint()
            conversation = await self._conversation_id(caller, body.conversation)
            claim = await attendance.begin(body.turn, conversation, body.text)
            watch = TurnWatch(body.turn, body.after, is_settled=claim.state in SETTLED_STATES)
            async with self._feeds.follow(caller, watch, attendance) as progress:
                frames = _format_frames(progress, body.turn, scope["state"]["request_id"])
                await EventStream(format_event("begun", claim), frames).send(receive, send)

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer `GET /v1/turns/{turn}/events`; raises TodoError."""
        caller, headers = msgspec.structs.replace(scope["state"]["caller"], key=None), read_headers(scope)
        text = scope["query_string"].decode("latin-1")
        fields = dict(pair.partition("=")[::2] for pair in text.split("&") if pair)
        if "after" not in fields and "last-event-id" in headers:
            fields["after"] = headers["last-event-id"]
        query = convert_request(fields | scope["path_params"], FollowTurnQuery)
        first = ReadEvents(turn=query.turn, after=query.after, limit=1)
        seen = await answer_client(self._pool, caller, first, scope["state"]["count"])
        if scope["method"] == "HEAD":
            await send_response(send, 200, b"", b"text/event-stream")
            return
        watch = TurnWatch(query.turn, query.after, is_settled=seen.state in SETTLED_STATES)
        with self._feeds.streams.count(caller):
            async with self._feeds.follow(caller, watch, self._attend(scope, caller)) as progress:
                frames = _format_frames(progress, query.turn, scope["state"]["request_id"])
                await EventStream(b"", frames).send(receive, send)

    def _attend(self, scope: Scope, caller: Caller, model: str | None = None) -> TurnAttendance:
        choose = partial(self._choose_endpoint, caller, model, scope["state"]["count"])
        return TurnAttendance(self.runner, caller, choose, scope["state"]["request_id"])

    async def _choose_endpoint(self, caller: Caller, model: str | None, count: RequestCount | None) -> ModelEndpoint:
        """Return the endpoint of the model. The settings hold its address, a user only names it; raises ModelFailed."""
        me = await answer_client(self._pool, caller, WhoAmI(), count)  # an error names the models: signed-in users only
        if me.has_limits:
            raise NotAllowed(
                "a token with limits cannot use the chat, whose model knows no limits",
                hint="chat with another token: todo token create --name NAME --scopes read,tasks:write,chat",
            )
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


async def _format_frames(
    progress: AsyncIterator[TurnProgress], turn: str, request_id: str
) -> AsyncGenerator[bytes, None]:
    """Yield the events of a turn as frames, a comment at times, and at last the turn's state or an error."""
    last_sent, state = time.monotonic(), None
    try:
        async for seen in progress:
            state = seen
            frames = b"".join(format_event("events", batch.events, batch.n) for batch in seen.batches)
            if frames or time.monotonic() - last_sent > HEARTBEAT_SECONDS:
                last_sent = time.monotonic()
                yield frames or HEARTBEAT
        if state and state.state in SETTLED_STATES:
            end = {"turn": turn, "state": state.state, "held": state.held, "error": state.error}
            yield format_event("turn", end | {"usage": state.usage})
    except Exception as error:  # the response has begun, so its last event reports the error
        yield format_problem(error, request_id)

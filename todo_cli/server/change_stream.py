"""Stream the changes of a space as server-sent events, from any cursor and from any server.

Each `changes` is a `ChangeBatch` with its cursor as the event's id; the first comes at once. A stream that ends with an
error has `problem` as its last event. Every batch is read as the client's token, which signs in anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta
from starlette.types import Receive, Scope, Send

from todo_cli.contract.base import Caller
from todo_cli.contract.change_feed import ChangeBatch, ChangeCursor, FollowChanges, ReminderPosition
from todo_cli.contract.codec import convert_request
from todo_cli.contract.filters import Filter
from todo_cli.db.watched_states import WatchedSpace
from todo_cli.errors import Invalid
from todo_cli.server.change_watcher import ChangeWatcher, Subscription
from todo_cli.server.connection_pools import Pool
from todo_cli.server.endpoint import answer_client
from todo_cli.server.event_stream import HEARTBEAT, HEARTBEAT_SECONDS, EventStream, format_event, format_problem
from todo_cli.server.headers import read_headers
from todo_cli.server.responses import send_response
from todo_cli.server.shutdown import GracePeriod
from todo_cli.server.stream_counts import StreamCounts

MAX_CHANGE_STREAMS_PER_USER = 100
"""In one process."""
SIGN_IN_SECONDS = 60.0
"""A stream without changes signs in again after so long: a token may have expired meanwhile."""


class StreamChangesQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Follow the changes of a space."""

    after: ChangeCursor | None = None
    filter: Filter | None = None
    reminded_since: Annotated[datetime, Meta(tz=True)] | None = None


class ChangeRoutes:
    """The stream of changes, and the watcher that all streams of the process share."""

    def __init__(self, pool: Pool, grace: GracePeriod) -> None:
        self._pool, self._watcher = pool, ChangeWatcher(pool, grace)
        self._streams = StreamCounts(
            MAX_CHANGE_STREAMS_PER_USER, f"you watch {MAX_CHANGE_STREAMS_PER_USER} times at once on this server"
        )
        self._reads = asyncio.Semaphore(max(1, pool.size // 2))  # the other connections are for requests

    async def close(self) -> None:
        """End the streams."""
        await self._watcher.close()

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer `GET /v1/changes/stream`; raises TodoError."""
        caller = msgspec.structs.replace(scope["state"]["caller"], key=None)
        query = _read_query(scope)
        space = WatchedSpace(caller.space or caller.user_id, caller.user_id)
        with self._streams.count(caller), self._watcher.subscribe(space) as subscription:
            request = FollowChanges(after=query.after, filter=query.filter, reminded_since=query.reminded_since)
            first = await answer_client(self._pool, caller, request, scope["state"].get("count"))
            if scope["method"] == "HEAD":
                await send_response(send, 200, b"", b"text/event-stream")
                return
            frames = self._format_frames(caller, request, first, subscription, scope["state"]["request_id"])
            await EventStream(_format_batch(first), frames).send(receive, send)

    async def _format_frames(
        self, caller: Caller, request: FollowChanges, batch: ChangeBatch, subscription: Subscription, request_id: str
    ) -> AsyncGenerator[bytes, None]:
        """Yield the batches behind the first, a comment at times, and at last an error if there is one."""
        last_read, reminders = time.monotonic(), ReminderPosition(request.reminded_since)
        reminders.take(batch.reminders)
        try:
            while not subscription.is_over:
                if not batch.more and not await subscription.wait(HEARTBEAT_SECONDS):
                    yield HEARTBEAT
                    if time.monotonic() - last_read < SIGN_IN_SECONDS:
                        continue
                if subscription.is_over:
                    return
                cursor, last_read = batch.cursor, time.monotonic()
                batch = await self._read(
                    caller, msgspec.structs.replace(request, after=cursor, reminded_since=reminders.since)
                )
                new_reminders = reminders.take(batch.reminders)
                if batch.cursor != cursor or new_reminders:
                    yield _format_batch(msgspec.structs.replace(batch, reminders=new_reminders))
        except Exception as error:  # the response has begun, so its last event reports the error
            yield format_problem(error, request_id)

    async def _read(self, caller: Caller, request: FollowChanges) -> ChangeBatch:
        async with self._reads:
            return await answer_client(self._pool, caller, request)


def _format_batch(batch: ChangeBatch) -> bytes:
    return format_event("changes", batch, batch.cursor)


def _read_query(scope: Scope) -> StreamChangesQuery:
    """Return the query; a header Last-Event-ID wins, since a browser sends it when it connects again."""
    try:
        fields = dict(parse_qsl(scope["query_string"].decode("ascii"), keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError:
        raise Invalid("the address is not valid UTF-8") from None
    headers = read_headers(scope)
    if "last-event-id" in headers:
        fields["after"] = headers["last-event-id"]
    return convert_request(fields, StreamChangesQuery)

"""Turn an HTTP request into a Request and the answer into an HTTP response.

This is bare ASGI: a framework's validation would cost more than the work itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, get_origin
from urllib.parse import parse_qsl

import msgspec
from starlette.types import Receive, Scope, Send

from todo_cli.contract.base import Caller, Request, method_and_path
from todo_cli.contract.codec import convert_request, decode_request, encode
from todo_cli.contract.display import NO_DISPLAY_PREFERENCES
from todo_cli.contract.ids import new_id
from todo_cli.db.rate_limit import RequestCount
from todo_cli.errors import Invalid, NotSignedIn, Unavailable
from todo_cli.server.connection_pools import Pool
from todo_cli.server.headers import read_headers
from todo_cli.server.pool import TimedAnswer, answer
from todo_cli.server.refusal_counts import count_failed_sign_in
from todo_cli.server.responses import send_response

R = TypeVar("R")


AnswerRequest = Callable[[Caller, Any, RequestCount | None], Awaitable[TimedAnswer[Any]]]
"""Answers a Request of one type."""


class RequestEndpoint:
    """The endpoint of one Request, which `answer` answers: usually one transaction of the database."""

    def __init__(self, request: type[Request[Any]], answer: AnswerRequest) -> None:
        self._request, self._answer = request, answer
        self._method, self._path = method_and_path(request)
        fields = msgspec.structs.fields(request)
        self._lists = {field.name for field in fields if get_origin(field.type) is tuple}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; raises TodoError."""
        request = await self.read_request(scope, receive)
        state = scope["state"]
        result = await self._answer(state["caller"], request, state.get("count"))
        status = success_status(self._request)
        await send_response(send, status, encode(result.value), b"application/json", *context_headers(result))

    async def read_request(self, scope: Scope, receive: Receive) -> Request[Any]:
        """Return the Request of the path, the query and the body; raises Invalid."""
        parts = scope.get("path_params", {})
        if self._method in ("GET", "DELETE"):
            return convert_request(_merge_fields(self._read_query(scope), parts), self._request)
        data = await read_body(scope, receive)
        if not parts:
            return decode_request(data, self._request)
        fields = decode_request(data, dict[str, Any])
        return convert_request(_merge_fields(fields, parts), self._request)

    def _read_query(self, scope: Scope) -> dict[str, Any]:
        try:
            pairs = parse_qsl(scope["query_string"].decode("ascii"), keep_blank_values=True, errors="strict")
        except UnicodeDecodeError:
            raise Invalid("the address is not valid UTF-8") from None
        fields: dict[str, Any] = {}
        for name, value in pairs:
            if name in self._lists:
                fields.setdefault(name, []).append(value)
            elif name in fields:
                raise Invalid(f"{name[:60]} is given twice")
            else:
                fields[name] = value
        return fields


def success_status(request: type[Request[Any]]) -> int:
    """Return 201 for a Request that creates an object at its path, else 200."""
    method, path = method_and_path(request)
    return 201 if method == "POST" and path.count("/") == 2 and request.write else 200


def context_headers(answer: TimedAnswer[Any]) -> list[tuple[bytes, bytes]]:
    """Return the headers by which a client shows the answer: the server's clock, and the user's preferences if any."""
    clock, display = answer.clock, answer.display
    headers = []
    if clock:
        headers += [(b"todo-time", clock.now.isoformat().encode()), (b"time-zone", clock.zone.encode())]
    if display != NO_DISPLAY_PREFERENCES:
        headers.append((b"todo-display", encode(display)))
    return headers


async def answer_client(pool: Pool, caller: Caller, request: Request[R], count: RequestCount | None = None) -> R:
    """Answer a client's Request. A write gets a key if it has none, and a refused sign-in is counted.

    A pending `count` of the user's limit is made with it. Steps that belong to a counted request have none.
    """
    return (await answer_client_with_clock(pool, caller, request, count)).value


async def answer_client_with_clock(
    pool: Pool, caller: Caller, request: Request[R], count: RequestCount | None = None
) -> TimedAnswer[R]:
    """Do `answer_client`, and return the clock by which dates were read too."""
    if caller.key is None and request.write:
        # after a lost connection the server repeats the Request: without a key it could act twice
        caller = msgspec.structs.replace(caller, key=new_id())
    try:
        return await answer(pool, caller, request, count)
    except NotSignedIn as error:
        raise await count_failed_sign_in(pool, caller, error) from None


def _merge_fields(fields: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    for name, value in parts.items():
        if str(fields.get(name, value)) != value:
            raise Invalid(f"{name} has one value in the path and another beside it")
    return fields | parts


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """Return the body of a request; raises Invalid for one that is not JSON."""
    kind = read_headers(scope).get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Invalid(f"the body must be application/json, not {kind[:60]}")
    parts, more = [], True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Unavailable("the client closed the connection")
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)

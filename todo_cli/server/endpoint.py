"""Turn an HTTP request into a Request and the answer into an HTTP response.

This is bare ASGI: a framework's validation would cost more than the work itself.
"""

from __future__ import annotations

import asyncio
import re
import sys
import traceback
from collections.abc import Awaitable
from typing import Any, TypeVar, get_origin
from urllib.parse import parse_qsl, unquote

import msgspec
from starlette.types import Receive, Scope, Send

from todo_cli.contract.base import Caller, Request, Secret, method_and_path
from todo_cli.contract.clock import Clock
from todo_cli.contract.codec import convert_request, decode_request, encode
from todo_cli.contract.ids import new_id
from todo_cli.contract.limits import MAX_BODY_BYTES, MAX_KEY_CHARS
from todo_cli.errors import Bug, Invalid, NotSignedIn, TodoError, TooMany, Unavailable
from todo_cli.server.login_throttle import count_failed_sign_in
from todo_cli.server.pool import Pool, TimedAnswer, answer

R = TypeVar("R")

_SPACE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ENCODED_KEY = re.compile(r"[ -~]{1,2400}")  # 200 characters of at most 12: four bytes, percent-encoded


class RequestEndpoint:
    """The endpoint of one Request."""

    def __init__(self, request: type[Request[Any]], pool: Pool) -> None:
        self._request, self._pool = request, pool
        self._method, self._path = method_and_path(request)
        fields = msgspec.structs.fields(request)
        self._lists = {field.name for field in fields if get_origin(field.type) is tuple}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        await send_errors_of(scope, send, self._respond(scope, receive, send))

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = read_headers(scope)
        caller = read_caller(headers, scope)
        request = await self._read(scope, receive, headers)
        result = await answer_client_with_clock(self._pool, caller, request)
        status = 201 if self._method == "POST" and self._path.count("/") == 2 else 200
        await send_response(send, status, encode(result.value), b"application/json", *_clock_headers(result.clock))

    async def _read(self, scope: Scope, receive: Receive, headers: dict[str, str]) -> Request[Any]:
        parts = scope.get("path_params", {})
        if self._method in ("GET", "DELETE"):
            return convert_request(_merge_fields(self._read_query(scope), parts), self._request)
        data = await read_body(receive, headers)
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


def _clock_headers(clock: Clock | None) -> list[tuple[bytes, bytes]]:
    """Return the headers by which a client can show dates as the server reads them."""
    if clock is None:
        return []
    return [(b"todo-time", clock.now.isoformat().encode()), (b"time-zone", clock.zone.encode())]


async def send_errors_of(scope: Scope, send: Send, work: Awaitable[None]) -> None:
    """Await `work`, which sends the response; send its error as a problem document."""
    try:
        await work
    except asyncio.CancelledError:  # the server stops and the grace period is over
        await send_problem(send, Unavailable("the server is stopping", uncertain=True), scope)
    except Bug as error:
        log_trace(error, scope["state"]["request_id"])
        await send_problem(send, error, scope)
    except TodoError as error:
        await send_problem(send, error, scope)
    except Exception as error:  # a bug: the client gets the request id, the log gets the trace
        log_trace(error, scope["state"]["request_id"])
        await send_problem(send, Bug("the server failed"), scope)


async def answer_client(pool: Pool, caller: Caller, request: Request[R]) -> R:
    """Answer a client's Request. A write gets a key if it has none, and a refused sign-in is counted."""
    return (await answer_client_with_clock(pool, caller, request)).value


async def answer_client_with_clock(pool: Pool, caller: Caller, request: Request[R]) -> TimedAnswer[R]:
    """Do `answer_client`, and return the clock by which dates were read too."""
    if caller.key is None and request.write:
        # after a lost connection the server repeats the Request: without a key it could act twice
        caller = msgspec.structs.replace(caller, key=new_id())
    try:
        return await answer(pool, caller, request)
    except NotSignedIn as error:
        raise await count_failed_sign_in(pool, caller, error) from None


def read_headers(scope: Scope) -> dict[str, str]:
    """Return the headers of a request, with names in lower case."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _merge_fields(fields: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    for name, value in parts.items():
        if str(fields.get(name, value)) != value:
            raise Invalid(f"{name} has one value in the path and another beside it")
    return fields | parts


async def read_body(receive: Receive, headers: dict[str, str]) -> bytes:
    """Return the body of a request; raises Invalid for one that is not JSON or too large."""
    kind = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Invalid(f"the body must be application/json, not {kind[:60]}")
    data, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Unavailable("the client closed the connection")
        data += message.get("body", b"")
        more = message.get("more_body", False)
        if len(data) > MAX_BODY_BYTES:
            raise Invalid("the request is larger than 2 MiB", hint="send it in parts")
    return data


def read_caller(headers: dict[str, str], scope: Scope) -> Caller:
    """Return the caller that the headers name; raises NotSignedIn or Invalid."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotSignedIn("the request has no token", hint="send the header: Authorization: Bearer TOKEN")
    space, key = headers.get("todo-space"), headers.get("idempotency-key")
    if space is not None and not _SPACE_ID.fullmatch(space):
        raise Invalid("Todo-Space must be the id of a space")
    if key is not None and not _ENCODED_KEY.fullmatch(key):
        raise Invalid("Idempotency-Key must be 1 to 2,400 printable ASCII characters")
    if key is not None and len(key := unquote(key)) > MAX_KEY_CHARS:
        raise Invalid(f"the key is longer than {MAX_KEY_CHARS} characters")
    zone = headers.get("time-zone")
    if zone is not None:
        from todo_cli.parsing.dates import zone_of

        zone_of(zone)
    address = scope["client"][0] if scope.get("client") else None
    return Caller(token=Secret(token.strip()), space=space, zone=zone, key=key, way="api", address=address)


async def send_response(
    send: Send, status: int, body: bytes, kind: bytes = b"application/json", *more: tuple[bytes, bytes]
) -> None:
    """Send a whole response."""
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers + list(more)})
    await send({"type": "http.response.body", "body": body})


async def send_problem(
    send: Send, error: TodoError, scope: Scope, *more: tuple[bytes, bytes], status: int | None = None
) -> None:
    """Send an error as a problem document (RFC 9457)."""
    document = error.as_problem() | {"request_id": scope["state"]["request_id"], "status": status or error.status}
    headers = list(more)
    if isinstance(error, TooMany | Unavailable):
        headers.append((b"retry-after", str(int(error.extra.get("retry_after", 1))).encode()))
    if isinstance(error, NotSignedIn):
        headers.append((b"www-authenticate", b"Bearer"))
    body = msgspec.json.encode(document)
    await send_response(send, status or error.status, body, b"application/problem+json", *headers)


def log_trace(error: BaseException, request_id: str) -> None:
    """Frames only, never values: a traceback's message may quote what the user sent."""
    frames = traceback.format_tb(error.__traceback__)
    entry = {"request_id": request_id, "error": type(error.__cause__ or error).__name__, "trace": "".join(frames)}
    sys.stderr.write(msgspec.json.encode(entry).decode() + "\n")

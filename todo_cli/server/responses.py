"""Send responses: an answer, or an error as a problem document (RFC 9457)."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Awaitable

import msgspec
from starlette.types import Scope, Send

from todo_cli.errors import Bug, NotSignedIn, TodoError, TooMany, Unavailable


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


async def send_response(
    send: Send,
    status: int,
    body: bytes,
    kind: bytes = b"application/json",
    *more: tuple[bytes, bytes],
    keep: bytes = b"no-store",
) -> None:
    """Send a whole response; `keep` says who may store it."""
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), (b"cache-control", keep)]
    await send({"type": "http.response.start", "status": status, "headers": headers + list(more)})
    await send({"type": "http.response.body", "body": body})


async def send_problem(
    send: Send, error: TodoError, scope: Scope, *more: tuple[bytes, bytes], status: int | None = None
) -> None:
    """Send an error as a problem document."""
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

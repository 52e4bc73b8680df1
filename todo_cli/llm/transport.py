"""Open the HTTP client of an endpoint, and explain its connection errors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2

from todo_cli.llm.endpoints import ModelEndpoint, is_loopback
from todo_cli.llm.errors import ModelServerError

if TYPE_CHECKING:
    import ssl

CONNECT_SECONDS = 10.0
MAX_ERROR_BYTES = 65_536


def open_http(endpoint: ModelEndpoint) -> httpx2.AsyncClient:
    """Open an HTTP client; the caller closes it and sets the deadlines.

    It has no TLS context for plain http, and uses no proxy for an address of this machine.
    """
    parts = urlsplit(endpoint.base_url)
    return httpx2.AsyncClient(
        verify=False if parts.scheme == "http" else _trust_store(),
        trust_env=not is_loopback(parts),
        timeout=httpx2.Timeout(None, connect=min(CONNECT_SECONDS, endpoint.first_content_seconds)),
        event_hooks={"response": [_limit_error_body]},
    )


@cache
def _trust_store() -> ssl.SSLContext:
    return httpx2.create_ssl_context()


async def _limit_error_body(response: httpx2.Response) -> None:
    """Bound the body of an error, which openai reads to its end."""
    if not response.is_success:
        response.stream = _LimitedStream(response.stream)


class _LimitedStream(httpx2.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            yield chunk
            if size > MAX_ERROR_BYTES:
                return

    async def aclose(self) -> None:
        await self._stream.aclose()


def connection_error(error: BaseException) -> ModelServerError:
    """Convert an error of httpx2, or of openai caused by it, to a ModelServerError."""
    cause = error if isinstance(error, httpx2.HTTPError) else error.__cause__ or error
    if isinstance(cause, httpx2.ReadError | httpx2.WriteError | httpx2.RemoteProtocolError):
        return ModelServerError("broken", "closed the connection in the middle of the answer", retry=True)
    if isinstance(cause, httpx2.ConnectError | httpx2.TimeoutException | OSError):
        reason = "no answer" if isinstance(cause, httpx2.TimeoutException) else _connect_reason(cause)
        return ModelServerError("endpoint", f"cannot be reached: {reason}", retry=True)
    return ModelServerError("endpoint", f"cannot be asked: {type(cause).__name__}")


def _connect_reason(error: BaseException) -> str:
    text = str(error).lower()
    if "certificate" in text or "ssl" in text:
        return "its TLS certificate or protocol is not accepted"
    if "name or service" in text or "nodename" in text or "resolution" in text:
        return "there is no host of that name"
    return "no connection"

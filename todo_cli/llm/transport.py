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

    It has no TLS context for plain http, and uses no proxy for an address of this machine. It asks for bodies without
    compression and decompresses none: a few bytes could become gigabytes.
    """
    parts = urlsplit(endpoint.base_url)
    return httpx2.AsyncClient(
        verify=False if parts.scheme == "http" else _trust_store(),
        trust_env=not is_loopback(parts),
        timeout=httpx2.Timeout(None, connect=min(CONNECT_SECONDS, endpoint.first_content_seconds)),
        headers={"Accept-Encoding": "identity"},
        event_hooks={"response": [_limit_body]},
    )


@cache
def _trust_store() -> ssl.SSLContext:
    return httpx2.create_ssl_context()


async def _limit_body(response: httpx2.Response) -> None:
    """Bound the body of an error, which openai reads to its end. Raise ModelServerError for a compressed answer."""
    encoding = response.headers.pop("Content-Encoding", "identity").strip().lower()
    if encoding != "identity" and response.is_success:
        await response.aclose()
        raise ModelServerError("endpoint", f"sent a compressed answer ({encoding[:20]}) without being asked to")
    if not response.is_success:
        response.stream = _LimitedStream(response.stream, MAX_ERROR_BYTES if encoding == "identity" else 0)


class _LimitedStream(httpx2.AsyncByteStream):
    """A body of at most `max_bytes`; the rest is not read."""

    def __init__(self, stream: Any, max_bytes: int) -> None:
        self._stream, self._max_bytes = stream, max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        remaining = self._max_bytes
        async for chunk in self._stream:
            yield chunk[:remaining]
            remaining -= len(chunk)
            if remaining <= 0:
                return

    async def aclose(self) -> None:
        await self._stream.aclose()


def connection_error(error: BaseException) -> ModelServerError:
    """Convert an error of httpx2, or of openai caused by it, to a ModelServerError."""
    cause = error if isinstance(error, httpx2.HTTPError) else error.__cause__ or error
    if isinstance(cause, ModelServerError):
        return cause
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

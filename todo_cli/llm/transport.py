"""The HTTP client for one endpoint, and what its errors mean."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2

from todo_cli.llm.endpoints import Endpoint, is_loopback
from todo_cli.llm.errors import ModelServerError

if TYPE_CHECKING:
    import ssl

CONNECT = 10.0
LONGEST_ERROR = 65_536


def open_http(endpoint: Endpoint) -> httpx2.AsyncClient:
    """No TLS context for plain http, no proxy for this machine; deadlines are the clock's. To be closed."""
    parts = urlsplit(endpoint.base_url)
    plain = parts.scheme == "http"
    timeout = httpx2.Timeout(None, connect=min(CONNECT, endpoint.first_content))
    return httpx2.AsyncClient(verify=False if plain else _trust(), trust_env=not is_loopback(parts),
                              timeout=timeout, event_hooks={"response": [_bounded]})  # fmt: skip


@cache
def _trust() -> ssl.SSLContext:
    return httpx2.create_ssl_context()


async def _bounded(response: httpx2.Response) -> None:
    """openai reads the body of an error to its end: give it one."""
    if not response.is_success:
        response.stream = _Bounded(response.stream)


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            yield chunk
            if size > LONGEST_ERROR:
                return

    async def aclose(self) -> None:
        await self._stream.aclose()


def unreachable(error: BaseException) -> ModelServerError:
    """The trouble behind what httpx2 raised, or what openai raised from it."""
    cause = error if isinstance(error, httpx2.HTTPError) else error.__cause__ or error
    if isinstance(cause, httpx2.ReadError | httpx2.WriteError | httpx2.RemoteProtocolError):
        return ModelServerError("broken", "broke the connection off", retry=True)
    if isinstance(cause, httpx2.ConnectError | httpx2.TimeoutException | OSError):
        why = "no answer" if isinstance(cause, httpx2.TimeoutException) else _why(cause)
        return ModelServerError("endpoint", f"cannot be reached: {why}", retry=True)
    return ModelServerError("endpoint", f"cannot be asked: {type(cause).__name__}")


def _why(error: BaseException) -> str:
    text = str(error).lower()
    if "certificate" in text or "ssl" in text:
        return "its TLS certificate or protocol is not accepted"
    if "name or service" in text or "nodename" in text or "resolution" in text:
        return "there is no host of that name"
    return "no connection"

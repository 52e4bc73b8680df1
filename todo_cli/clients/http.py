"""The HTTP client: one request over a bare socket, or many over the kept connections of httpx2.

Import and first client, whole process, plain http: 85 M instructions against 521 M for httpx2 (cachegrind, 2026-11).
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

from todo_cli.clients.base import idempotency_key
from todo_cli.clients.http_answer import decode_response, read_clock, read_display
from todo_cli.clients.http_once import (
    MAX_RESPONSE_BYTES,
    HttpResponse,
    NotConnected,
    ResponseLost,
    send_once,
    too_large,
)
from todo_cli.clients.http_proxies import has_proxy
from todo_cli.clients.http_retries import Attempts
from todo_cli.contract.base import Request, method_and_path
from todo_cli.contract.clock import Clock
from todo_cli.contract.codec import check_request, encode, to_builtins
from todo_cli.contract.display import NO_DISPLAY_PREFERENCES
from todo_cli.contract.limits import MAX_BODY_BYTES
from todo_cli.errors import Invalid, NotSignedIn, TooMany, Unavailable
from todo_cli.settings.settings import Settings
from todo_cli.settings.urls import check_server_url

R = TypeVar("R")


class PreparedRequest(NamedTuple):
    """A Request as HTTP sends it."""

    method: str
    target: str
    body: bytes | None
    headers: dict[str, str]


class HttpClient:
    """Sends Requests to one server. A lost request is repeated with its key. An anonymous client sends no token."""

    def __init__(self, settings: Settings, *, is_anonymous: bool = False) -> None:
        self._settings = settings
        self._server = check_server_url((settings.server or "").rstrip("/"), "the server's address")
        self._token = None if is_anonymous else settings.require_token()
        self.clock: Clock | None = None
        self.display = NO_DISPLAY_PREFERENCES
        self._client: Any = None

    def send_now(self, request: Request[R], key: str | None = None) -> R:
        """Return the answer within the configured timeout; raises TodoError."""
        if has_proxy(self._server):
            import asyncio

            return asyncio.run(self._send_and_close(request, key))
        key = idempotency_key(request, key)
        prepared = self.prepare(request, key)
        attempts = Attempts(self._server, self._settings.timeout, request, key)
        while True:
            try:
                return self.send_prepared_now(prepared, request, attempts.timeout())
            except (ResponseLost, NotConnected, TooMany, Unavailable) as error:
                time.sleep(attempts.pause_after(error))

    async def send(self, request: Request[R], key: str | None = None, fences: tuple[int, ...] = ()) -> R:
        """Do `send_now` from an event loop, over kept connections."""
        import asyncio

        key = idempotency_key(request, key)
        prepared = self.prepare(request, key, fences)
        attempts = Attempts(self._server, self._settings.timeout, request, key)
        while True:
            try:
                return await self.send_prepared(prepared, request, attempts.timeout())
            except (ResponseLost, NotConnected, TooMany, Unavailable) as error:
                await asyncio.sleep(attempts.pause_after(error))

    def send_prepared_now(self, prepared: PreparedRequest, request: Request[R], seconds: float) -> R:
        """Make one attempt without a proxy; raises TodoError, NotConnected or ResponseLost."""
        return self._read_response(send_once(self._server, *prepared, seconds), request)

    async def send_prepared(self, prepared: PreparedRequest, request: Request[R], seconds: float) -> R:
        """Make one attempt over a kept connection; raises TodoError, NotConnected or ResponseLost."""
        return self._read_response(await self._send_kept(*prepared, seconds), request)

    async def _send_and_close(self, request: Request[R], key: str | None) -> R:
        try:
            return await self.send(request, key)
        finally:
            await self.aclose()

    def _read_response(self, response: HttpResponse, request: Request[R]) -> R:
        answer = decode_response(response, request, self._server)
        self.clock, self.display = read_clock(response.headers), read_display(response.headers)
        return answer

    def prepare(self, request: Request[Any], key: str | None, fences: tuple[int, ...] = ()) -> PreparedRequest:
        """Return the method, target, body and headers of a Request; raises Invalid."""
        headers = self.headers(key) | _fence_header(fences)
        request = check_request(request)
        data = encode(request)
        method, path = method_and_path(type(request))
        fields = to_builtins(request)
        target = path.format(**{name: quote(str(value), safe="") for name, value in fields.items()})
        if method in ("POST", "PATCH"):
            if len(data) > MAX_BODY_BYTES:
                raise Invalid("the request is larger than 2 MiB", hint="send it in parts")
            return PreparedRequest(method, target, data, headers)
        query = {
            name: _query_value(value)
            for name, value in fields.items()
            if value is not None and f"{{{name}}}" not in path
        }
        target = f"{target}?{urlencode(query)}" if query else target
        return PreparedRequest(method, target, None, headers)

    def headers(self, key: str | None) -> dict[str, str]:
        """Return the headers of every request; raises NotSignedIn or Invalid for a value that is no header."""
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token.reveal()}"
        optional = {
            "Todo-Space": self._settings.space,
            "Time-Zone": self._settings.timezone,
            "Idempotency-Key": quote(key, safe="!#$&'()*+,/:;<=>?@[]^`{|}~") if key else None,
        }
        headers |= {name: value for name, value in optional.items() if value} | _fence_header(self._settings.fences)
        for name, value in headers.items():
            if not (value.isascii() and value.isprintable()):
                if name == "Authorization":
                    raise NotSignedIn("the token contains a character that no token has")
                raise Invalid(f"the {name} contains a character that cannot be sent", hint="see: todo config show")
        return headers

    async def _send_kept(
        self, method: str, target: str, body: bytes | None, headers: dict[str, str], seconds: float
    ) -> HttpResponse:
        import asyncio

        import httpx2

        try:
            async with asyncio.timeout(seconds), self.open_stream(method, target, body, headers) as stream:
                return await read_whole(stream)
        except (httpx2.ConnectError, httpx2.ProxyError) as error:
            raise NotConnected(str(error)) from None
        except TimeoutError:
            raise ResponseLost("it gave no answer in time") from None
        except httpx2.HTTPError as error:
            raise ResponseLost(str(error) or type(error).__name__) from None
        except httpx2.InvalidURL as error:
            raise Unavailable(f"{self._server} is not an address: {error}") from None

    def open_stream(
        self, method: str, target: str, body: bytes | None, headers: dict[str, str], **options: Any
    ) -> Any:  # httpx2's type, which a plain command does not import
        """Return httpx2's context manager for a response that is read as it arrives."""
        self._client = self._client or _open_httpx(self._server, self._settings.timeout)
        base = "http://localhost" if self._server.startswith("unix://") else self._server
        if body is not None:
            headers = headers | {"Content-Type": "application/json"}
        return self._client.stream(method, base + target, content=body, headers=headers, **options)

    async def aclose(self) -> None:
        """Close the kept connections, in the event loop that opened them."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def close(self) -> None:
        """Do nothing: `send_now` keeps no connection."""


async def read_whole(stream: Any) -> HttpResponse:
    """Read all of an opened stream, up to MAX_RESPONSE_BYTES."""
    data = bytearray()
    async for part in stream.aiter_bytes():
        data += part
        if len(data) > MAX_RESPONSE_BYTES:
            raise too_large()
    return HttpResponse(stream.status_code, dict(stream.headers), bytes(data))


def _fence_header(fences: tuple[int, ...]) -> dict[str, str]:
    return {"Todo-Fence": ",".join(map(str, fences))} if fences else {}


def _open_httpx(server: str, timeout: float) -> Any:
    import httpx2

    if server.startswith("unix://"):
        return httpx2.AsyncClient(timeout=timeout, transport=httpx2.AsyncHTTPTransport(uds=server[7:]), trust_env=False)
    # building a TLS context costs as much as the rest of a command
    is_plain = server.startswith("http://") and not has_proxy(server)
    try:
        return httpx2.AsyncClient(timeout=timeout, verify=not is_plain, trust_env=not is_plain)
    except (ValueError, ImportError, httpx2.InvalidURL) as error:
        raise Invalid(
            f"the proxy in the environment cannot be used ({type(error).__name__})",
            hint="check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY: http://proxy.example.org:3128, for example",
        ) from None


def _query_value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

"""To a server. One-shot requests go over the standard library's client; many at once, and what goes through a proxy,
over httpx2. Import and first client, whole process, plain http: 175 M instructions against 521 M (cachegrind, 2026-11).
"""

from __future__ import annotations

import os
import time
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urljoin

import msgspec

from todo_cli.clients.base import idempotency_key, possibly_done_note
from todo_cli.clients.http_once import ANSWER_LIMIT, Answer, NotConnected, ResponseLost, exchange, too_large
from todo_cli.contract.base import Request, method_and_path
from todo_cli.contract.codec import answer_type, checked, decode
from todo_cli.errors import Invalid, NotSignedIn, TodoError, Unavailable, from_problem
from todo_cli.settings.settings import Settings

R = TypeVar("R")

TRIES = 3
BODY_LIMIT = 2 * 1024 * 1024


class HttpClient:
    """Requests to one server; a lost one is repeated with its key."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server = (settings.server or "").rstrip("/")
        if not self._server.startswith(("http://", "https://", "unix://")):
            raise Invalid(f"server must begin with http://, https:// or unix://, not {self._server!r}")
        self._token = settings.signed_in()
        self._client: Any = None

    def send_now(self, request: Request[R], key: str | None = None) -> R:
        """The answer; raises TodoError. Waits at most the configured time in all."""
        if _proxy(self._server):
            import asyncio

            return asyncio.run(self._send_and_close(request, key))
        key = idempotency_key(request, key)
        method, target, body, headers = self._prepared(request, key)
        tries = _Tries(self._server, self._settings.timeout, request, key)
        while True:
            try:
                answer = exchange(self._server, method, target, body, headers, tries.patience())
                return read_answer(answer, request, self._server)
            except (ResponseLost, NotConnected, Unavailable) as error:
                time.sleep(tries.pause(error))

    async def send(self, request: Request[R], key: str | None = None) -> R:
        """As `send_now`, from an event loop, over kept connections."""
        import asyncio

        key = idempotency_key(request, key)
        method, target, body, headers = self._prepared(request, key)
        tries = _Tries(self._server, self._settings.timeout, request, key)
        while True:
            try:
                answer = await self._streamed(method, target, body, headers, tries.patience())
                return read_answer(answer, request, self._server)
            except (ResponseLost, NotConnected, Unavailable) as error:
                await asyncio.sleep(tries.pause(error))

    async def _send_and_close(self, request: Request[R], key: str | None) -> R:
        try:
            return await self.send(request, key)
        finally:
            await self.leave()

    def _prepared(self, request: Request[Any], key: str | None) -> tuple[str, str, bytes | None, dict[str, str]]:
        data = checked(request)
        method, path = method_and_path(type(request))
        fields = msgspec.to_builtins(request)
        target = path.format(**{name: quote(str(value), safe="") for name, value in fields.items()})
        if method in ("POST", "PATCH"):
            if len(data) > BODY_LIMIT:
                raise Invalid("the request is larger than 2 MiB", hint="send it in parts")
            return method, target, data, self.headers(key)
        given = {
            name: _word(value) for name, value in fields.items() if value is not None and f"{{{name}}}" not in path
        }
        return method, f"{target}?{urlencode(given)}" if given else target, None, self.headers(key)

    def headers(self, key: str | None) -> dict[str, str]:
        """What travels beside every request."""
        headers = {"Authorization": f"Bearer {self._token.reveal()}", "Accept": "application/json"}
        optional = {
            "Todo-Space": self._settings.space,
            "Time-Zone": self._settings.timezone,
            "Idempotency-Key": quote(key, safe=" !#$&'()*+,/:;<=>?@[]^`{|}~") if key else None,
        }
        headers |= {name: value for name, value in optional.items() if value}
        for name, value in headers.items():
            if not (value.isascii() and value.isprintable()):
                if name == "Authorization":
                    raise NotSignedIn("the token has a character in it that no token has")
                raise Invalid(f"the {name} has a character in it that cannot be sent", hint="see: todo config show")
        return headers

    async def _streamed(
        self, method: str, target: str, body: bytes | None, headers: dict[str, str], patience: float
    ) -> Answer:
        import asyncio

        import httpx2

        try:
            async with asyncio.timeout(patience), self.opened(method, target, body, headers) as answer:
                return await whole(answer)
        except httpx2.ConnectError as error:
            raise NotConnected(str(error)) from None
        except TimeoutError:
            raise ResponseLost("it gave no answer in time") from None
        except httpx2.HTTPError as error:
            raise ResponseLost(str(error) or type(error).__name__) from None
        except httpx2.InvalidURL as error:
            raise Unavailable(f"{self._server} is not an address: {error}") from None

    def opened(self, method: str, target: str, body: bytes | None, headers: dict[str, str], **more: Any) -> Any:
        """A response that is read as it comes: httpx2's own, an asynchronous context."""
        self._client = self._client or _async_client(self._server, self._settings.timeout)
        base = "http://localhost" if self._server.startswith("unix://") else self._server
        return self._client.stream(method, base + target, content=body, headers=_json(headers, body), **more)

    async def leave(self) -> None:
        """End the kept connections, in the event loop that made them."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def close(self) -> None:
        """Nothing is kept between one-shot requests; an event loop's client ends with its loop."""
        self._client = None


class _Tries:
    """How often a request is sent, how long each time, and how it ends: the same for both faces."""

    def __init__(self, server: str, timeout: float, request: Request[Any], key: str | None) -> None:
        self._server, self._half, self._doubt = server, timeout / 2, possibly_done_note(request, key)
        self._deadline = time.monotonic() + timeout
        self._count, self._lost = 0, False

    def patience(self) -> float:
        """Seconds for the next try: the last has all that is left."""
        remaining = max(0.1, self._deadline - time.monotonic())
        return remaining if self._count == TRIES - 1 else min(remaining, self._half)

    def pause(self, error: Exception) -> float:
        """Seconds before the next try; raises when there is none."""
        self._lost = self._lost or isinstance(error, ResponseLost) or _extra(error, "uncertain")
        pause: float = 0.2 * 4**self._count
        self._count += 1
        again = not isinstance(error, TodoError) or _extra(error, "again")
        if again and self._count < TRIES and time.monotonic() + pause < self._deadline:
            return pause
        doubt = self._doubt if self._lost else ""
        if isinstance(error, TodoError):
            raise Unavailable(error.detail + doubt, hint=error.hint, **error.extra) from None
        raise Unavailable(f"the server {self._server} cannot be reached: {error}{doubt}") from None


def _extra(error: Exception, name: str) -> bool:
    return isinstance(error, TodoError) and bool(error.extra.get(name))


async def whole(answer: Any) -> Answer:
    """All of an opened response, up to a bound."""
    data = bytearray()
    async for part in answer.aiter_bytes():
        data += part
        if len(data) > ANSWER_LIMIT:
            raise too_large()
    return Answer(answer.status_code, dict(answer.headers), bytes(data))


def _json(headers: dict[str, str], body: bytes | None) -> dict[str, str]:
    return headers | ({"Content-Type": "application/json"} if body is not None else {})


def _async_client(server: str, timeout: float) -> Any:
    import httpx2

    if server.startswith("unix://"):
        return httpx2.AsyncClient(timeout=timeout, transport=httpx2.AsyncHTTPTransport(uds=server[7:]), trust_env=False)
    # building a TLS context costs as much as the rest of a command
    plain = server.startswith("http://") and not _proxy(server)
    try:
        return httpx2.AsyncClient(timeout=timeout, verify=not plain, trust_env=not plain)
    except (ValueError, ImportError, httpx2.InvalidURL) as error:
        what = f"the proxy in the environment cannot be used: {error}"
        raise Invalid(what, hint="see HTTP_PROXY, ALL_PROXY") from None


def _proxy(server: str) -> bool:
    """A proxy is set for this kind of address, and does not leave it out: httpx2 decides the details."""
    scheme = server.partition(":")[0]
    names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
    return scheme != "unix" and any(os.environ.get(name) for name in names)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_answer(answer: Answer, request: Request[R], server: str) -> R:
    """The contract's answer out of an HTTP one; raises the error it stands for, or Unavailable for what is not ours."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip()
    if 300 <= answer.status < 400:
        where = urljoin(server, answer.headers.get("location", "")).partition("/v1/")[0]
        raise Unavailable(f"{server} redirects to {where}", hint=f"if you trust it, set server to {where}")
    if kind == "application/problem+json":
        raise _problem(answer)
    if answer.status >= 400 or kind != "application/json":
        again = answer.status in (502, 503, 504)  # a proxy's word for a server that is away
        raise Unavailable(
            f"{server} answered {answer.status} with {kind or 'no content type'}, which no todo server does",
            hint="check `server` with: todo doctor", again=again, uncertain=again,
        )  # fmt: skip
    try:
        result: R = decode(answer.body, answer_type(type(request)))
    except (msgspec.DecodeError, UnicodeDecodeError):
        what = f"{server} gave an answer that this todo cannot read"
        raise Unavailable(what, hint="upgrade the older of the two", uncertain=True) from None
    return result


def _problem(answer: Answer) -> TodoError:
    try:
        problem = msgspec.json.decode(answer.body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Unavailable("the server's error cannot be read")
    error = from_problem(problem)
    if isinstance(error, Unavailable):
        error.extra["again"] = True
    return error

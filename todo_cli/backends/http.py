"""To a server. One-shot requests go over the standard library's client, which costs a third of the next lightest
(benchmarks/startup.py); many at once, and what goes through a proxy, over httpx2.
"""

from __future__ import annotations

import os
import time
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from todo_cli.backends import minted
from todo_cli.backends.one_shot import Answer, LostAnswer, Refused, exchange
from todo_cli.config import Settings
from todo_cli.contract.base import Request, method_and_path
from todo_cli.contract.wire import answer_type, checked, decode
from todo_cli.errors import Invalid, TodoError, Unavailable, from_problem

R = TypeVar("R")

TRIES = 3
BODY_LIMIT = 2 * 1024 * 1024


class HttpBackend:
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
        method, target, body, headers = self._prepared(request, key)
        deadline = time.monotonic() + self._settings.timeout
        send = self._proxied if _proxy(self._server) else exchange
        for attempt in range(TRIES):
            last = attempt == TRIES - 1
            remaining = deadline - time.monotonic()
            patience = remaining if last else max(0.1, min(remaining, self._settings.timeout / 2))
            try:
                answer = send(self._server, method, target, body, headers, patience)
                return read_answer(answer, request, self._server)
            except (LostAnswer, Refused, Unavailable) as error:
                pause = 0.2 * 4**attempt
                if last or time.monotonic() + pause >= deadline or not _again(error):
                    raise _unreachable(self._server, error) from None
                time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    async def send(self, request: Request[R], key: str | None = None) -> R:
        """As `send_now`, from an event loop, over kept connections."""
        import asyncio

        method, target, body, headers = self._prepared(request, key)
        for attempt in range(TRIES):
            try:
                answer = await self._streamed(method, target, body, headers)
                return read_answer(answer, request, self._server)
            except (LostAnswer, Refused, Unavailable) as error:
                if attempt == TRIES - 1 or not _again(error):
                    raise _unreachable(self._server, error) from None
                await asyncio.sleep(0.2 * 4**attempt)
        raise AssertionError("the last try returns or raises")

    def _prepared(self, request: Request[Any], key: str | None) -> tuple[str, str, bytes | None, dict[str, str]]:
        data = checked(request)
        method, path = method_and_path(type(request))
        fields = msgspec.to_builtins(request)
        target = path.format(**{name: quote(str(value), safe="") for name, value in fields.items()})
        if method in ("POST", "PATCH"):
            if len(data) > BODY_LIMIT:
                raise Invalid("the request is larger than 2 MiB", hint="send it in parts")
            return method, target, data, self._headers(request, key)
        given = {
            name: _word(value) for name, value in fields.items() if value is not None and f"{{{name}}}" not in path
        }
        return method, f"{target}?{urlencode(given)}" if given else target, None, self._headers(request, key)

    def _headers(self, request: Request[Any], key: str | None) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self._token.reveal()}", "Accept": "application/json"}
        optional = {
            "Todo-Space": self._settings.space,
            "Time-Zone": self._settings.timezone,
            "Idempotency-Key": quote(found, safe=" !#$&'()*+,/:;<=>?@[]^`{|}~")
            if (found := minted(request, key))
            else None,
        }
        if any("\n" in value or "\r" in value for value in headers.values()):
            raise Invalid("the token has a line break in it", hint="sign in again with: todo login")
        return headers | {name: value for name, value in optional.items() if value}

    def _proxied(
        self, server: str, method: str, target: str, body: bytes | None, headers: dict[str, str], patience: float
    ) -> Answer:
        import httpx2

        try:
            with httpx2.Client(timeout=patience) as client:
                answer = client.request(method, server + target, content=body, headers=_json(headers, body))
                return Answer(answer.status_code, dict(answer.headers), answer.content)
        except httpx2.ConnectError as error:
            raise Refused(str(error)) from None
        except httpx2.HTTPError as error:
            raise LostAnswer(str(error) or type(error).__name__) from None

    async def _streamed(self, method: str, target: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        import httpx2

        if self._client is None:
            self._client = _async_client(self._server, self._settings.timeout)
        base = "http://localhost" if self._server.startswith("unix://") else self._server
        try:
            answer = await self._client.request(method, base + target, content=body, headers=_json(headers, body))
        except httpx2.ConnectError as error:
            raise Refused(str(error)) from None
        except httpx2.HTTPError as error:
            raise LostAnswer(str(error) or type(error).__name__) from None
        return Answer(answer.status_code, dict(answer.headers), answer.content)

    def close(self) -> None:
        """Nothing is kept between one-shot requests; an event loop's client ends with its loop."""
        self._client = None


def _json(headers: dict[str, str], body: bytes | None) -> dict[str, str]:
    return headers | ({"Content-Type": "application/json"} if body is not None else {})


def _async_client(server: str, timeout: float) -> Any:
    import httpx2

    if server.startswith("unix://"):
        return httpx2.AsyncClient(timeout=timeout, transport=httpx2.AsyncHTTPTransport(uds=server[7:]), trust_env=False)
    # building a TLS context costs as much as the rest of a command
    plain = server.startswith("http://") and not _proxy(server)
    return httpx2.AsyncClient(timeout=timeout, verify=not plain, trust_env=not plain)


def _proxy(server: str) -> bool:
    """A proxy is set for this kind of address, and does not leave it out: httpx2 decides the details."""
    scheme = server.partition(":")[0]
    names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
    return scheme != "unix" and any(os.environ.get(name) for name in names)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _again(error: Exception) -> bool:
    return not isinstance(error, Unavailable) or bool(error.extra.get("again", False))


def _unreachable(server: str, error: Exception) -> TodoError:
    if isinstance(error, TodoError):
        return error
    lost = (
        " The request may have been carried out: repeat it with the same --key."
        if isinstance(error, LostAnswer)
        else ""
    )
    return Unavailable(f"the server {server} cannot be reached: {error}.{lost}")


def read_answer(answer: Answer, request: Request[R], server: str) -> R:
    """The contract's answer out of an HTTP one; raises the error it stands for, or Unavailable for what is not ours."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip()
    if 300 <= answer.status < 400:
        where = answer.headers.get("location", "somewhere else").partition("/v1/")[0]
        raise Unavailable(f"{server} redirects to {where}", hint=f"if you trust it, set server to {where}")
    if kind == "application/problem+json":
        raise _problem(answer)
    if answer.status >= 400 or kind != "application/json":
        again = answer.status in (502, 503, 504)
        raise Unavailable(
            f"{server} answered {answer.status} with {kind or 'no content type'}, which no todo server does",
            hint="check `server` with: todo doctor", again=again,
        )  # fmt: skip
    try:
        result: R = decode(answer.body, answer_type(type(request)))
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Unavailable(
            f"{server} gave an answer that this todo cannot read", hint="upgrade the older of the two"
        ) from None
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

"""Reads over HTTP that changed nothing since: 304 for a known ETag, and answers out of the cache.

The ETag of a versioned Request is made of the number that the sign-in reads, so that neither needs the work of the
Request. Any other read has the ETag of its content, which saves its transfer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from typing import Any

from starlette.types import Receive, Scope, Send

from todo_cli import __version__
from todo_cli.contract.base import Caller, Request
from todo_cli.contract.codec import encode
from todo_cli.contract.search import SearchTasks
from todo_cli.contract.stats import ShowStats
from todo_cli.contract.tasks import ListTasks
from todo_cli.contract.views import ListProjects, ListTags
from todo_cli.db.rate_limit import RequestCount
from todo_cli.errors import NotSignedIn
from todo_cli.server.connection_pools import Pool
from todo_cli.server.endpoint import RequestEndpoint, answer_client_with_clock, context_headers
from todo_cli.server.headers import read_headers
from todo_cli.server.pool import TimedAnswer, read_version
from todo_cli.server.refusal_counts import count_failed_sign_in
from todo_cli.server.responses import send_response
from todo_cli.stores.answer_cache import AnswerCache

MIN_CACHED_TASKS = 200
"""A shorter page is cheaper to read than to look for in the cache: `benchmarks/cache.py`."""

CACHED: dict[type[Request[Any]], Callable[[Any], bool]] = {
    ListProjects: lambda request: True,
    ListTags: lambda request: True,
    SearchTasks: lambda request: True,
    ShowStats: lambda request: True,
    ListTasks: lambda request: request.limit >= MIN_CACHED_TASKS,
}
"""The versioned Requests that the cache keeps, and which of their answers: those dearer than a look into the cache."""

VERSION_TAG, CONTENT_TAG = "v", "c"
KEEP = b"private, no-cache"  # by the client alone, which asks each time whether it still holds


class VersionedAnswers:
    """Sends the answers of reads."""

    def __init__(self, pool: Pool, cache: AnswerCache | None) -> None:
        self.pool, self._cache = pool, cache

    async def send(self, scope: Scope, send: Send, request: Request[Any]) -> None:
        """Answer one GET; raises TodoError."""
        state = scope["state"]
        caller, count, known = state["caller"], state.get("count"), _read_known_tags(scope)
        cache = self._cache if request.is_versioned and _is_cached(request) else None
        tag = None
        if cache or (request.is_versioned and any(tag.startswith(VERSION_TAG) for tag in known)):
            current = await self._read_version(caller, request, count)
            tag = _make_version_tag(caller, request, current.version)
            headers = context_headers(current)
            if tag in known:
                return await _send_not_modified(send, tag, headers)
            if tag and cache and (body := await cache.find(tag)):
                return await _send_tagged(send, body, tag, headers)
        answer = await answer_client_with_clock(self.pool, caller, request, count)
        body, fresh = encode(answer.value), _make_version_tag(caller, request, answer.version)
        if cache and fresh and fresh == tag:
            await cache.keep(fresh, body)
        fresh = fresh or CONTENT_TAG + blake2b(body, digest_size=12).hexdigest()
        if fresh in known:
            return await _send_not_modified(send, fresh, context_headers(answer))
        await _send_tagged(send, body, fresh, context_headers(answer))

    async def _read_version(
        self, caller: Caller, request: Request[Any], count: RequestCount | None
    ) -> TimedAnswer[None]:
        try:
            return await read_version(self.pool, caller, request, count)
        except NotSignedIn as error:
            raise await count_failed_sign_in(self.pool, caller, error) from None


class ReadEndpoint(RequestEndpoint):
    """The endpoint of a read."""

    def __init__(self, request: type[Request[Any]], answers: VersionedAnswers) -> None:
        super().__init__(request, partial(answer_client_with_clock, answers.pool))
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; raises TodoError."""
        await self._answers.send(scope, send, await self.read_request(scope, receive))


def _is_cached(request: Request[Any]) -> bool:
    is_worth = CACHED.get(type(request))
    return is_worth is not None and is_worth(request)


def _make_version_tag(caller: Caller, request: Request[Any], version: str | None) -> str | None:
    """Return a name for the answer; a server of another release may answer in another form."""
    if version is None or not request.is_versioned:
        return None
    parts = (__version__, caller.user_id, caller.space or "", caller.zone or "", request.verb, version)
    digest = blake2b("\n".join(parts).encode(), digest_size=12)
    digest.update(encode(request))
    return VERSION_TAG + digest.hexdigest()


def _read_known_tags(scope: Scope) -> list[str]:
    """Return the tags of If-None-Match; a weak one counts as well (RFC 9110, section 13.1.2)."""
    text = read_headers(scope).get("if-none-match", "")
    return [part.strip().removeprefix("W/").strip('"') for part in text.split(",")] if text else []


def _tag_headers(tag: str) -> list[tuple[bytes, bytes]]:
    return [(b"etag", f'"{tag}"'.encode()), (b"vary", b"Authorization, Todo-Space, Time-Zone")]


async def _send_tagged(send: Send, body: bytes, tag: str, headers: list[tuple[bytes, bytes]]) -> None:
    await send_response(send, 200, body, b"application/json", *_tag_headers(tag), *headers, keep=KEEP)


async def _send_not_modified(send: Send, tag: str, headers: list[tuple[bytes, bytes]]) -> None:
    headers = [*_tag_headers(tag), (b"cache-control", KEEP), *headers]
    await send({"type": "http.response.start", "status": 304, "headers": headers})
    await send({"type": "http.response.body", "body": b""})

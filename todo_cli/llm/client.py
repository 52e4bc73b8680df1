"""One answer of a model behind the OpenAI chat-completions protocol. The only module that imports openai.

openai sends the request and tells its errors apart; reading the stream, retries and deadlines are our own, since
servers differ where its helpers assume (see `calls` and `wire`).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any

import httpx2
import openai

from todo_cli.llm.endpoints import OPENAI, Endpoint
from todo_cli.llm.errors import ModelServerError, from_response
from todo_cli.llm.pricing import priced
from todo_cli.llm.sse import SseDecoder
from todo_cli.llm.stream import Assembler, Event, Finished, ReasoningDelta, TextDelta, Usage
from todo_cli.llm.tool_calls import Call
from todo_cli.llm.transport import open_http, unreachable

__all__ = ["Call", "Event", "Finished", "Model", "ReasoningDelta", "TextDelta", "Usage", "answer"]

ATTEMPTS = 4
AFTER_THE_END = 2.0
"""Seconds that we wait for usage or [DONE] once the model has said why it ended."""
LONGEST_BACKOFF = 8.0
DRAIN = 0.02
"""Seconds that we wait for the end of the body behind [DONE]: a connection that was read to its end is used again."""


class Model:
    """A model for the length of a turn: one answer's connection serves the next. To be closed."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.name = endpoint.model
        self._endpoint, self._http = endpoint, open_http(endpoint)

    def __call__(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]
    ) -> AsyncGenerator[Event, None]:
        """As `answer`."""
        return _answer(self._http, self._endpoint, messages, tools)

    async def close(self) -> None:
        """Let go of its connections."""
        await self._http.aclose()


async def answer(
    endpoint: Endpoint, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]
) -> AsyncGenerator[Event, None]:
    """Words and thoughts as they come; after the stream ended its calls, and Finished as the last. Raises ModelFailed.

    It is asked again, a few times, only while nothing has come. What breaks off later ends as "interrupted", with
    the words kept and no calls. Leaving it (aclosing, or cancelling the task that waits in it) closes the stream.
    """
    async with open_http(endpoint) as http, aclosing(_answer(http, endpoint, messages, tools)) as events:
        async for event in events:
            yield event


async def _answer(
    http: httpx2.AsyncClient,
    endpoint: Endpoint,
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]],
) -> AsyncGenerator[Event, None]:
    body: dict[str, Any] = {"model": endpoint.model, "messages": list(messages), "stream": True}
    body |= {"stream_options": {"include_usage": True}} | ({"tools": list(tools)} if tools else {})
    names = {tool["function"]["name"] for tool in tools}
    clock, client = _Clock(endpoint), _client(endpoint, http)
    while True:
        try:
            async with aclosing(_attempt(client, endpoint, body, names, clock)) as events:
                async for event in events:
                    yield event
            return
        except ModelServerError as caught:
            trouble = caught
        # outside of the handler, so that no request and no key hangs on the error as its context
        if "stream_options" in trouble.detail and body.pop("stream_options", None):
            continue
        wait = clock.wait(trouble)
        if wait is None:
            raise trouble.error(endpoint.address, _key(endpoint))
        await asyncio.sleep(wait)


class _Clock:
    """The deadlines of one answer, over all its attempts."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._now = asyncio.get_running_loop().time
        self._began = self._moved = self._now()
        self._seen = self._tries = 0

    def start(self) -> None:
        """A new attempt begins."""
        self._tries += 1
        self._moved, self._seen = self._now(), 0

    def deadline(self, assembler: Assembler) -> tuple[float, str]:
        """Until when the next bytes must be here, and what to say if they are not."""
        if assembler.moved > self._seen:
            self._seen, self._moved = assembler.moved, self._now()
        allowed = self._endpoint.idle if self._seen else self._endpoint.first_content
        if assembler.ended:
            allowed = min(AFTER_THE_END, allowed)
        last = self._began + self._endpoint.total
        if self._moved + allowed < last:
            return self._moved + allowed, f"sent nothing for {allowed:g} s"
        return last, f"did not come to an end within {self._endpoint.total:g} s"

    def wait(self, trouble: ModelServerError) -> float | None:
        """How long until the next attempt; None when there is to be none."""
        wait = trouble.after
        if wait is None:
            longest = min(LONGEST_BACKOFF, self._endpoint.backoff * 2 ** (self._tries - 1))
            wait = longest * (0.5 + random.random() / 2)  # noqa: S311 - spreads retries, hides nothing
        in_time = self._now() + wait < self._began + min(self._endpoint.first_content, self._endpoint.total)
        again = trouble.retry and in_time and (trouble.loading or self._tries < ATTEMPTS)
        return wait if again else None


async def _attempt(
    client: openai.AsyncOpenAI, endpoint: Endpoint, body: dict[str, Any], names: set[str], clock: _Clock
) -> AsyncGenerator[Event, None]:
    assembler, wire = Assembler(names, endpoint.longest), SseDecoder(endpoint.longest * 8 + 1_000_000)
    trouble: ModelServerError | None = None
    clock.start()
    try:
        async with aclosing(_pieces(client, endpoint, body, wire, assembler, clock)) as pieces:
            async for piece in pieces:
                for event in assembler.take(piece):
                    yield event
                if assembler.full:
                    break
    except ModelServerError as caught:
        trouble = caught
    if wire.document and assembler.moved:
        assembler.ended = True  # a whole document cannot have been cut
    if not assembler.moved:
        raise trouble or ModelServerError("broken", _nothing(wire))
    cut = trouble.sentence(endpoint.address, _key(endpoint)) if trouble else None
    for event in assembler.end(cut, whole=wire.done):
        if isinstance(event, Finished) and event.usage:
            event.usage = priced(event.usage, endpoint.price)
        yield event


async def _pieces(
    client: openai.AsyncOpenAI,
    endpoint: Endpoint,
    body: dict[str, Any],
    wire: SseDecoder,
    assembler: Assembler,
    clock: _Clock,
) -> AsyncGenerator[dict[str, Any], None]:
    """The JSON pieces of one response, each in time; closes the response whatever happens."""
    response = await _in_time(_opened(client, endpoint, body), assembler, clock)
    try:
        chunks = aiter(response.aiter_bytes())
        while not wire.done:
            chunk = await _in_time(anext(chunks, None), assembler, clock)
            for piece in wire.close() if chunk is None else wire.feed(chunk):
                yield piece
            if chunk is None:
                return
        await _drained(chunks)
    finally:
        await response.aclose()


async def _drained(chunks: AsyncIterator[bytes]) -> None:
    with suppress(TimeoutError, httpx2.HTTPError, httpx2.StreamError):
        async with asyncio.timeout(DRAIN):
            await anext(chunks, None)


async def _in_time(what: Any, assembler: Assembler, clock: _Clock) -> Any:
    """Its result, unless the deadline passes first; what httpx2 and openai raise becomes Trouble."""
    deadline, late = clock.deadline(assembler)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout_at(deadline):
            result = await what
    except TimeoutError:
        raise ModelServerError("broken", late) from None
    except openai.APIStatusError as error:
        raise from_response(error.status_code, error.response.headers, error.response.content) from None
    except (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError, ValueError) as error:
        raise unreachable(error) from None
    if loop.time() > deadline:  # bytes that are always there never let the timeout in
        raise ModelServerError("broken", late)
    return result


async def _opened(client: openai.AsyncOpenAI, endpoint: Endpoint, body: dict[str, Any]) -> httpx2.Response:
    """The response with its body unread: openai's own reading of the stream is passed by."""
    kind = openai.AsyncStream[object]
    stream = await client.post("/chat/completions", cast_to=object, body=body, stream=True, stream_cls=kind,
                               options={"headers": _headers(endpoint)})  # fmt: skip
    return stream.response


def _nothing(wire: SseDecoder) -> str:
    return "answered with JSON that is no completion" if wire.document else "answered nothing"


def _key(endpoint: Endpoint) -> str:
    return endpoint.api_key.reveal() if endpoint.api_key else ""


def _client(endpoint: Endpoint, http: httpx2.AsyncClient) -> openai.AsyncOpenAI:
    # given no key, openai would take one from the environment
    return openai.AsyncOpenAI(base_url=endpoint.base_url, api_key=_key(endpoint) or "none", max_retries=0,
                              http_client=http, timeout=http.timeout)  # fmt: skip


def _headers(endpoint: Endpoint) -> dict[str, Any]:
    headers: dict[str, Any] = {"Authorization": f"Bearer {_key(endpoint)}" if endpoint.api_key else openai.omit}
    if not endpoint.base_url.startswith(OPENAI):
        # openai takes them from the environment and would tell them to every server
        headers |= {"OpenAI-Organization": openai.omit, "OpenAI-Project": openai.omit}
    return headers

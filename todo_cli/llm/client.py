"""Stream one answer of a model behind the OpenAI chat-completions protocol. The only module that imports openai.

openai sends the request and tells its errors apart. Reading the stream, retries and deadlines are our own, because
servers differ where openai's helpers assume that they agree (see `tool_calls` and `sse`).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any, TypeVar

import httpx2
import openai

from todo_cli.llm.endpoints import OPENAI_URL, ModelEndpoint
from todo_cli.llm.errors import ModelServerError, error_from_response
from todo_cli.llm.pricing import add_cost
from todo_cli.llm.sse import SseDecoder
from todo_cli.llm.stream import AnswerAssembler, Event, Finished, ReasoningDelta, TextDelta, TokenUsage
from todo_cli.llm.text_calls import ToolFields, tool_fields
from todo_cli.llm.tool_calls import ToolCall
from todo_cli.llm.transport import connection_error, open_http

__all__ = ["Event", "Finished", "ModelClient", "ReasoningDelta", "TextDelta", "TokenUsage", "ToolCall", "stream_answer"]

MAX_ATTEMPTS = 4
MAX_BACKOFF_SECONDS = 8.0
SECONDS_AFTER_END = 2.0
"""Time to wait for the usage or [DONE] once the model has given its reason to end."""
DRAIN_SECONDS = 0.02
"""Time to wait for the end of the body behind [DONE]: only a connection that was read to its end is used again."""

T = TypeVar("T")


class ModelClient:
    """A model for the length of a turn. The connection of one answer serves the next; the caller closes the client."""

    def __init__(self, endpoint: ModelEndpoint) -> None:
        self.name = endpoint.model
        self._endpoint, self._http = endpoint, open_http(endpoint)

    def __call__(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]
    ) -> AsyncGenerator[Event, None]:
        """Stream an answer, as `stream_answer` does."""
        return _stream_with_retries(self._http, self._endpoint, messages, tools)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


async def stream_answer(
    endpoint: ModelEndpoint, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]
) -> AsyncGenerator[Event, None]:
    """Yield text and reasoning as they come; then the calls, and Finished as the last event. Raise ModelFailed.

    The model is asked again, a few times, only while nothing has come. An answer that breaks off later ends as
    "interrupted", with its text and without calls. Leaving the generator (aclosing, or cancelling the task that waits
    in it) closes the stream.
    """
    async with open_http(endpoint) as http, aclosing(_stream_with_retries(http, endpoint, messages, tools)) as events:
        async for event in events:
            yield event


async def _stream_with_retries(
    http: httpx2.AsyncClient,
    endpoint: ModelEndpoint,
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]],
) -> AsyncGenerator[Event, None]:
    body: dict[str, Any] = {"model": endpoint.model, "messages": list(messages), "stream": True}
    body |= {"stream_options": {"include_usage": True}} | ({"tools": list(tools)} if tools else {})
    fields = tool_fields(tools)
    deadlines, client = _Deadlines(endpoint), _openai_client(endpoint, http)
    while True:
        try:
            async with aclosing(_stream_once(client, endpoint, body, fields, deadlines)) as events:
                async for event in events:
                    yield event
            return
        except ModelServerError as error:
            failure = error
        # outside of the handler, so that the raised error's context holds no request and no key
        if "stream_options" in failure.detail and body.pop("stream_options", None):
            continue
        pause = deadlines.retry_pause(failure)
        if pause is None:
            raise failure.to_model_failed(endpoint.address, _key(endpoint))
        await asyncio.sleep(pause)


class _Deadlines:
    """The deadlines of one answer, over all its attempts."""

    def __init__(self, endpoint: ModelEndpoint) -> None:
        self._endpoint = endpoint
        self._now = asyncio.get_running_loop().time
        self._began = self._last_progress = self._now()
        self._seen_progress = self._attempts = 0

    def start_attempt(self) -> None:
        """Begin a new attempt."""
        self._attempts += 1
        self._last_progress, self._seen_progress = self._now(), 0

    def next_deadline(self, assembler: AnswerAssembler) -> tuple[float, str]:
        """Return the time by which the next bytes must have come, and the failure if they have not."""
        if assembler.progress > self._seen_progress:
            self._seen_progress, self._last_progress = assembler.progress, self._now()
        allowed = self._endpoint.idle_seconds if self._seen_progress else self._endpoint.first_content_seconds
        if assembler.ended:
            allowed = min(SECONDS_AFTER_END, allowed)
        end = self._began + self._endpoint.total_seconds
        if self._last_progress + allowed < end:
            return self._last_progress + allowed, f"sent nothing for {allowed:g} s"
        return end, f"did not finish its answer within {self._endpoint.total_seconds:g} s"

    def retry_pause(self, failure: ModelServerError) -> float | None:
        """Return the seconds until the next attempt, or None for no further attempt."""
        pause = failure.after
        if pause is None:
            longest = min(MAX_BACKOFF_SECONDS, self._endpoint.backoff_seconds * 2 ** (self._attempts - 1))
            pause = longest * (0.5 + random.random() / 2)  # noqa: S311 - spreads the retries, protects nothing
        end = self._began + min(self._endpoint.first_content_seconds, self._endpoint.total_seconds)
        may_retry = failure.retry and (failure.loading or self._attempts < MAX_ATTEMPTS)
        return pause if may_retry and self._now() + pause < end else None


async def _stream_once(
    client: openai.AsyncOpenAI,
    endpoint: ModelEndpoint,
    body: dict[str, Any],
    fields: ToolFields,
    deadlines: _Deadlines,
) -> AsyncGenerator[Event, None]:
    assembler = AnswerAssembler(fields, endpoint.max_chars)
    decoder = SseDecoder(endpoint.max_chars * 8 + 1_000_000)
    failure: ModelServerError | None = None
    deadlines.start_attempt()
    try:
        async with aclosing(_read_chunks(client, endpoint, body, decoder, assembler, deadlines)) as chunks:
            async for chunk in chunks:
                for event in assembler.add(chunk):
                    yield event
                if assembler.overflowed:
                    break
    except ModelServerError as error:
        failure = error
    if decoder.is_document and assembler.progress:
        assembler.ended = True  # a complete document cannot have been cut
    if not assembler.progress:
        raise failure or ModelServerError("broken", _empty_detail(decoder))
    cut = failure.sentence(endpoint.address, _key(endpoint)) if failure else None
    for event in assembler.finish(cut, done=decoder.done):
        if isinstance(event, Finished) and event.usage:
            event.usage = add_cost(event.usage, endpoint.price)
        yield event


async def _read_chunks(
    client: openai.AsyncOpenAI,
    endpoint: ModelEndpoint,
    body: dict[str, Any],
    decoder: SseDecoder,
    assembler: AnswerAssembler,
    deadlines: _Deadlines,
) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the JSON chunks of one response, each in time; close the response in every case."""
    response = await _in_time(_open_response(client, endpoint, body), assembler, deadlines)
    try:
        parts = aiter(response.aiter_bytes())
        while not decoder.done:
            part = await _in_time(anext(parts, None), assembler, deadlines)
            for chunk in decoder.close() if part is None else decoder.feed(part):
                yield chunk
            if part is None:
                return
        await _drain(parts)
    finally:
        await response.aclose()


async def _drain(parts: AsyncIterator[bytes]) -> None:
    with suppress(TimeoutError, httpx2.HTTPError, httpx2.StreamError):
        async with asyncio.timeout(DRAIN_SECONDS):
            await anext(parts, None)


async def _in_time(result: Awaitable[T], assembler: AnswerAssembler, deadlines: _Deadlines) -> T:
    """Await a result until the deadline; convert the errors of httpx2 and openai to ModelServerError."""
    deadline, late = deadlines.next_deadline(assembler)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout_at(deadline):
            value = await result
    except TimeoutError:
        raise ModelServerError("broken", late) from None
    except openai.APIStatusError as error:
        raise error_from_response(error.status_code, error.response.headers, error.response.content) from None
    except (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError, ValueError) as error:
        raise connection_error(error) from None
    if loop.time() > deadline:  # bytes that are always available never let the timeout fire
        raise ModelServerError("broken", late)
    return value


async def _open_response(client: openai.AsyncOpenAI, endpoint: ModelEndpoint, body: dict[str, Any]) -> httpx2.Response:
    """Return the response with its body unread: openai's own stream reader is not used."""
    stream = await client.post(
        "/chat/completions",
        cast_to=object,
        body=body,
        stream=True,
        stream_cls=openai.AsyncStream[object],
        options={"headers": _headers(endpoint)},
    )
    return stream.response


def _empty_detail(decoder: SseDecoder) -> str:
    return "answered with JSON that is not a completion" if decoder.is_document else "answered nothing"


def _key(endpoint: ModelEndpoint) -> str:
    return endpoint.api_key.reveal() if endpoint.api_key else ""


def _openai_client(endpoint: ModelEndpoint, http: httpx2.AsyncClient) -> openai.AsyncOpenAI:
    # without an explicit key openai would take one from the environment
    return openai.AsyncOpenAI(
        base_url=endpoint.base_url,
        api_key=_key(endpoint) or "none",
        max_retries=0,
        http_client=http,
        timeout=http.timeout,
    )


def _headers(endpoint: ModelEndpoint) -> dict[str, Any]:
    headers: dict[str, Any] = {"Authorization": f"Bearer {_key(endpoint)}" if endpoint.api_key else openai.omit}
    if not endpoint.base_url.startswith(OPENAI_URL):
        # openai takes these from the environment and would send them to every server
        headers |= {"OpenAI-Organization": openai.omit, "OpenAI-Project": openai.omit}
    return headers

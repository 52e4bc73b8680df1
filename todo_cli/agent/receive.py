"""Receive one answer of the model. Its text is stored while it arrives, and the user may stop it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Protocol

import msgspec

from todo_cli.contract.turn_events import TurnEvent
from todo_cli.contract.turn_steps import MessageCall, StepStored
from todo_cli.llm.stream import Event, Finished, TextDelta, TokenUsage
from todo_cli.llm.tool_calls import ToolCall

AskModel = Callable[[Sequence[dict[str, Any]], Sequence[dict[str, Any]]], AsyncIterator[Event]]
"""Send messages and tools to a model."""

FLUSH_INTERVAL_SECONDS = 0.25
"""Between two looks whether events must be stored."""


class EventSink(Protocol):
    """A receiver of events: it shows them here and stores them in batches."""

    def emit(self, event: TurnEvent) -> None:
        """Show the event, and add it to the next batch."""
        ...

    async def flush(self) -> StepStored | None:
        """Store the batch if it is time to; return None if it is not."""
        ...

    @property
    def stopping(self) -> Awaitable[Any]:
        """Done once the user of this process asks to stop."""
        ...


class ModelResponse(msgspec.Struct):
    """The answer so far. `reason` is the model's own, or "stopped"."""

    text: str = ""
    calls: tuple[MessageCall, ...] = ()
    reason: str = "interrupted"
    usage: TokenUsage | None = None
    detail: str | None = None


async def receive(answer: AsyncIterator[Event], sink: EventSink, seconds: float) -> ModelResponse:
    """Receive events until the answer ends, the user stops it, or the time is over. Raise ModelFailed."""
    response, texts = ModelResponse(), list[str]()
    deadline = asyncio.get_running_loop().time() + seconds
    stopping = asyncio.ensure_future(sink.stopping)
    pending: asyncio.Task[Event | None] | None = None
    try:
        while True:
            pending = pending or asyncio.create_task(_next_event(answer))
            await asyncio.wait({pending, stopping}, timeout=FLUSH_INTERVAL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if pending.done():
                event, pending = pending.result(), None
                if event is None or _add_event(event, response, texts, sink):
                    break
            stored = await sink.flush()
            if stopping.done() or (stored and stored.stop):
                response.reason, response.calls = "stopped", ()
                break
            if asyncio.get_running_loop().time() > deadline:
                response.reason, response.calls = "interrupted", ()
                response.detail = f"the model's answer took longer than {seconds:g} s"
                break
    finally:
        stopping.cancel()
        await _close(pending, answer)
    response.text = "".join(texts)
    return response


async def _next_event(answer: AsyncIterator[Event]) -> Event | None:
    return await anext(answer, None)


def _add_event(event: Event, response: ModelResponse, texts: list[str], sink: EventSink) -> bool:
    """Add an event to the response; return True for the last one."""
    if isinstance(event, TextDelta):
        texts.append(event.text)
        sink.emit({"kind": "words", "text": event.text})
    elif isinstance(event, ToolCall):
        response.calls = (*response.calls, MessageCall(name=event.name, arguments=event.arguments, id=event.id))
    elif isinstance(event, Finished):
        response.reason, response.usage, response.detail = event.reason, event.usage, event.detail
        return True
    else:
        sink.emit({"kind": "thought", "text": event.text})
    return False


async def _close(pending: asyncio.Task[Event | None] | None, answer: AsyncIterator[Event]) -> None:
    """Cancel what is pending, and close the stream."""
    if pending is not None:
        pending.cancel()
        await asyncio.wait({pending})
    close = getattr(answer, "aclose", None)
    if close is not None:
        await close()

"""One answer of the model while it comes: its words are kept for who watches, and somebody may stop it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Protocol

import msgspec

from todo_cli.contract.turn_steps import MessageCall, StepStored
from todo_cli.llm.stream import Event, Finished, TextDelta, Usage
from todo_cli.llm.tool_calls import Call

Said = dict[str, Any]
Answer = Callable[[Sequence[Said], Sequence[Said]], AsyncIterator[Event]]

EVERY = 0.25
"""Seconds between two batches of events while words come."""


class EventSink(Protocol):
    """Where events go: to who listens here, and in batches to the database."""

    def tell(self, event: Said) -> None:
        """Say it here, and keep it for the next batch."""
        ...

    async def keep(self) -> StepStored | None:
        """Store what is kept, where it is time; None where it is not."""
        ...

    @property
    def stopping(self) -> Awaitable[Any]:
        """Done once somebody here has asked for the end."""
        ...


class ModelResponse(msgspec.Struct):
    """What came: `reason` is the model's own, or "stopped"."""

    text: str = ""
    calls: tuple[MessageCall, ...] = ()
    reason: str = "interrupted"
    usage: Usage | None = None
    detail: str | None = None


async def listen(answer: AsyncIterator[Event], keeper: EventSink, seconds: float) -> ModelResponse:
    """Until the answer ends, somebody stops it, or the time is over: then what came so far. Raises ModelFailed."""
    heard, words = ModelResponse(), list[str]()
    deadline = asyncio.get_running_loop().time() + seconds
    stopping = asyncio.ensure_future(keeper.stopping)
    coming: asyncio.Task[Event | None] | None = None
    try:
        while True:
            coming = coming or asyncio.create_task(_next(answer))
            await asyncio.wait({coming, stopping}, timeout=EVERY, return_when=asyncio.FIRST_COMPLETED)
            if coming.done():
                event, coming = coming.result(), None
                if event is None or _take(event, heard, words, keeper):
                    break
            stored = await keeper.keep()
            if stopping.done() or (stored and stored.stop):
                heard.reason, heard.calls = "stopped", ()
                break
            if asyncio.get_running_loop().time() > deadline:
                heard.reason, heard.calls, heard.detail = "interrupted", (), f"it took longer than {seconds:g} s"
                break
    finally:
        stopping.cancel()
        await _left(coming, answer)
    heard.text = "".join(words)
    return heard


async def _next(answer: AsyncIterator[Event]) -> Event | None:
    return await anext(answer, None)


def _take(event: Event, heard: ModelResponse, words: list[str], keeper: EventSink) -> bool:
    """Whether it was the last."""
    if isinstance(event, TextDelta):
        words.append(event.text)
        keeper.tell({"kind": "words", "text": event.text})
    elif isinstance(event, Call):
        heard.calls = (*heard.calls, MessageCall(name=event.name, arguments=event.arguments, id=event.id))
    elif isinstance(event, Finished):
        heard.reason, heard.usage, heard.detail = event.reason, event.usage, event.detail
        return True
    else:
        keeper.tell({"kind": "thought", "text": event.text})
    return False


async def _left(coming: asyncio.Task[Event | None] | None, answer: AsyncIterator[Event]) -> None:
    """Let go of the stream, whatever it is at."""
    if coming is not None:
        coming.cancel()
        await asyncio.wait({coming})
    close = getattr(answer, "aclose", None)
    if close is not None:
        await close()

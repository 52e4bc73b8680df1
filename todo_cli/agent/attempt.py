"""One attempt at a turn: its fence, its events, and whether the user wants it to stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from todo_cli.contract.base import Request
from todo_cli.contract.turn_events import EmitEvent, StoreEvents, TurnEvent
from todo_cli.contract.turn_steps import ClaimedTurn, StepStored
from todo_cli.errors import TodoError

R = TypeVar("R")
SendRequest = Callable[[Any], Awaitable[Any]]

FLUSH_INTERVAL_SECONDS = 0.25
"""Between two stored batches of events."""
HEARTBEAT_SECONDS = 2.0
"""Between two steps of a silent turn: each renews the lease and learns of a request to stop."""
RELEASE_TIMEOUT_SECONDS = 2.0
"""Time for giving up the turn. If it takes longer, the lease expires by itself."""
EXPIRING_LEASE_SECONDS = 0.001


class Limits(msgspec.Struct, frozen=True):
    """What a turn may cost.

    Another process may take a turn over from an attempt that was silent for `lease_seconds`.
    """

    budget_tokens: int = 32_000
    rounds: int = 12
    total_seconds: float = 600
    lease_seconds: float = 30


class Attempt:
    """One attempt at a turn, by this process."""

    def __init__(
        self, send: SendRequest, begun: ClaimedTurn, emit: EmitEvent, stop: asyncio.Event, limits: Limits
    ) -> None:
        self.begun, self.limits, self.head = begun, limits, begun.head
        self._send, self._emit, self._stop, self._next_batch = send, emit, stop, begun.events
        self._batch: list[TurnEvent] = []
        self._last_flush = time.monotonic()
        self._deadline = self._last_flush + limits.total_seconds
        self._stop_requested = False

    async def send(self, request: Request[R]) -> R:
        """Send a step; raise TodoError."""
        answer: R = await self._send(request)
        return answer

    @property
    def fence(self) -> dict[str, Any]:
        """The turn and the number of this attempt, which every step carries."""
        return {"turn": self.begun.turn, "attempt": self.begun.attempt}

    @property
    def last_batch(self) -> int:
        """The number of the last stored batch of events; -1 before the first one."""
        return self._next_batch - 1

    @property
    def remaining_seconds(self) -> float:
        """The time that the turn may still take."""
        return self._deadline - time.monotonic()

    @property
    def is_stopped(self) -> bool:
        """True once the user wants the turn to stop, here or at another terminal."""
        return self._stop_requested or self._stop.is_set()

    @property
    def stopping(self) -> Awaitable[Any]:
        """Done once the user asks this process to stop."""
        return self._stop.wait()

    def set_head(self, head: int, *, stop: bool = False) -> None:
        """Take over the conversation's head and the request to stop from a step's answer."""
        self.head, self._stop_requested = head, self._stop_requested or stop

    def emit(self, event: TurnEvent) -> None:
        """Pass an event to the listener of this process, and add it to the next batch."""
        self._emit(event)
        last = self._batch[-1] if self._batch else None
        if last and event["kind"] == last["kind"] and event["kind"] in ("words", "thought"):
            last["text"] += event["text"]
        else:
            self._batch.append(dict(event))

    async def flush(self, *, now: bool = False) -> StepStored | None:
        """Store the batch if it is time to, or an empty one as a heartbeat; return None if it is not time."""
        silent = time.monotonic() - self._last_flush
        heartbeat = min(self.limits.lease_seconds / 3, HEARTBEAT_SECONDS)
        is_due = silent >= (FLUSH_INTERVAL_SECONDS if self._batch else heartbeat)
        if not is_due and not (now and self._batch):
            return None
        return await self._store(self.limits.lease_seconds)

    async def release(self) -> None:
        """Store the text so far and let another process take the turn over at once: this process ends."""
        with suppress(TodoError, TimeoutError):
            async with asyncio.timeout(RELEASE_TIMEOUT_SECONDS):
                await self._store(EXPIRING_LEASE_SECONDS)

    async def _store(self, lease_seconds: float) -> StepStored:
        batch, self._batch, self._last_flush = self._batch, [], time.monotonic()
        events = StoreEvents(
            **self.fence, lease=lease_seconds, first=self._next_batch, after=self.head, batch=tuple(batch)
        )
        try:
            stored = await self.send(events)
        except BaseException:
            self._batch = [*batch, *self._batch]
            raise
        self._next_batch += bool(batch)
        self._stop_requested = self._stop_requested or stored.stop
        return stored

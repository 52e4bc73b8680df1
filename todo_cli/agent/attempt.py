"""What a runner of a turn has in its hands: its fence, its events, whether it is to stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from todo_cli.contract.base import Request
from todo_cli.contract.turn_events import StoreEvents
from todo_cli.contract.turn_steps import ClaimedTurn, StepStored
from todo_cli.errors import TodoError

R = TypeVar("R")
Said = dict[str, Any]
Send = Callable[[Any], Awaitable[Any]]
Tell = Callable[[Said], None]

EVERY = 0.25
"""Seconds between two batches of events."""
LONGEST_SILENCE = 2.0
"""Seconds between two looks whether somebody wants the end."""
LET_GO = 2.0
"""Seconds that letting go may take; the lease runs out by itself else."""
NO_TIME = 0.001


class Limits(msgspec.Struct, frozen=True):
    """What a turn may cost. `lease`: seconds after which another may take over from a runner that is silent."""

    budget: int = 32_000
    rounds: int = 12
    seconds: float = 600
    lease: float = 30


class Attempt:
    """One attempt at a turn, by this process."""

    def __init__(self, send: Send, begun: ClaimedTurn, tell: Tell, stop: asyncio.Event, limits: Limits) -> None:
        self.begun, self.limits, self.head = begun, limits, begun.head
        self._send, self._tell, self._stop, self._n = send, tell, stop, begun.events
        self._batch: list[Said] = []
        self._kept = time.monotonic()
        self._deadline = self._kept + limits.seconds
        self._asked_to_stop = False

    async def send(self, request: Request[R]) -> R:
        """A step; raises TodoError."""
        answer: R = await self._send(request)
        return answer

    @property
    def fence(self) -> dict[str, Any]:
        """Which turn, and which attempt at it."""
        return {"turn": self.begun.turn, "attempt": self.begun.attempt}

    @property
    def last(self) -> int:
        """The number of the last batch that is stored; -1: none."""
        return self._n - 1

    @property
    def left(self) -> float:
        """Seconds that the turn may still take."""
        return self._deadline - time.monotonic()

    @property
    def stopped(self) -> bool:
        """Somebody wants the end: here, or at another terminal."""
        return self._asked_to_stop or self._stop.is_set()

    @property
    def stopping(self) -> Awaitable[Any]:
        """Done once this runner is asked to stop here."""
        return self._stop.wait()

    def stands(self, head: int, *, stop: bool = False) -> None:
        """What a step has said."""
        self.head, self._asked_to_stop = head, self._asked_to_stop or stop

    def tell(self, event: Said) -> None:
        """To who listens here, and into the next batch."""
        self._tell(event)
        last = self._batch[-1] if self._batch else None
        if last and event["kind"] == last["kind"] and event["kind"] in ("words", "thought"):
            last["text"] += event["text"]
        else:
            self._batch.append(dict(event))

    async def keep(self, *, now: bool = False) -> StepStored | None:
        """Four times a second at most while there are events, and as a sign of life."""
        silent = time.monotonic() - self._kept
        due = silent >= (EVERY if self._batch else min(self.limits.lease / 3, LONGEST_SILENCE))
        if not due and not (now and self._batch):
            return None
        return await self._store(self.limits.lease)

    async def let_go(self) -> None:
        """This process ends, not the turn: keep the words that have come, and let another take it over at once."""
        with suppress(TodoError, TimeoutError):
            async with asyncio.timeout(LET_GO):
                await self._store(NO_TIME)

    async def _store(self, lease: float) -> StepStored:
        batch, self._batch, self._kept = self._batch, [], time.monotonic()
        events = StoreEvents(**self.fence, lease=lease, first=self._n, after=self.head, batch=tuple(batch))
        try:
            stored = await self.send(events)
        except BaseException:
            self._batch = [*batch, *self._batch]
            raise
        self._n += bool(batch)
        self._asked_to_stop = self._asked_to_stop or stored.stop
        return stored

"""Answer several reads in one round trip and at one moment: their statements wait for each other and go together.

The transaction in front signs in. It commits before the snapshot is taken, since the time at which a token was used could
not be written in a snapshot while another request with it does so too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from todo_cli.contract.base import Request
from todo_cli.contract.batch import Batch
from todo_cli.db.errors import ConnectionLost, RolledBack
from todo_cli.db.sign_in import ENTER
from todo_cli.db.sql import Sql, StatementCall
from todo_cli.db.transaction import BEGIN, COMMIT, Transaction
from todo_cli.errors import NotSignedIn, TodoError, TooMany

ReadHandler = Callable[[Transaction, Request[Any]], Awaitable[Any]]

BEGIN_SNAPSHOT = Sql("BEGIN ISOLATION LEVEL REPEATABLE READ")

FINAL_ERRORS = (ConnectionLost, RolledBack, NotSignedIn, TooMany)
"""Errors of the whole batch, whichever read meets them."""


async def read_together(tx: Transaction, requests: Sequence[Request[Any]], answer: ReadHandler) -> list[Any]:
    """Return the answer or the TodoError of each read. Raises the errors that no read could escape.

    One round trip is enough for most reads. Where one needs several statements, all begin again in a snapshot that stays
    open; where a statement fails, each read is answered by itself.
    """
    try:
        try:
            return await _SharedTrip(tx, answer, keeps_open=False).answer_all(requests)
        except _NeedsMoreTrips:
            return await _SharedTrip(tx, answer, keeps_open=True).answer_all(requests)
    except TodoError as error:
        if isinstance(error, FINAL_ERRORS):
            raise
    finally:
        await tx.end()
    return await _answer_in_turn(tx, requests, answer)


async def _answer_in_turn(tx: Transaction, requests: Sequence[Request[Any]], answer: ReadHandler) -> list[Any]:
    """Answer each read behind a savepoint, so that the failure of one does not end the others."""
    outer = Transaction(tx._connection, tx.caller, Batch)
    answers: list[Any] = []
    async with outer.steps(BEGIN_SNAPSHOT) as steps:
        await outer.read_clock(with_week=True)  # sign in, so that a refusal is that of the whole batch
        for request in requests:
            inner = outer.inner(type(request), None, enter=True)
            try:
                answers.append(await answer(inner, request))
            except FINAL_ERRORS:
                raise
            except TodoError as error:
                steps.discard(inner)
                answers.append(error)
    tx._entry = outer._entry
    return answers


class _NeedsMoreTrips(Exception):
    """A read has a second statement, and the shared transaction has ended."""


class _Waiting(NamedTuple):
    """The statements of a read that wait for those of the others; none where the read only needs the sign-in."""

    part: _Part
    calls: Sequence[StatementCall]
    texts: asyncio.Future[list[str | None]]


class _Part(Transaction):
    """The transaction of one read."""

    def __init__(self, trip: _SharedTrip, tx: Transaction, request: type[Request[Any]]) -> None:
        super().__init__(tx._connection, tx.caller, request)
        self._trip = trip
        self._is_open, self._pending, self._entry = True, [], tx._entry

    async def _fetch(self, calls: Sequence[StatementCall]) -> list[str | None]:
        return await self._trip.wait_for(self, calls)


class _SharedTrip:
    """Collects the statements of all reads, and sends them when no read can go on without its rows.

    The first statements are also the last, unless it `keeps_open` the transaction for more.
    """

    def __init__(self, tx: Transaction, answer: ReadHandler, *, keeps_open: bool) -> None:
        self._tx, self._answer, self._keeps_open = tx, answer, keeps_open
        self._waiting: list[_Waiting] = []
        self._running = 0  # reads that do not wait
        self._all_wait = asyncio.Event()
        self._has_read = False
        self._entered: tuple[Any, Any] | None = None  # scope and space of the last sign-in of the snapshot

    async def answer_all(self, requests: Sequence[Request[Any]]) -> list[Any]:
        """Return the answer or the error of each read; raises the error of the shared round trip."""
        self._running = len(requests)
        tasks = [asyncio.create_task(self._answer_part(request)) for request in requests]
        try:
            while await self._all_wait.wait() and self._waiting:
                await self._send_waiting()
            return [await task for task in tasks]
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError, _NeedsMoreTrips):
                    await task

    async def _answer_part(self, request: Request[Any]) -> Any:
        try:
            return await self._answer(_Part(self, self._tx, type(request)), request)
        except TodoError as error:
            return error
        finally:
            self._stop_running()

    async def wait_for(self, part: _Part, calls: Sequence[StatementCall]) -> list[str | None]:
        """Return the texts of the statements when all reads have named theirs."""
        if self._has_read and not self._keeps_open:
            raise _NeedsMoreTrips
        waiting = _Waiting(part, calls, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._stop_running()
        return await waiting.texts

    def _stop_running(self) -> None:
        self._running -= 1
        if not self._running:
            self._all_wait.set()

    async def _send_waiting(self) -> None:
        """Sign in for the reads that wait for nothing else, or send the statements of all."""
        for_entry = [waiting for waiting in self._waiting if not waiting.calls]
        ready, self._waiting = (
            (for_entry, [waiting for waiting in self._waiting if waiting.calls]) if for_entry else (self._waiting, [])
        )
        calls: list[StatementCall] = [] if self._tx.clock else [(BEGIN, {}), (ENTER, {}), (COMMIT, {})]
        places = []
        if not for_entry:
            calls += [] if self._has_read else [(BEGIN_SNAPSHOT, {})]
            places = self._add_statements(calls, ready)
            calls += [] if self._keeps_open else [(COMMIT, {})]
            self._has_read = True
        texts = await self._tx._send(calls)
        self._running = len(ready)
        self._all_wait.clear()
        for index, waiting in enumerate(ready):
            waiting.part._entry = self._tx._entry
            waiting.texts.set_result(texts[places[index] : places[index] + len(waiting.calls)] if places else [])

    def _add_statements(self, calls: list[StatementCall], ready: Sequence[_Waiting]) -> list[int]:
        """Add the statements of each read, behind a sign-in where its scope or space is another; return their places."""
        places = []
        for waiting in ready:
            values = waiting.part.values
            if (values["scope"], values["space"]) != self._entered:
                self._entered = (values["scope"], values["space"])
                calls.append((ENTER, values))
            places.append(len(calls))
            calls += [(sql, values | own) for sql, own in waiting.calls]
        return places

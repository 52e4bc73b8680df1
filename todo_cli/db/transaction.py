"""The one transaction of a Request."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import psycopg
from psycopg.pq import TransactionStatus

from todo_cli.contract.base import Caller, Request
from todo_cli.contract.clock import Clock
from todo_cli.contract.preferences import NO_PREFERENCES, Preferences
from todo_cli.db.errors import ConnectionLost, translate_outcome, was_lost
from todo_cli.db.pipeline import Connection, Row, run
from todo_cli.db.rate_limit import LIMIT_REQUEST, RequestCount
from todo_cli.db.schema_version import SCHEMA_VERSION
from todo_cli.db.sign_in import ENTER, Entry
from todo_cli.db.sql import Sql, StatementCall
from todo_cli.db.statement_limit import limit_statements
from todo_cli.db.token_limits import find_limits
from todo_cli.errors import TodoError

# psycopg warns of every refusal in a pipeline; it is raised here.
logging.getLogger("psycopg").setLevel(logging.ERROR)

BEGIN, COMMIT, ROLLBACK = Sql("BEGIN"), Sql("COMMIT"), Sql("ROLLBACK")
SAVEPOINT, ROLLBACK_INNER = Sql("SAVEPOINT before_inner"), Sql("ROLLBACK TO SAVEPOINT before_inner")


class Transaction:
    """The one transaction of a Request. The values of the caller are given to every statement.

    A handler with one statement uses `finish`: sign-in and statement go in one pipeline, which Postgres runs as one
    implicit transaction and in one round trip. A handler that must read before it writes uses `steps`. A handler that
    answers another Request within its own transaction gives it an `inner` one. A pending `count` goes in front. The
    database ends each statement after `seconds_left`.
    """

    def __init__(
        self,
        connection: Connection,
        caller: Caller,
        request: type[Request[Any]],
        count: RequestCount | None = None,
        *,
        seconds_left: float | None = None,
    ) -> None:
        limits = [] if seconds_left is None else limit_statements(seconds_left)
        me = caller.user_id
        self._connection, self._count, self._is_open = connection, count, False
        self._sign_in: list[StatementCall] = [*limits, *([(ENTER, {})] if request.scope else [])]
        self._pending = list(self._sign_in)  # before the next statement
        self._entry: Entry | None = None  # of the last sign-in
        self._estimate: Clock | None = None
        self.is_momentary = False  # True where the answer changes with every moment, as an age or `due<2h` does
        self.caller, self.limits = caller, find_limits(caller.token)
        self.values: dict[str, Any] = {
            "schema": SCHEMA_VERSION,
            "token": caller.token.reveal(),
            "me": me,
            "space": me if request.personal or not caller.space else caller.space,
            "scope": request.scope,
            "write": request.write,
            "way": caller.way,
            "verb": request.verb,
            "knows_limits": self.limits is not None,
            "key": caller.key,
            "within": None,
        }

    async def finish(self, *statements: Sql, **values: Any) -> str | None:
        """Run statements in one round trip; return the first column of the last one's row, None without a row.

        Each statement sees what the ones before it have locked.
        """
        return (await self._fetch([(sql, values) for sql in statements]))[-1]

    async def _fetch(self, calls: Sequence[StatementCall]) -> list[str | None]:
        pending = self._take_pending()
        return (await self._send([*pending, *calls]))[len(pending) :]

    def _take_pending(self) -> list[StatementCall]:
        pending = self._pending
        if self._is_open:
            self._pending = []
        return pending

    async def _send(self, calls: Sequence[StatementCall]) -> list[str | None]:
        """Run statements in one round trip, each with its own values; return the first column of each one's row."""
        statements = [(sql, sql.values(self.values | values)) for sql, values in calls]
        count = self._count
        if count is None or not count.is_pending:
            rows = await self._run(statements)
        else:
            first, *rows = await self._run_counted(count, statements)
            count.store(first[0] if first else None)
        texts = [None if row is None else row[0] for row in rows]
        for (sql, _), text in zip(calls, texts, strict=True):
            if sql is ENTER and text:
                self._entry = msgspec.json.decode(text, type=Entry)
                self._connection.set_time(self._entry.now)
        return texts

    async def _run(self, statements: list[tuple[Sql, list[Any]]]) -> list[Row | None]:
        try:
            return await run(self._connection, statements)
        except psycopg.Error as error:
            if was_lost(error):  # also where it leads to a standby, which accepts no write
                await self._connection.close()
            raise translate_outcome(error) from error

    async def _run_counted(self, count: RequestCount, statements: list[tuple[Sql, list[Any]]]) -> list[Row | None]:
        limit = (LIMIT_REQUEST, [self.values["me"], count.policy])
        try:
            return await self._run([limit, *statements])
        except TodoError as error:
            if not isinstance(error, ConnectionLost):
                count.store_refusal(error)
            raise

    @property
    def clock(self) -> Clock | None:
        """Return the database's time at the last sign-in and the caller's zone; None before the first round trip."""
        return self._entry.clock(self.caller.zone) if self._entry else None

    @property
    def preferences(self) -> Preferences:
        """Return the user's preferences at the last sign-in; all are null before the first, and without a row."""
        return self._entry.preferences or NO_PREFERENCES if self._entry else NO_PREFERENCES

    def estimate_clock(self) -> Clock | None:
        """Return the clock if it costs no round trip: from the sign-in, or without the week from an earlier one."""
        now = self._connection.estimate_time()
        self._estimate = Clock(now, self.caller.zone) if now and self.caller.zone else None
        return self.clock or self._estimate

    @property
    def version(self) -> str | None:
        """Return what the answer follows from besides the Request and the caller; None where it is momentary."""
        return None if self.is_momentary or not self._entry else self._entry.find_version(self.clock, self._estimate)

    async def read_clock(self, *, with_week: bool = False) -> Clock:
        """Return the clock, with the first day of the week if it matters. It may cost a round trip at the beginning."""
        if clock := self.clock if with_week else self.estimate_clock():
            return clock
        await self._fetch([])
        assert self.clock  # noqa: S101  # the first statement signs in
        return self.clock

    @asynccontextmanager
    async def steps(self, begin: Sql = BEGIN) -> AsyncIterator[Steps]:
        """Run several statements one after the other; each costs a round trip, the last commits with it."""
        steps = Steps(self, begin, is_nested=self._is_open)
        try:
            yield steps
        except BaseException:
            await steps.close(ROLLBACK)
            raise
        await steps.close(COMMIT)

    async def end(self, end: Sql = ROLLBACK) -> None:
        """Send COMMIT or ROLLBACK where a transaction is open in the database."""
        if not self._connection.closed and self._connection.info.transaction_status != TransactionStatus.IDLE:
            await self._send([(end, {})])

    def separate(self, request: type[Request[Any]]) -> Transaction:
        """Return a transaction of its own for another Request; it must end before the first statement of this one."""
        return Transaction(self._connection, self.caller, request, self._count)

    def inner(
        self, request: type[Request[Any]], key: str | None, *, enter: bool = False, turn: str | None = None
    ) -> Transaction:
        """Return a transaction within this open one, behind a savepoint, for another Request.

        `enter` checks the token's scope for it. Its changes belong to the `turn`, with which they are undone.
        """
        inner = Transaction(self._connection, msgspec.structs.replace(self.caller, key=key), request, self._count)
        inner.values["within"] = turn
        inner._is_open, inner._entry = True, self._entry
        own: list[StatementCall] = [(SAVEPOINT, {}), *([(ENTER, {"scope": request.scope})] if enter else [])]
        inner._pending, self._pending = [*self._pending, *own], []
        return inner


class Steps:
    """The statements of one transaction in order: `fetch` for each, `commit` for the last."""

    def __init__(self, tx: Transaction, begin: Sql, *, is_nested: bool) -> None:
        self._tx, self._is_nested = tx, is_nested
        if not is_nested:
            tx._is_open, tx._pending = True, [(begin, {}), *tx._sign_in]

    async def fetch(self, *statements: Sql, **values: Any) -> str | None:
        """Run statements in one round trip; return the first column of the last one's row."""
        return (await self.fetch_all(*statements, **values))[-1]

    async def fetch_all(self, *statements: Sql, **values: Any) -> list[str | None]:
        """Run statements in one round trip; return the first column of each one's row."""
        return await self.fetch_calls([(sql, values) for sql in statements])

    async def fetch_calls(self, calls: Sequence[StatementCall]) -> list[str | None]:
        """As `fetch_all`, for statements with values of their own."""
        return await self._tx._fetch(calls)

    async def commit(self, *statements: Sql, **values: Any) -> str | None:
        """Run the last statements and commit, in one round trip."""
        return (await self.commit_calls([(sql, values) for sql in statements]))[-1]

    async def commit_calls(self, calls: Sequence[StatementCall]) -> list[str | None]:
        """As `commit`, for statements with values of their own. Within another transaction nothing is committed yet."""
        tx = self._tx
        if self._is_nested:
            return await tx._fetch(calls)
        pending = tx._pending
        texts = await tx._send([*pending, *calls, (COMMIT, {})])
        tx._is_open, tx._pending = False, list(tx._sign_in)
        return texts[len(pending) : -1]

    def discard(self, inner: Transaction) -> None:
        """Take back all that the refused `inner` transaction did, with the next statement."""
        if inner._pending:  # Nothing was sent, not even the savepoint.
            self._tx._pending = inner._pending[: inner._pending.index((SAVEPOINT, {}))]
        else:
            self._tx._pending = [(ROLLBACK_INNER, {})]

    async def close(self, end: Sql) -> None:
        """Send COMMIT or ROLLBACK, unless `commit` has committed or nothing has been sent."""
        tx = self._tx
        if self._is_nested or not tx._is_open:
            return
        tx._is_open, tx._pending = False, list(tx._sign_in)
        await tx.end(end)

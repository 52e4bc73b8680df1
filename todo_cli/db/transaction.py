"""Connections and the one transaction of a request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import psycopg
from psycopg import AsyncRawCursor
from psycopg.pq import TransactionStatus

from todo_cli.contract.base import Caller, Request
from todo_cli.db.errors import translate_error, was_lost
from todo_cli.db.pipeline import Connection, run
from todo_cli.db.schema_version import SCHEMA_VERSION
from todo_cli.db.sql import Sql, StatementCall
from todo_cli.errors import TodoError

# psycopg warns of every refusal in a pipeline; we raise it
logging.getLogger("psycopg").setLevel(logging.ERROR)

ENTER = Sql(
    "SELECT todo.enter(%(schema)s::int, %(token)s, %(me)s::uuid, %(space)s::uuid, %(scope)s, %(write)s::boolean, %(way)s)"
)
Aside = Callable[[list[Sql], dict[str, Any], bool], Awaitable[str | None]]

BEGIN, COMMIT, ROLLBACK = Sql("BEGIN"), Sql("COMMIT"), Sql("ROLLBACK")
SAVEPOINT, TAKE_BACK = Sql("SAVEPOINT before_inner"), Sql("ROLLBACK TO SAVEPOINT before_inner")


class ConnectionLost(TodoError):
    """The connection went away: unknown whether the request acted; send it again with the same key."""

    code, status, exit_code = "unavailable", 503, 7
    default_hint = "try again in a moment"


async def connect(url: str, patience: int = 10) -> Connection:
    """A connection whose statements up to a Sync are one implicit transaction; raises our errors."""
    try:
        return await Connection.connect(
            url, autocommit=True, connect_timeout=patience, application_name="todo", cursor_factory=AsyncRawCursor
        )
    except psycopg.Error as error:
        raise translate_error(error) from error


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """At most so long; raises TimeoutError. Ended at once, psycopg would wait ten seconds more for a database that hangs."""
    # the first end lets it cancel the statement and keep the connection, the second gives both up
    async with asyncio.timeout(seconds + 1), asyncio.timeout(seconds):
        yield


class Transaction:
    """One request's transaction. Values `space`, `me`, `key` and `zone` are given to every statement.

    `answer` is the common way: sign-in and rule in one pipeline, which Postgres runs as one implicit
    transaction and one round trip. A rule that must look before it writes uses `steps`; one that handles another
    Request within its own transaction gives it an `inner` one. What goes before is sent with the next statement.
    """

    def __init__(self, connection: Connection, caller: Caller, request: type[Request[Any]]) -> None:
        me = caller.user_id
        self._connection = connection
        self._open = False
        self._before: list[Sql] = [ENTER]
        self.aside: Aside | None = None
        self.caller = caller
        self.values: dict[str, Any] = {
            "schema": SCHEMA_VERSION,
            "token": caller.token.reveal(),
            "me": me,
            "space": me if request.personal or not caller.space else caller.space,
            "scope": request.scope,
            "write": request.write,
            "way": caller.way,
            "key": caller.key,
            "within": None,
        }

    async def answer(self, *statements: Sql, **values: Any) -> str | None:
        """The rule in one statement: its one value as text, None when it has no row.

        What stands before it goes in the same round trip: what that locks, the last one sees as it then is.
        """
        return await self._asked(statements, values, looks=False)

    async def look(self, *statements: Sql, **values: Any) -> str | None:
        """As `answer`, where more follows that depends on it."""
        return await self._asked(statements, values, looks=True)

    async def _asked(self, statements: tuple[Sql, ...], values: dict[str, Any], *, looks: bool) -> str | None:
        all_of_it = [*self._taken(), *statements]
        if self.aside:
            return await self.aside(all_of_it, self.values | values, looks)
        return await self._run(all_of_it, values)

    def _taken(self) -> list[Sql]:
        before = self._before
        if self._open:
            self._before = []
        return before

    def in_zone(self, zone: str) -> None:
        """Where the caller has named no time zone, this is it: none of its rules asks for one any more."""
        if not self.caller.zone:
            self.caller = msgspec.structs.replace(self.caller, zone=zone)

    @asynccontextmanager
    async def steps(self) -> AsyncIterator[Steps]:
        """Several statements in one transaction; each costs a round trip, the last commits with it."""
        steps = Steps(self, nested=self._open)
        try:
            yield steps
        except BaseException:
            await steps.leave(ROLLBACK)
            raise
        await steps.leave(COMMIT)

    def inner(
        self, request: type[Request[Any]], key: str | None, *, enter: bool = False, within: str | None = None
    ) -> Transaction:
        """A transaction within the open one, behind a savepoint, for another Request; `enter` checks its scope anew.

        What it changes is journaled as done `within` that turn, and can be undone with all else of it.
        """
        made = Transaction(self._connection, msgspec.structs.replace(self.caller, key=key), request)
        made.values["within"] = within
        made._open = True
        made._before = [*self._before, SAVEPOINT, *([ENTER] if enter else [])]
        self._before = []
        return made

    async def _run_calls(self, calls: Sequence[StatementCall]) -> list[str | None]:
        try:
            rows = await run(self._connection, [(sql, sql.values(self.values | values)) for sql, values in calls])
        except psycopg.Error as error:
            raise told(error) from error
        return [None if row is None else row[0] for row in rows]

    async def _run(self, statements: list[Sql], values: dict[str, Any]) -> str | None:
        given = self.values | values
        try:
            rows = await run(self._connection, [(sql, sql.values(given)) for sql in statements])
        except psycopg.Error as error:
            raise told(error) from error
        # what ends a transaction answers nothing
        row = rows[-2] if statements[-1] in (COMMIT, TAKE_BACK) and len(rows) > 1 else rows[-1]
        return None if row is None else row[0]


def told(error: psycopg.Error) -> TodoError:
    """What Postgres said, or Lost where it said nothing any more."""
    found = translate_error(error)
    return ConnectionLost(found.detail) if was_lost(error) else found


class Steps:
    """The statements of one transaction, in order: `run`, and for the last `finish`."""

    def __init__(self, tx: Transaction, *, nested: bool) -> None:
        self._tx, self._nested = tx, nested
        if not nested:
            tx._open, tx._before = True, [BEGIN, ENTER]

    async def run(self, *statements: Sql, **values: Any) -> str | None:
        """One statement (and what must go before it); the first signs in with it."""
        return await self._tx.look(*statements, **values)

    async def each(self, *statements: Sql, **values: Any) -> list[str | None]:
        """What each of them answers, in one round trip."""
        tx, given = self._tx, self._tx.values | values
        before = tx._taken()
        try:
            rows = await run(tx._connection, [(sql, sql.values(given)) for sql in (*before, *statements)])
        except psycopg.Error as error:
            raise told(error) from error
        return [None if row is None else row[0] for row in rows[len(before) :]]

    async def run_calls(self, calls: Sequence[StatementCall]) -> list[str | None]:
        """Run statements, each with values of its own, in one round trip; return the first column of each."""
        tx = self._tx
        if tx.aside:
            merged: dict[str, Any] = {}
            for _, values in calls:
                merged |= values
            return [await tx.aside([*tx._taken(), *(sql for sql, _ in calls)], tx.values | merged, True)]
        before: list[StatementCall] = [(sql, {}) for sql in tx._taken()]
        return (await tx._run_calls([*before, *calls]))[len(before) :]

    async def finish_calls(self, calls: Sequence[StatementCall]) -> list[str | None]:
        """Run the last statements and commit, in one round trip; return the first column of each."""
        tx = self._tx
        if tx.aside:
            merged: dict[str, Any] = {}
            for _, values in calls:
                merged |= values
            return [await tx.aside([*tx._taken(), *(sql for sql, _ in calls)], tx.values | merged, False)]
        if self._nested:
            return await self.run_calls(calls)
        before: list[StatementCall] = [(sql, {}) for sql in tx._before]
        texts = await tx._run_calls([*before, *calls, (COMMIT, {})])
        tx._open, tx._before = False, [ENTER]
        return texts[len(before) : -1]

    async def finish(self, *statements: Sql, **values: Any) -> str | None:
        """The last statement: it commits in the same round trip."""
        if self._nested:
            return await self._tx.answer(*statements, **values)
        before = self._tx._before
        answer = await self._tx._run([*before, *statements, COMMIT], values)
        self._tx._open, self._tx._before = False, [ENTER]
        return answer

    async def take_back(self, sql: Sql, **values: Any) -> str | None:
        """One last look, then undo all that the `inner` transaction did."""
        answer = await self._tx._run([*self._tx._before, sql, TAKE_BACK], values)
        self._tx._before = []
        return answer

    def give_up(self, inner: Transaction) -> None:
        """Undo all that the failed `inner` transaction did, with the next statement."""
        if inner._before:  # nothing was sent, not even the savepoint
            self._tx._before = inner._before[: inner._before.index(SAVEPOINT)]
        else:
            self._tx._before = [TAKE_BACK]

    async def leave(self, end: Sql) -> None:
        """Send COMMIT or ROLLBACK, unless `finish` has committed or nothing has been sent."""
        connection = self._tx._connection
        if self._nested or not self._tx._open:
            return
        self._tx._open, self._tx._before = False, [ENTER]
        if not connection.closed and connection.info.transaction_status != TransactionStatus.IDLE:
            await self._tx._run_calls([(end, {})])

"""The database connections of a server, shared by all requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Generic, NamedTuple, TypeVar

import psycopg
from psycopg import AsyncRawCursor
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from todo_cli.contract.base import Caller, Request
from todo_cli.contract.clock import Clock
from todo_cli.core.dispatch import handle
from todo_cli.db.pipeline import Connection
from todo_cli.db.transaction import ConnectionLost, Transaction, time_limit
from todo_cli.errors import TodoError, Unavailable
from todo_cli.server.reachability import Reachability, is_closed_by_server

R = TypeVar("R")


class TimedAnswer(NamedTuple, Generic[R]):
    """The answer to a Request, and the clock by which its dates were read."""

    value: R
    clock: Clock | None


# the pool logs every failed attempt; `readyz` and every refused request report it already
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)

CONNECTION_TIMEOUT_SECONDS = 10.0  # to wait for a free connection
OUTAGE_CHECK_SECONDS = 0.2  # to wait for a free connection before the database is looked for
MAX_WAITING_REQUESTS = 500
"""Requests of a process that may wait for a connection; further ones are refused at once."""
REQUEST_TIMEOUT_SECONDS = 35.0  # longer than the database's own statement_timeout
CHECK_TIMEOUT_SECONDS = 5.0  # for a connection to prove that it is alive
MAX_ATTEMPTS = 3


class Pool(AsyncConnectionPool[Connection]):
    """A pool that reconnects once a second while the database is away, and can check all its connections at once."""

    _renewal: asyncio.Task[None] | None = None
    _reachability: Reachability | None = None

    @asynccontextmanager
    async def lend(self, *, wait_for_database: bool) -> AsyncIterator[Connection]:
        """Lend a connection; raises Unavailable as soon as the database is known to be down, unless told to wait."""
        take = self.getconn if wait_for_database else self._take_unless_down
        connection = await take()
        if is_closed_by_server(connection):
            await connection.close()
            await self.putconn(connection)
            await self.renew()
            connection = await take()
        try:
            yield connection
        finally:
            await self.putconn(connection)  # which rolls back what an error has left open

    async def _take_unless_down(self) -> Connection:
        reachability = self._reachability = self._reachability or Reachability(str(self.conninfo))
        if reachability.is_known_down:
            raise database_down()
        try:
            return await self.getconn(min(OUTAGE_CHECK_SECONDS, self.timeout))
        except PoolTimeout:
            if await reachability.is_down():
                raise database_down() from None
        return await self.getconn()

    async def renew(self) -> None:
        """Check all connections and replace the dead ones. Concurrent calls share one check."""
        if self._renewal is None or self._renewal.done():
            # a task of its own: a `check` that is cancelled with a request would lose its connections
            self._renewal = asyncio.create_task(self.check())
        await asyncio.shield(self._renewal)

    @staticmethod
    async def check_connection(conn: Connection) -> None:
        """Check a connection within a time limit; raises for a dead one."""
        async with time_limit(CHECK_TIMEOUT_SECONDS):
            await AsyncConnectionPool.check_connection(conn)


async def _reconnect(pool: AsyncConnectionPool[Any]) -> None:
    # the pool's own pause doubles with every failure, up to minutes after the database is back
    await pool.check()


def open_pool(url: str, size: int) -> Pool:
    """Return a pool that is not open yet. It does not check connections before use: that would cost a round trip."""
    return Pool(
        url,
        connection_class=Connection,
        min_size=1,
        max_size=size,
        open=False,
        timeout=CONNECTION_TIMEOUT_SECONDS,
        max_waiting=MAX_WAITING_REQUESTS,
        reconnect_timeout=2,
        reconnect_failed=_reconnect,
        kwargs={
            "autocommit": True,
            "cursor_factory": AsyncRawCursor,
            "prepare_threshold": None,  # as in `connect`
            "application_name": "todo serve",
            "connect_timeout": int(CONNECTION_TIMEOUT_SECONDS),
        },
    )


def database_down() -> Unavailable:
    """Return the error for a database that accepts no connection."""
    return Unavailable("the server's database is unreachable", hint="try again in a moment")


async def answer(pool: Pool, caller: Caller, request: Request[R]) -> TimedAnswer[R]:
    """Answer a Request on a pooled connection. If the connection is lost, repeat the Request with its key.

    A repeated Request waits for the database, since it may have acted. Any other is refused while the database is down.
    """
    try:
        async with time_limit(REQUEST_TIMEOUT_SECONDS):
            for attempt in range(1, MAX_ATTEMPTS + 1):
                try:
                    async with pool.lend(wait_for_database=attempt > 1) as connection:
                        return await _handle(Transaction(connection, caller, type(request)), request)
                except ConnectionLost as error:
                    if attempt == MAX_ATTEMPTS:
                        raise Unavailable(error.detail, uncertain=True) from error
                    await pool.renew()
        raise AssertionError("the last attempt returns or raises")
    except (PoolTimeout, TooManyRequests):
        raise Unavailable("the server has no database connection free", hint="try again in a moment") from None
    except TimeoutError:
        raise Unavailable("the database took too long", hint="try again in a moment", uncertain=True) from None
    except psycopg.Error as error:
        raise Unavailable("the connection to the database was lost", hint="try again in a moment") from error


async def _handle(tx: Transaction, request: Request[R]) -> TimedAnswer[R]:
    try:
        return TimedAnswer(await handle(tx, request), tx.clock)
    except TodoError as error:
        error.is_counted = tx.has_committed
        raise

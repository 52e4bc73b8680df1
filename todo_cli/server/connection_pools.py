"""The database connections of a process: a bounded pool, or a new connection for each request."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from todo_cli.db.connection_settings import connection_settings
from todo_cli.db.pipeline import Connection, connect, time_limit
from todo_cli.db.prepared_statements import Preparation
from todo_cli.errors import Unavailable
from todo_cli.server.reachability import Reachability, is_closed_by_server

# the pool logs every failed attempt; `readyz` and every refused request report it already
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)

CONNECTION_TIMEOUT_SECONDS = 10.0  # to wait for a free connection
OUTAGE_CHECK_SECONDS = 0.2  # to wait for a free connection before the database is looked for
MAX_WAITING_REQUESTS = 500
"""Requests of a process that may wait for a connection; further ones are refused at once."""
CHECK_TIMEOUT_SECONDS = 5.0  # for a connection to prove that it is alive
RECONNECT_PAUSE_SECONDS = 0.2
MAX_CONNECTIONS_WITHOUT_POOL = 10
APPLICATION = "todo serve"


class Pool(ABC):
    """Lends a database connection to one request at a time. `size` is the largest number of open connections."""

    size: int

    @abstractmethod
    async def open(self) -> None:
        """Start to connect in the background. Without this call the first request connects."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connections that are not lent."""

    @abstractmethod
    def lend(self, *, wait_for_database: bool) -> AbstractAsyncContextManager[Connection]:
        """Lend a connection; raises Unavailable as soon as the database is known to be down, unless told to wait."""

    @abstractmethod
    async def renew(self) -> None:
        """Replace the connections that are dead."""


class SharedPool(Pool):
    """A pool of connections. It reconnects once a second while the database is away.

    It opens no connection and sends nothing while no request runs, so that a database may sleep.
    """

    def __init__(self, url: str, size: int, preparation: Preparation) -> None:
        self.size = size
        self._reachability = Reachability(url)
        self._renewal: asyncio.Task[None] | None = None

        async def configure(connection: Connection) -> None:
            connection.preparation = preparation

        # It does not check connections before use: that would cost a round trip.
        self._pool = _PsycopgPool(
            url,
            connection_class=Connection,
            min_size=1,
            max_size=size,
            open=False,
            timeout=CONNECTION_TIMEOUT_SECONDS,
            max_waiting=MAX_WAITING_REQUESTS,
            configure=configure,
            reconnect_timeout=2,
            reconnect_failed=_reconnect,
            kwargs=connection_settings(url, APPLICATION),
        )

    async def open(self) -> None:
        """Start to connect in the background."""
        await self._pool.open()

    async def close(self) -> None:
        """Close the connections; those that are lent are closed when they are returned."""
        await self._pool.close(timeout=5)

    @asynccontextmanager
    async def lend(self, *, wait_for_database: bool) -> AsyncIterator[Connection]:
        """Lend a connection, as `Pool.lend`."""
        if self._pool.closed:
            await self._pool.open()
        take = self._pool.getconn if wait_for_database else self._take_unless_down
        try:
            connection = await take()
            if is_closed_by_server(connection):
                await connection.close()
                await self._pool.putconn(connection)
                await self.renew()
                connection = await take()
        except (PoolTimeout, TooManyRequests):
            raise no_connection_free() from None
        try:
            yield connection
        finally:
            await self._pool.putconn(connection)

    async def _take_unless_down(self) -> Connection:
        if self._reachability.is_known_down:
            raise database_down()
        try:
            return await self._pool.getconn(min(OUTAGE_CHECK_SECONDS, self._pool.timeout))
        except PoolTimeout:
            if await self._reachability.is_down():
                raise database_down() from None
        return await self._pool.getconn()

    async def renew(self) -> None:
        """Check all connections and replace the dead ones. Concurrent calls share one check."""
        if self._renewal is None or self._renewal.done():
            # a task of its own: a `check` that is cancelled with a request would lose its connections
            self._renewal = asyncio.create_task(self._pool.check())
        await asyncio.shield(self._renewal)


class _PsycopgPool(AsyncConnectionPool[Connection]):
    @staticmethod
    async def check_connection(conn: Connection) -> None:
        """Check a connection within a time limit; raises for one that is dead or leads to a standby."""
        async with time_limit(CHECK_TIMEOUT_SECONDS):
            row = await (await conn.execute("SHOW transaction_read_only")).fetchone()
        if row is None or row[0] != "off":
            await conn.close()
            raise psycopg.OperationalError("the connection leads to a database that only reads")


async def _reconnect(pool: AsyncConnectionPool[Any]) -> None:
    # the pool's own pause doubles with every failure, up to minutes after the database is back
    await pool.check()


class ConnectionPerRequest(Pool):
    """Connect for each request and close afterwards: for processes that live for one request, behind a pooler."""

    def __init__(self, url: str, preparation: Preparation) -> None:
        self.size = MAX_CONNECTIONS_WITHOUT_POOL
        self._url, self._preparation = url, preparation
        self._free = asyncio.Semaphore(self.size)

    async def open(self) -> None:
        """Do nothing: each request connects."""

    async def close(self) -> None:
        """Do nothing: each request closes its connection."""

    @asynccontextmanager
    async def lend(self, *, wait_for_database: bool) -> AsyncIterator[Connection]:
        """Lend a new connection, as `Pool.lend`."""
        try:
            async with asyncio.timeout(CONNECTION_TIMEOUT_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise no_connection_free() from None
        try:
            async with await self._connect(wait_for_database=wait_for_database) as connection:
                yield connection
        finally:
            self._free.release()

    async def _connect(self, *, wait_for_database: bool) -> Connection:
        while True:
            try:
                return await connect(self._url, self._preparation, APPLICATION)
            except Unavailable as error:
                if not wait_for_database:
                    raise database_down() from error
            await asyncio.sleep(RECONNECT_PAUSE_SECONDS)

    async def renew(self) -> None:
        """Do nothing: the next request connects anew."""


def open_pool(url: str, size: int, *, prepare: bool = True) -> Pool:
    """Return the connections of a process, none of them open yet. Size 0 means a connection for each request."""
    preparation = Preparation(is_on=prepare)
    return SharedPool(url, size, preparation) if size else ConnectionPerRequest(url, preparation)


def database_down() -> Unavailable:
    """Return the error for a database that accepts no connection."""
    return Unavailable("the server's database is unreachable", hint="try again in a moment")


def no_connection_free() -> Unavailable:
    """Return the error for a process whose connections are all in use."""
    return Unavailable("the server has no database connection free", hint="try again in a moment")

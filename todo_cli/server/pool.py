"""A server's connections: shared by its requests, none of them kept for a caller."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncRawCursor
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from todo_cli.contract.base import Caller, Request
from todo_cli.core.dispatch import handle
from todo_cli.db.pipeline import Connection
from todo_cli.db.transaction import ConnectionLost, Transaction, time_limit
from todo_cli.errors import Unavailable

R = TypeVar("R")

# a pool that cannot connect says so once a try; `readyz` and every refused request say it too
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)

WAIT = 10.0  # seconds for a free connection
PATIENCE = 35.0  # seconds for a whole request: longer than the database's own statement_timeout
CHECK = 5.0  # seconds for a connection to show that it lives
TRIES = 3


class Pool(AsyncConnectionPool[Connection]):
    """A pool that goes on trying once a second while the database is away, and can look after all it holds at once."""

    _renewal: asyncio.Task[None] | None = None

    async def renew(self) -> None:
        """After one connection was lost the others are likely as dead: replace those that are, once for all who ask."""
        if self._renewal is None or self._renewal.done():
            # a task of its own: `check`, cancelled with a request, would lose the connections that it holds
            self._renewal = asyncio.create_task(self.check())
        await asyncio.shield(self._renewal)

    @staticmethod
    async def check_connection(conn: Connection) -> None:
        """As psycopg's, with a bound; raises for one that does not live."""
        async with time_limit(CHECK):
            await AsyncConnectionPool.check_connection(conn)


async def _try_again(pool: AsyncConnectionPool[Any]) -> None:
    # by itself the pool waits twice as long after every failure, up to minutes after the database is back
    await pool.check()


def open_pool(url: str, size: int) -> Pool:
    """A pool that is not yet open. No check before use: it would be a second round trip; a lost one is retried."""
    return Pool(
        url,
        connection_class=Connection,
        min_size=1,
        max_size=size,
        open=False,
        timeout=WAIT,
        reconnect_timeout=2,
        reconnect_failed=_try_again,
        kwargs={
            "autocommit": True,
            "cursor_factory": AsyncRawCursor,
            "application_name": "todo serve",
            "connect_timeout": int(WAIT),
        },
    )


async def answer(pool: Pool, caller: Caller, request: Request[R]) -> R:
    """One request on a pooled connection; repeated with its key when the connection was lost."""
    try:
        async with time_limit(PATIENCE):
            for attempt in range(TRIES):
                try:
                    async with pool.connection() as connection:
                        return await handle(Transaction(connection, caller, type(request)), request)
                except ConnectionLost as error:
                    if attempt == TRIES - 1:
                        raise Unavailable(error.detail, uncertain=True) from error
                    await pool.renew()
        raise AssertionError("the last try returns or raises")
    except PoolTimeout:
        raise Unavailable("the server has no database connection free", hint="try again in a moment") from None
    except TimeoutError:
        raise Unavailable("the database took too long", hint="try again in a moment", uncertain=True) from None
    except psycopg.Error as error:
        raise Unavailable("the connection to the database was lost", hint="try again in a moment") from error

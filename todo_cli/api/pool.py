"""A server's connections: shared by its requests, none of them kept for a caller."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection, AsyncRawCursor
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from todo_cli.contract.base import Caller, Request
from todo_cli.core.handlers import handle
from todo_cli.db.connect import Lost, Tx
from todo_cli.errors import Unavailable

R = TypeVar("R")

# a pool that cannot connect says so once a try; `readyz` and every refused request say it too
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)

WAIT = 10.0  # seconds for a free connection
PATIENCE = 35.0  # seconds for a whole request: longer than the database's own statement_timeout
TRIES = 3


def open_pool(url: str, size: int) -> AsyncConnectionPool[AsyncConnection[Any]]:
    """A pool that is not yet open. No check before use: it would be a second round trip; a lost one is retried."""
    return AsyncConnectionPool(
        url,
        min_size=1,
        max_size=size,
        open=False,
        timeout=WAIT,
        kwargs={"autocommit": True, "cursor_factory": AsyncRawCursor, "application_name": "todo serve"},
    )


async def answer(pool: AsyncConnectionPool[AsyncConnection[Any]], caller: Caller, request: Request[R]) -> R:
    """One request on a pooled connection; repeated with its key when the connection was lost."""
    try:
        async with asyncio.timeout(PATIENCE):
            for attempt in range(TRIES):
                try:
                    async with pool.connection() as connection:
                        return await handle(Tx(connection, caller, type(request)), request)
                except Lost as error:
                    if attempt == TRIES - 1:
                        raise Unavailable(error.detail) from error
                    # the others are likely as dead: look at all of them once
                    await pool.check()
        raise AssertionError("the last try returns or raises")
    except PoolTimeout:
        raise Unavailable("the server has no database connection free", hint="try again in a moment") from None
    except TimeoutError:
        raise Unavailable("the database took too long", hint="try again in a moment") from None
    except psycopg.Error as error:
        raise Unavailable("the connection to the database was lost", hint="try again in a moment") from error

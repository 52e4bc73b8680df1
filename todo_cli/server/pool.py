"""Answer Requests on the database connections of a server, and repeat them where that is safe."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Generic, NamedTuple, TypeVar

import psycopg

from todo_cli.contract.base import Caller, Request
from todo_cli.contract.clock import Clock
from todo_cli.contract.display import DisplayPreferences
from todo_cli.core.dispatch import handle
from todo_cli.db.errors import ConnectionLost, RolledBack
from todo_cli.db.pipeline import time_limit
from todo_cli.db.rate_limit import RequestCount
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Unavailable
from todo_cli.server.connection_pools import Pool

R = TypeVar("R")

REQUEST_TIMEOUT_SECONDS = 35.0  # longer than the database's own statement_timeout
MAX_ATTEMPTS = 3
REPEAT_PAUSE_SECONDS = 0.05
"""After a deadlock, times the number of the attempt."""


class TimedAnswer(NamedTuple, Generic[R]):
    """The answer to a Request, the clock by which its dates were read, and the preferences by which it is shown.

    An answer that follows from a version of the space (`Request.is_versioned`) comes with it.
    """

    value: R
    clock: Clock | None
    display: DisplayPreferences
    version: str | None = None


async def answer(pool: Pool, caller: Caller, request: Request[R], count: RequestCount | None = None) -> TimedAnswer[R]:
    """Answer a Request on a pooled connection. If the connection is lost, repeat the Request with its key.

    A repeated Request waits for the database, since it may have acted. Any other is refused while the database is down.
    """

    async def work(tx: Transaction) -> TimedAnswer[R]:
        value = await handle(tx, request)
        version = tx.version if request.is_versioned else None
        return TimedAnswer(value, tx.clock, tx.preferences.display, version)

    return await _run(pool, caller, type(request), count, work)


async def read_version(
    pool: Pool, caller: Caller, request: Request[Any], count: RequestCount | None = None
) -> TimedAnswer[None]:
    """Sign in for a versioned Request, and return the version from which its answer would follow."""

    async def work(tx: Transaction) -> TimedAnswer[None]:
        tx.values["verb"] = "ReadVersion"  # the Request itself counts in the limit of a token
        clock = await tx.read_clock(with_week=True)
        return TimedAnswer(None, clock, tx.preferences.display, tx.version)

    return await _run(pool, caller, type(request), count, work)


async def _run(
    pool: Pool,
    caller: Caller,
    kind: type[Request[Any]],
    count: RequestCount | None,
    work: Callable[[Transaction], Awaitable[TimedAnswer[R]]],
) -> TimedAnswer[R]:
    """Do the work of a Request in a transaction. If the connection is lost, do it again.

    A repeated Request waits for the database, since it may have acted. Any other is refused while the database is down.
    """
    deadline = time.monotonic() + REQUEST_TIMEOUT_SECONDS
    try:
        async with time_limit(REQUEST_TIMEOUT_SECONDS):
            for attempt in range(1, MAX_ATTEMPTS + 1):
                try:
                    async with pool.lend(wait_for_database=attempt > 1) as connection:
                        left = deadline - time.monotonic()
                        return await work(Transaction(connection, caller, kind, count, seconds_left=left))
                except RolledBack:
                    if attempt == MAX_ATTEMPTS:
                        raise
                    await asyncio.sleep(REPEAT_PAUSE_SECONDS * attempt)
                except ConnectionLost as error:
                    if attempt == MAX_ATTEMPTS:
                        raise Unavailable(error.detail, uncertain=True) from error
                    await pool.renew()
        raise AssertionError("the last attempt returns or raises")
    except TimeoutError:
        raise Unavailable("the database took too long", hint="try again in a moment", uncertain=True) from None
    except psycopg.Error as error:
        raise Unavailable("the connection to the database was lost", hint="try again in a moment") from error

"""Refused sign-ins: counted apart from requests, by account and address, and answered 429 when there are many.

A good token is never refused for somebody else's failures: only what failed anyway is told to slow down.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from todo_cli.contract.base import Caller
from todo_cli.errors import NotSignedIn, TodoError, TooMany

FAILURES = 30  # a minute, for one account from one address

COUNT = "SELECT todo.count_failure($1::uuid, $2)"


async def refused(pool: AsyncConnectionPool[Any], caller: Caller, error: NotSignedIn) -> TodoError:
    """The error itself, or TooMany."""
    try:
        async with pool.connection() as connection:
            row = await (
                await connection.execute(COUNT, [caller.user_id, caller.address or ""], prepare=False)
            ).fetchone()
    except (psycopg.Error, PoolTimeout):
        return error
    if row is not None and row[0] > FAILURES:
        return TooMany("too many failed sign-ins", hint="check the token, then wait a minute", retry_after=60)
    return error

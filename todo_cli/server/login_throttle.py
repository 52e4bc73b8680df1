"""Limit failed sign-ins by account and address: after many failures the error is 429.

A valid token is never limited by other clients' failures.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from todo_cli.contract.base import Caller
from todo_cli.errors import NotSignedIn, TodoError, TooMany

MAX_FAILURES_PER_MINUTE = 30  # for one account from one address

COUNT = "SELECT todo.count_failure($1::uuid, $2)"


async def count_failed_sign_in(pool: AsyncConnectionPool[Any], caller: Caller, error: NotSignedIn) -> TodoError:
    """Count a failed sign-in and return the error to send: the given one, or TooMany."""
    try:
        async with pool.connection() as connection:
            row = await (
                await connection.execute(COUNT, [caller.user_id, caller.address or ""], prepare=False)
            ).fetchone()
    except (psycopg.Error, PoolTimeout):
        return error
    if row is not None and row[0] > MAX_FAILURES_PER_MINUTE:
        return TooMany("too many failed sign-ins", hint="check the token, then wait a minute", retry_after=60)
    return error

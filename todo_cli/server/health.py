"""Is the process up, and can it work?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import psycopg
from psycopg_pool import PoolTimeout
from starlette.requests import Request
from starlette.responses import JSONResponse

from todo_cli import __version__
from todo_cli.db.schema_version import SCHEMA_VERSION
from todo_cli.db.transaction import time_limit
from todo_cli.server.pool import Pool


async def healthz(request: Request) -> JSONResponse:
    """200 as long as the process answers."""
    return JSONResponse({"status": "ok", "version": __version__})


def readyz(pool: Pool) -> Callable[[Request], Awaitable[JSONResponse]]:
    """200 when the database is there and its schema fits, else 503 and why."""

    async def ready(request: Request) -> JSONResponse:
        reason = await _reason(pool)
        body = {"status": "ready" if reason is None else "not ready"} | ({"reason": reason} if reason else {})
        return JSONResponse(body, status_code=200 if reason is None else 503)

    return ready


async def _reason(pool: Pool) -> str | None:
    try:
        async with time_limit(4):
            found = await _versions(pool)
    except psycopg.errors.UndefinedTable:
        return "the database is not set up: todo db migrate"
    except (psycopg.Error, PoolTimeout, TimeoutError):
        return "the database cannot be reached"
    if found is None:
        return "the database is not set up: todo db migrate"
    version, oldest = found
    if not oldest <= SCHEMA_VERSION <= version:
        return f"this server speaks schema {SCHEMA_VERSION}, the database has {version} and serves {oldest} and newer"
    return None


async def _versions(pool: Pool) -> tuple[int, int] | None:
    try:
        return await _asked(pool)
    except PoolTimeout:
        raise
    except psycopg.OperationalError:  # a connection that died since it was last used is no verdict on the database
        await pool.renew()
        return await _asked(pool)


async def _asked(pool: Pool) -> tuple[int, int] | None:
    async with pool.connection(timeout=2) as connection:
        return await (await connection.execute("SELECT version, oldest FROM todo.schema")).fetchone()

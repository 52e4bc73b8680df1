"""Is the process up, and can it work?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from starlette.requests import Request
from starlette.responses import JSONResponse

from todo_cli import __version__
from todo_cli.db.gate import SCHEMA_VERSION


async def healthz(request: Request) -> JSONResponse:
    """200 as long as the process answers."""
    return JSONResponse({"status": "ok", "version": __version__})


def readyz(pool: AsyncConnectionPool[Any]) -> Callable[[Request], Awaitable[JSONResponse]]:
    """200 when the database is there and its schema fits, else 503 and why."""

    async def ready(request: Request) -> JSONResponse:
        reason = await _reason(pool)
        body = {"status": "ready" if reason is None else "not ready"} | ({"reason": reason} if reason else {})
        return JSONResponse(body, status_code=200 if reason is None else 503)

    return ready


async def _reason(pool: AsyncConnectionPool[Any]) -> str | None:
    try:
        async with asyncio.timeout(3), pool.connection(timeout=2) as connection:
            row = await (await connection.execute("SELECT version, oldest FROM todo.schema")).fetchone()
    except psycopg.errors.UndefinedTable:
        return "the database is not set up: todo db migrate"
    except (psycopg.Error, PoolTimeout, TimeoutError):
        return "the database cannot be reached"
    if row is None or not row[1] <= SCHEMA_VERSION <= row[0]:
        return f"this server speaks schema {SCHEMA_VERSION}, the database {row}"
    return None

"""Health checks: `/healthz` for the process, `/readyz` for the process and its database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import psycopg
from starlette.requests import Request
from starlette.responses import JSONResponse

from todo_cli import __version__
from todo_cli.db.pipeline import time_limit
from todo_cli.db.schema_version import SCHEMA_VERSION
from todo_cli.errors import Unavailable
from todo_cli.server.connection_pools import Pool

READY_TIMEOUT_SECONDS = 4


async def healthz(request: Request) -> JSONResponse:
    """Return 200 as long as the process answers."""
    return JSONResponse({"status": "ok", "version": __version__})


def readyz(pool: Pool) -> Callable[[Request], Awaitable[JSONResponse]]:
    """Return the endpoint that answers 200 if the database is usable, else 503 with the reason."""

    async def ready(request: Request) -> JSONResponse:
        reason = await _find_fault(pool)
        body = {"status": "ready" if reason is None else "not ready"} | ({"reason": reason} if reason else {})
        return JSONResponse(body, status_code=200 if reason is None else 503)

    return ready


async def _find_fault(pool: Pool) -> str | None:
    try:
        async with time_limit(READY_TIMEOUT_SECONDS):
            versions = await _read_versions(pool)
    except psycopg.errors.UndefinedTable:
        return "the database is not set up, run: todo db migrate"
    except (psycopg.Error, Unavailable, TimeoutError):
        return "the database cannot be reached"
    if versions is None:
        return "the database is not set up, run: todo db migrate"
    version, oldest = versions
    if not oldest <= SCHEMA_VERSION <= version:
        return f"this server needs schema {SCHEMA_VERSION}, the database has {version} and supports {oldest} and newer"
    return None


async def _read_versions(pool: Pool) -> tuple[int, int] | None:
    try:
        return await _query_versions(pool)
    except psycopg.OperationalError:  # one dead connection does not mean that the database is down
        await pool.renew()
        return await _query_versions(pool)


async def _query_versions(pool: Pool) -> tuple[int, int] | None:
    async with pool.lend(wait_for_database=False) as connection:
        return await (await connection.execute("SELECT version, oldest FROM todo.schema")).fetchone()

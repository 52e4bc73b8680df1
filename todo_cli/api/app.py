"""The server: a route per Request. It holds connections, never state: any instance answers any request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from todo_cli.api.access_log import AccessLog
from todo_cli.api.endpoint import Endpoint
from todo_cli.api.health import healthz, readyz
from todo_cli.api.openapi import openapi
from todo_cli.api.pool import open_pool
from todo_cli.config import Settings, load
from todo_cli.contract.base import method_and_path
from todo_cli.contract.registry import REQUESTS
from todo_cli.errors import Unavailable


def routes(pool: AsyncConnectionPool) -> list[Route]:
    """Every Request's route, the fixed paths before those with a part in braces, and the hand-written ones."""
    public = [request for request in REQUESTS if request.route]
    ordered = sorted(public, key=lambda request: "{" in method_and_path(request)[1])
    made = [
        Route(path, Endpoint(request, pool), methods=[method])
        for request in ordered
        for method, path in [method_and_path(request)]
    ]
    return [*made, Route("/healthz", healthz), Route("/readyz", readyz(pool)), Route("/openapi.json", openapi)]


def create_app(settings: Settings | None = None) -> ASGIApp:
    """The whole server; the settings come from the environment when uvicorn's workers call it."""
    settings = settings or load()
    url = settings.serve_database_url
    if url is None:
        raise Unavailable("no database for the server", hint="set TODO_SERVER_DATABASE_URL to the login todo_server")
    pool = open_pool(url.reveal(), settings.serve_pool_size)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        # connections are made in the background: a server starts, and says so, before its database
        await pool.open()
        try:
            yield
        finally:
            await asyncio.shield(pool.close(timeout=5))

    return AccessLog(Starlette(routes=routes(pool), lifespan=lifespan))

"""The server: a route per Request. It holds connections, never state: any instance answers any request."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.routing import Route, Router, request_response
from starlette.types import ASGIApp, Receive, Scope, Send

from todo_cli.contract.base import method_and_path
from todo_cli.contract.registry import REQUESTS
from todo_cli.core.dispatch import import_handlers
from todo_cli.errors import Invalid, NotFound, Unavailable
from todo_cli.server.access_log import AccessLog
from todo_cli.server.endpoint import Endpoint, problem
from todo_cli.server.health import healthz, readyz
from todo_cli.server.mcp_http import McpRoute
from todo_cli.server.model_list import ModelRoute
from todo_cli.server.openapi import openapi
from todo_cli.server.pool import Pool, open_pool
from todo_cli.server.shutdown import Grace
from todo_cli.server.turn_stream import TurnRoutes
from todo_cli.settings.settings import Settings, load_settings

SETTLE = 2.0  # seconds for requests whose grace has ended to say so


class Path:
    """One path: its methods, each the route of a Request."""

    def __init__(self) -> None:
        self.methods: dict[str, ASGIApp] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The method's endpoint; OPTIONS lists the methods, and so does the refusal of one that is not there."""
        method = scope["method"]
        if endpoint := self.methods.get("GET" if method == "HEAD" else method):
            await endpoint(scope, receive, send)
            return
        allowed = {*self.methods, "OPTIONS"} | ({"HEAD"} if "GET" in self.methods else set())
        allow = (b"allow", ", ".join(sorted(allowed)).encode())
        if method == "OPTIONS":
            await send({"type": "http.response.start", "status": 204, "headers": [allow]})
            await send({"type": "http.response.body", "body": b""})
        else:
            await problem(send, Invalid(f"there is no {method[:20]} here"), scope, allow, status=405)


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await problem(send, NotFound("there is no such path on this server", hint="see: /openapi.json"), scope)


def routes(pool: Pool, turns: TurnRoutes, mcp: McpRoute, models: ModelRoute) -> list[Route]:
    """A route for every path, the fixed ones before those with a part in braces."""
    paths: defaultdict[str, Path] = defaultdict(Path)
    for request in REQUESTS:
        if request.route:
            method, path = method_and_path(request)
            # a name may have a slash in it
            paths[path.replace("name}", "name:path}")].methods[method] = Endpoint(request, pool)
    paths["/v1/turns"].methods["POST"] = turns.post
    paths["/v1/turns/{turn}/events"].methods["GET"] = turns.get
    paths["/v1/models"].methods["GET"] = models
    paths["/mcp"].methods |= dict.fromkeys(("POST", "GET", "DELETE"), mcp)
    for path, answer in {"/healthz": healthz, "/readyz": readyz(pool), "/openapi.json": openapi}.items():
        paths[path].methods["GET"] = request_response(answer)
    return [Route(path, paths[path]) for path in sorted(paths, key=lambda path: "{" in path)]


def create_app(settings: Settings | None = None) -> ASGIApp:
    """The whole server; the settings come from the environment when uvicorn's workers call it."""
    settings = settings or load_settings()
    url = settings.serve_database_url
    if url is None:
        raise Unavailable("no database for the server", hint="set TODO_SERVER_DATABASE_URL to the login todo_server")
    import_handlers()  # now, and not while the first requests wait
    pool = open_pool(url.reveal(), settings.serve_pool_size)

    grace = Grace()
    turns, mcp = TurnRoutes(pool, settings, grace), McpRoute(pool)

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        # connections are made in the background: a server starts, and says so, before its database
        await pool.open()
        grace.notice()
        try:
            yield
        finally:
            await turns.close()
            await mcp.close()
            await log.settled(SETTLE)
            await asyncio.shield(pool.close(timeout=5))

    every = routes(pool, turns, mcp, ModelRoute(pool, settings))
    log = AccessLog(Router(every, redirect_slashes=False, default=_nowhere, lifespan=lifespan))
    return log

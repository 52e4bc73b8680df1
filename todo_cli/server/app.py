"""The ASGI application: one route per Request. It keeps no state, so any server answers any request."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from starlette.routing import Route, Router, request_response
from starlette.types import ASGIApp, Receive, Scope, Send

from todo_cli.contract.base import method_and_path
from todo_cli.contract.registry import REQUESTS
from todo_cli.core.dispatch import import_handlers
from todo_cli.errors import Invalid, NotFound, Unavailable
from todo_cli.server.access_log import AccessLog
from todo_cli.server.attachment_routes import AttachmentRoutes, open_attachment_routes
from todo_cli.server.change_stream import ChangeRoutes
from todo_cli.server.connection_pools import Pool, open_pool
from todo_cli.server.endpoint import RequestEndpoint, answer_client_with_clock
from todo_cli.server.headers import read_context
from todo_cli.server.health import healthz, readyz
from todo_cli.server.mcp_http import McpRoute
from todo_cli.server.model_list import ModelRoute
from todo_cli.server.openapi import openapi
from todo_cli.server.password_routes import PasswordRoutes
from todo_cli.server.proxies import ForwardedAddress
from todo_cli.server.rate_limit import RateLimiter
from todo_cli.server.responses import send_problem
from todo_cli.server.shutdown import GracePeriod
from todo_cli.server.sign_in import SignInFirst
from todo_cli.server.turn_adoption import TurnAdoption
from todo_cli.server.turn_stream import TurnRoutes
from todo_cli.server.turn_sweep import TurnSweep
from todo_cli.server.versioned_answers import ReadEndpoint, VersionedAnswers
from todo_cli.server.worker_task import run_worker
from todo_cli.settings.settings import Settings, load_settings
from todo_cli.stores.answer_cache import AnswerCache
from todo_cli.stores.valkey_client import open_valkey

LAST_ANSWERS_SECONDS = 2.0  # for requests whose grace has ended to send their error


class PathRoutes:
    """The endpoints of one path, by HTTP method."""

    def __init__(self) -> None:
        self.methods: dict[str, ASGIApp] = {}
        self.path = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the endpoint of the method. OPTIONS and the error for an unknown method list the methods."""
        scope["state"]["route"] = self.path
        method = scope["method"]
        if endpoint := self.methods.get("GET" if method == "HEAD" else method):
            if caller := scope["state"].get("caller"):
                scope["state"]["caller"] = read_context(scope, caller)
            await endpoint(scope, receive, send)
            return
        allowed = {*self.methods, "OPTIONS"} | ({"HEAD"} if "GET" in self.methods else set())
        allow = (b"allow", ", ".join(sorted(allowed)).encode())
        if method == "OPTIONS":
            await send({"type": "http.response.start", "status": 204, "headers": [allow]})
            await send({"type": "http.response.body", "body": b""})
        else:
            await send_problem(send, Invalid(f"this path has no method {method[:20]}"), scope, allow, status=405)


class FixedPaths:
    """Looks up a path without parameters at once. The router tries its patterns one after the other."""

    def __init__(self, routes: list[Route], router: ASGIApp) -> None:
        self._endpoints = {route.path: route.app for route in routes if "{" not in route.path}
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
        endpoint = self._endpoints.get(scope["path"]) if scope["type"] == "http" else None
        await (endpoint or self._router)(scope, receive, send)


async def _raise_not_found(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        raise NotFound("this server has no such path", hint="see: /openapi.json")


def build_routes(
    reads: VersionedAnswers,
    turns: TurnRoutes,
    changes: ChangeRoutes,
    mcp: McpRoute,
    models: ModelRoute,
    passwords: PasswordRoutes,
    files: AttachmentRoutes | None = None,
) -> list[Route]:
    """Return a route for every path, fixed paths before those with a parameter."""
    pool = reads.pool
    paths: defaultdict[str, PathRoutes] = defaultdict(PathRoutes)
    answers = passwords.answers | (files.answers if files else {})
    for request in REQUESTS:
        if request.route:
            method, path = method_and_path(request)
            answer = answers.get(request) or partial(answer_client_with_clock, pool)
            is_read = method == "GET" and request not in answers
            endpoint = ReadEndpoint(request, reads) if is_read else RequestEndpoint(request, answer)
            # a name may contain a slash
            paths[path.replace("name}", "name:path}")].methods[method] = endpoint
    paths["/v1/turns"].methods["POST"] = turns.post
    paths["/v1/turns/{turn}/events"].methods["GET"] = turns.get
    paths["/v1/changes/stream"].methods["GET"] = changes.get
    paths["/v1/models"].methods["GET"] = models
    paths["/mcp"].methods["POST"] = mcp  # stateless: no stream to open with GET, no session to end with DELETE
    for path, function in {"/healthz": healthz, "/readyz": readyz(pool), "/openapi.json": openapi}.items():
        paths[path].methods["GET"] = request_response(function)
    for path, endpoints in paths.items():
        endpoints.path = path.replace(":path}", "}")
    return [Route(path, paths[path]) for path in sorted(paths, key=lambda path: "{" in path)]


def _make_versioned_answers(pool: Pool, settings: Settings) -> VersionedAnswers:
    url = settings.serve_cache_url
    return VersionedAnswers(pool, AnswerCache(open_valkey(url.reveal())) if url else None)


def _observe(app: ASGIApp, pool: Pool, settings: Settings) -> ASGIApp:
    """Return the application behind the metrics and the traces that are on."""
    if settings.serve_metrics:
        from todo_cli.server.metrics import RequestMetrics

        app = RequestMetrics(app, pool, settings.serve_metrics_token)
    if settings.serve_traces:
        from todo_cli.server.traces import RequestTraces

        app = RequestTraces(app, settings.serve_traces)
    return app


def create_app(settings: Settings | None = None) -> ASGIApp:
    """Return the application. uvicorn's workers call it without settings, which then come from the environment."""
    settings = settings or load_settings()
    url = settings.serve_database_url
    if url is None:
        raise Unavailable("no database is configured", hint="set TODO_SERVER_DATABASE_URL to the login todo_server")
    import_handlers()  # now, and not while the first requests wait
    pool = open_pool(url.reveal(), settings.serve_pool_size, prepare=settings.serve_prepare == "auto")

    grace = GracePeriod()
    turns, changes, mcp = TurnRoutes(pool, settings, grace), ChangeRoutes(pool, grace), McpRoute(pool)

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        # the pool connects in the background: a server may start before its database
        await pool.open()
        grace.watch_signals()
        sweep.start()
        worker = run_worker(settings) if settings.serve_worker else None
        try:
            yield
        finally:
            if worker:
                await worker.stop()
            await sweep.close()
            await turns.close()
            await changes.close()
            await mcp.close()
            await log.wait_until_idle(LAST_ANSWERS_SECONDS)
            await asyncio.shield(pool.close())

    passwords = PasswordRoutes(pool, settings.serve_registration)
    routes = build_routes(
        _make_versioned_answers(pool, settings),
        turns,
        changes,
        mcp,
        ModelRoute(pool, settings),
        passwords,
        open_attachment_routes(pool, settings),
    )
    router = Router(routes, redirect_slashes=False, default=_raise_not_found, lifespan=lifespan)
    limits_url = settings.serve_limits_url
    limiter = RateLimiter(pool, is_on=settings.serve_rate_limit, url=limits_url.reveal() if limits_url else None)
    sweep = TurnSweep(FixedPaths(routes, router), TurnAdoption(pool, settings, turns.runner))
    log = AccessLog(SignInFirst(sweep, pool, limiter), is_on=settings.serve_access_log)
    app = _observe(log, pool, settings)
    return ForwardedAddress(app, settings.serve_proxies) if settings.serve_proxies else app

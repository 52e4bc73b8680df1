"""Metrics in the form of Prometheus at `/metrics`: counts and times of requests, and figures of the database.

The library is imported only where metrics are on. Of several worker processes any one answers for all: they share
a directory, which `todo serve` creates anew. What the database knows is asked at each scrape.
"""

from __future__ import annotations

import os
import time
from hmac import compare_digest
from ipaddress import ip_address
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from todo_cli.contract.base import Secret
from todo_cli.contract.server_stats import ServerStats
from todo_cli.core.accounts.server_stats import read_stats_as_server
from todo_cli.db.pipeline import time_limit
from todo_cli.errors import TodoError, Unavailable
from todo_cli.server.connection_pools import Pool
from todo_cli.server.responses import send_response

PATH = "/metrics"
STATS_TIMEOUT_SECONDS = 5.0
FORWARDING_HEADERS = {b"forwarded", b"x-forwarded-for", b"x-real-ip"}
SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
NO_ROUTE = "none"

STATS_HELP = {
    "schema": "Version of the schema",
    "users": "Users that are not disabled",
    "disabled_users": "Disabled users",
    "spaces": "Spaces",
    "tokens": "Valid tokens without sessions",
    "sessions": "Valid sessions",
    "tasks": "Tasks, estimated",
    "changes": "Changes in the journal, estimated",
    "messages": "Messages of conversations, estimated",
    "running_turns": "Turns of the chat that run or wait for a process",
    "due_jobs": "Jobs that wait for a worker",
    "dead_jobs": "Jobs that were given up",
    "files": "Attached files that are verified",
    "file_bytes": "Bytes of the attached files",
    "unsettled_files": "Attached files that a sweep may have to remove",
    "table_bytes": "Bytes of all tables and indexes",
}


class Metrics:
    """The counters of this process, and the page of all processes; raises Unavailable without the library."""

    def __init__(self) -> None:
        try:
            import prometheus_client
        except ImportError:
            raise Unavailable(
                "metrics need the library prometheus_client", hint="install it with: pip install 'todo-cli[metrics]'"
            ) from None
        self._api: Any = prometheus_client
        self._registry = prometheus_client.CollectorRegistry()
        self.requests = prometheus_client.Counter(
            "todo_requests", "Requests by route and status", ("method", "route", "status"), registry=self._registry
        )
        self.seconds = prometheus_client.Histogram(
            "todo_request_seconds",
            "Time to answer a request",
            ("method", "route"),
            registry=self._registry,
            buckets=SECONDS_BUCKETS,
        )

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that has ended."""
        self.requests.labels(method, route, str(status)).inc()
        self.seconds.labels(method, route).observe(seconds)

    def format_page(self, stats: ServerStats | None) -> bytes:
        """Return the page; without the figures of the database where they could not be read."""
        registry = self._registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            from prometheus_client import multiprocess

            registry = self._api.CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library's own
        page: bytes = self._api.generate_latest(registry)
        return page + _format_stats(stats)


def _format_stats(stats: ServerStats | None) -> bytes:
    lines = [
        "# HELP todo_database_up Whether the figures of the database could be read",
        "# TYPE todo_database_up gauge",
        f"todo_database_up {int(stats is not None)}",
    ]
    for name, text in STATS_HELP.items() if stats else ():
        lines += [f"# HELP todo_{name} {text}", f"# TYPE todo_{name} gauge", f"todo_{name} {getattr(stats, name)}"]
    return "".join(f"{line}\n" for line in lines).encode()


class RequestMetrics:
    """The middleware that counts every request and answers `/metrics`, which is not counted."""

    def __init__(self, app: ASGIApp, pool: Pool, token: Secret | None) -> None:
        self._app, self._pool, self._token, self._metrics = app, pool, token, Metrics()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == PATH:
            await self._send_page(scope, send)
        else:
            await self._count(scope, receive, send)

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope.setdefault("state", {})
        started, status = time.perf_counter(), 0

        async def send_and_watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_watch)
        finally:
            # a path or a method of the client's choice would be a series of its own
            route = state.get("route", NO_ROUTE)
            method = scope["method"] if route != NO_ROUTE else NO_ROUTE
            self._metrics.count(method, route, status, time.perf_counter() - started)

    async def _send_page(self, scope: Scope, send: Send) -> None:
        if not self._may_read(scope):
            await send_response(send, 403, b"metrics need the token of server.metrics_token\n", b"text/plain")
            return
        page = self._metrics.format_page(await self._read_stats())
        await send_response(send, 200, page, b"text/plain; version=0.0.4; charset=utf-8")

    def _may_read(self, scope: Scope) -> bool:
        """Whether the client has the token; without one, whether it is on this machine and comes through no proxy."""
        headers = scope["headers"]
        if self._token is not None:
            given = next((value for name, value in headers if name == b"authorization"), b"")
            return compare_digest(given, b"Bearer " + self._token.reveal().encode())
        if any(name in FORWARDING_HEADERS for name, _ in headers):
            return False
        peer = scope.get("client")
        return peer is None or _is_loopback(peer[0])

    async def _read_stats(self) -> ServerStats | None:
        try:
            async with time_limit(STATS_TIMEOUT_SECONDS), self._pool.lend(wait_for_database=False) as connection:
                return await read_stats_as_server(connection)
        except (TodoError, TimeoutError):
            return None


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:  # a unix socket has no address
        return not address

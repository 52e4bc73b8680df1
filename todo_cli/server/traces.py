"""Traces by OpenTelemetry: a span for each request, as part of the caller's trace where it sends one.

The library is imported only where traces are on. Its own variables say where the spans go: OTEL_EXPORTER_OTLP_ENDPOINT.
"""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from todo_cli import __version__
from todo_cli.errors import Unavailable

SERVICE_NAME = "todo"


class RequestTraces:
    """The middleware that records requests; `ratio` is the part of those without a trace of their own."""

    def __init__(self, app: ASGIApp, ratio: float) -> None:
        try:
            from opentelemetry import trace
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
        except ImportError:
            raise Unavailable(
                "traces need the libraries of OpenTelemetry", hint="install them with: pip install 'todo-cli[otel]'"
            ) from None
        resource = Resource.create({"service.name": SERVICE_NAME, "service.version": __version__})
        self._app, self._api = app, trace
        self._provider = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(ratio)))
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("todo_cli.server")
        self._propagator = TraceContextTextMapPropagator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request; at the end of the process send the last spans."""
        if scope["type"] == "http":
            await self._record(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            await asyncio.to_thread(self._provider.shutdown)

    async def _record(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope.setdefault("state", {})
        status = 0

        async def send_and_watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        span = self._tracer.start_span(
            scope["method"], context=self._read_parent(scope), kind=self._api.SpanKind.SERVER
        )
        try:
            await self._app(scope, receive, send_and_watch)
        finally:
            if span.is_recording():
                self._describe(span, scope["method"], state, status)
            span.end()

    def _read_parent(self, scope: Scope) -> Any:
        names = (b"traceparent", b"tracestate")
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in names}
        return self._propagator.extract(headers) if headers else None

    def _describe(self, span: Any, method: str, state: dict[str, Any], status: int) -> None:
        """Name the span by its route. No path, name or text of a user goes into it."""
        span.set_attribute("http.request.method", method)
        span.set_attribute("http.response.status_code", status)
        span.set_attribute("todo.request_id", state.get("request_id", ""))
        if route := state.get("route"):
            span.update_name(f"{method} {route}")
            span.set_attribute("http.route", route)
        if status >= 500 or not status:
            span.set_status(self._api.Status(self._api.StatusCode.ERROR))

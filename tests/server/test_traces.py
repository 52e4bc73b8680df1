"""Traces of a real server, received by a collector of the OTLP protocol over HTTP."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.conftest import Database, Person, Server

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A collector: its address, and the bodies that it received."""
    bodies: list[bytes] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()
    thread.join()
    server.server_close()


def test_request_is_a_span_of_the_caller_s_trace(
    db: Database, person: Person, make_server: Callable[..., Server], collector: tuple[str, list[bytes]]
) -> None:
    address, bodies = collector
    server = make_server(db, env={"TODO_TRACES": "1", "OTEL_EXPORTER_OTLP_ENDPOINT": address})
    headers = {"Authorization": f"Bearer {person.token}", "traceparent": f"00-{TRACE}-{PARENT}-01"}
    urlopen(Request(server.url + "/v1/tasks?tag=secret", headers=headers), timeout=20).read()
    assert server.stop(signal.SIGTERM) == 0
    exports = [ExportTraceServiceRequest.FromString(body) for body in bodies]
    spans = [
        span
        for export in exports
        for batch in export.resource_spans
        for each in batch.scope_spans
        for span in each.spans
    ]
    (found,) = [span for span in spans if span.name == "GET /v1/tasks"]
    assert (found.trace_id.hex(), found.parent_span_id.hex()) == (TRACE, PARENT)
    values = {pair.key: pair.value.string_value or pair.value.int_value for pair in found.attributes}
    assert (values["http.route"], values["http.response.status_code"]) == ("/v1/tasks", 200)
    assert b"secret" not in b"".join(bodies)
    assert person.token.encode() not in b"".join(bodies)

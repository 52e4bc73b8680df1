"""A reverse proxy in front of a server that adds a token to each request, for clients that cannot send one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2

HOP_HEADERS = {"connection", "content-length", "host", "transfer-encoding", "keep-alive"}


@contextmanager
def open_signing_proxy(url: str, token: str) -> Iterator[str]:
    """Yield the address of a proxy in front of the server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            """Send the request on with the token, and return the answer."""
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value.strip() for name, value in self.headers.items() if name.lower() not in HOP_HEADERS}
            headers["Authorization"] = f"Bearer {token}"
            headers["Host"] = self.headers.get("Host", "")
            answer = httpx2.request(self.command, url + self.path, headers=headers, content=body, timeout=30)
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in HOP_HEADERS:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_DELETE = forward

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{proxy.server_address[1]}"
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join(10)

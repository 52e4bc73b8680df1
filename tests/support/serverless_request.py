"""Answer one HTTP request in this process, as a function of a cloud does: one process, one request, no lifespan.

    python tests/support/serverless_request.py lambda '{"method": "GET", "path": "/v1/tasks", "token": "...", "body": null}'

prints {"status", "body", "cpu_seconds", "modules"}; `asgi` instead of `lambda` calls the ASGI application.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

Response = tuple[int, str]


def call_lambda(request: dict[str, Any]) -> Response:
    """Answer the request by the handler of AWS Lambda, as an event of a function URL."""
    from todo_cli.server.lambda_handler import handler

    path, _, query = request["path"].partition("?")
    address = {"method": request["method"], "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.7"}
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": make_headers(request) | {"x-forwarded-for": "192.0.2.7"},
        "requestContext": {"http": address, "domainName": "example.org", "stage": "$default"},
        "body": json.dumps(request["body"]) if request["body"] else None,
        "isBase64Encoded": False,
    }
    answer = handler(event, None)
    assert not answer["isBase64Encoded"]
    return answer["statusCode"], answer["body"]


def call_asgi(request: dict[str, Any]) -> Response:
    """Answer the request by the ASGI application, in an event loop that ends with it."""
    from todo_cli.server.asgi import app

    path, _, query = request["path"].partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request["method"],
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "scheme": "https",
        "client": ("192.0.2.7", 1),
        "server": ("example.org", 443),
        "headers": [(name.encode(), value.encode()) for name, value in make_headers(request).items()],
    }
    body = json.dumps(request["body"]).encode() if request["body"] else b""
    sent: list[Any] = []

    async def run() -> None:
        messages = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Any:
            if message := next(messages, None):
                return message
            return await asyncio.get_running_loop().create_future()  # the client waits for its answer

        async def send(message: Any) -> None:
            sent.append(message)

        await app(scope, receive, send)

    asyncio.run(run())
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:]).decode()


def make_headers(request: dict[str, Any]) -> dict[str, str]:
    """Return the headers of a signed-in client."""
    headers = {"host": "example.org", "authorization": f"Bearer {request['token']}"}
    return headers | ({"content-type": "application/json"} if request["body"] else {})


def main() -> None:
    """Answer the request of the command line."""
    status, body = {"lambda": call_lambda, "asgi": call_asgi}[sys.argv[1]](json.loads(sys.argv[2]))
    found = {"status": status, "body": body, "cpu_seconds": time.process_time(), "modules": sorted(sys.modules)}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()

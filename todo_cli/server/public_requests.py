"""Requests that need no token: tiny bodies, few at once, and an address by which the database limits them."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address, ip_network

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from todo_cli.contract.base import Caller, Secret
from todo_cli.contract.limits import MAX_PUBLIC_BODY_BYTES
from todo_cli.errors import Unavailable
from todo_cli.server.bodies import Bodies
from todo_cli.server.headers import has_body

MAX_WAITING_REQUESTS = 100
"""Public requests that may wait for their turn; further ones are refused without the database."""
IPV6_NETWORK_BITS = 64
"""A client of IPv6 usually has as many addresses as it likes in a network of this size."""


class PublicRequests:
    """The middleware of the public paths. Few requests run at once, so that signed-in users need not wait for them."""

    def __init__(self, app: ASGIApp, bodies: Bodies, max_at_once: int) -> None:
        self._app, self._bodies = app, bodies
        self._slots, self._waiting = asyncio.Semaphore(max_at_once), 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request of a public path; raises TodoError."""
        if not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        network = name_network(scope["client"][0] if scope.get("client") else None)
        scope["state"]["caller"] = Caller(token=Secret(""), way="api", address=network)
        body = await self._read_body(scope, receive, network) if has_body(scope) else b""
        if self._waiting >= MAX_WAITING_REQUESTS:
            raise Unavailable("the server has too many sign-ins to answer", hint="try again in a moment")
        self._waiting += 1
        try:
            async with self._slots:
                await self._app(scope, _ReadBody(body, receive), send)
        finally:
            self._waiting -= 1

    async def _read_body(self, scope: Scope, receive: Receive, network: str) -> bytes:
        """Return the whole body, so that a slow client takes no slot; raises TodoError."""
        parts, more = [], True
        async with self._bodies.open(scope, receive, network, MAX_PUBLIC_BODY_BYTES) as body:
            while more:
                message = await body.receive()
                if message["type"] == "http.disconnect":
                    raise Unavailable("the client closed the connection")
                parts.append(message.get("body", b""))
                more = message.get("more_body", False)
        return b"".join(parts)


class _ReadBody:
    """The `receive` of a request whose body has been read."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._message: Message | None = {"type": "http.request", "body": body, "more_body": False}
        self._receive = receive

    async def __call__(self) -> Message:
        message, self._message = self._message, None
        return message or await self._receive()


def name_network(address: str | None) -> str:
    """Return the address by which attempts are limited: of IPv6 the network, `local` for a unix socket."""
    try:
        parsed = ip_address((address or "").partition("%")[0])
    except ValueError:
        return "local"
    if parsed.version == 6 and parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, IPV6_NETWORK_BITS), strict=False)) if parsed.version == 6 else str(parsed)

"""Believe the X-Forwarded headers of the configured proxies, and an address in them only if it is one."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

from starlette.types import Receive, Scope, Send

from todo_cli.errors import Invalid


class ForwardedAddress:
    """Sets the client's address from `X-Forwarded-For`. Text that is no address leaves the proxy's own."""

    def __init__(self, app: Any, proxies: str) -> None:
        from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

        check_proxies(proxies)
        self._app, self._library = app, ProxyHeadersMiddleware(self._call_app, proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
        scope.setdefault("state", {})["peer"] = scope.get("client")
        await self._library(scope, receive, send)  # type: ignore[arg-type]  # the same protocol in uvicorn's types

    async def _call_app(self, scope: Any, receive: Any, send: Any) -> None:
        client, peer = scope.get("client"), scope["state"]["peer"]
        if client != peer and not _is_address(client[0]):
            scope["client"] = peer
        await self._app(scope, receive, send)


def check_proxies(proxies: str) -> None:
    """Raise Invalid unless it is `*` or a list of addresses and networks: a slip would be believed silently."""
    for name in proxies.split(","):
        try:
            if proxies.strip() != "*":
                ip_network(name.strip())
        except ValueError:
            raise Invalid(
                f"server.proxies: {name.strip()[:60]!r} is neither an address nor a network",
                hint="name the proxies as 10.0.0.7 or 10.0.0.0/8, several with commas",
            ) from None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True

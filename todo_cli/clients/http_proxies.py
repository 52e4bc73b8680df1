"""A proxy in the environment: whether there is one for a server, and errors that name it."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from todo_cli.errors import Unavailable
from todo_cli.settings.urls import hide_user

GATEWAY_STATUSES = (502, 503, 504)
"""Statuses of a proxy or load balancer in front of a server that is away: the request may be repeated."""


def has_proxy(server: str) -> bool:
    """Return whether a proxy is set for this scheme. httpx2 then decides whether it applies to the host."""
    scheme = server.partition(":")[0]
    names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
    return scheme != "unix" and any(os.environ.get(name) for name in names)


def describe_proxy(server: str) -> str | None:
    """Return the proxy through which httpx2 sends to this server, without its password; None without one."""
    if not has_proxy(server):
        return None
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(server)
    url = getproxies().get(parts.scheme) or getproxies().get("all")
    if not url or proxy_bypass(parts.hostname or ""):
        return None
    return f"the proxy {hide_user(url)}"


def foreign_answer_error(server: str, status: int, kind: str) -> Unavailable:
    """Return the error for an answer that does not come from a todo server."""
    is_gateway = status in GATEWAY_STATUSES
    content = kind or "no content type"
    if proxy := describe_proxy(server):
        detail = f"{proxy} answered {status} with {content} in place of {server}"
        host = urlsplit(server).hostname
        hint = f"check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, or go around the proxy: NO_PROXY={host}"
        if status == 407:
            hint = "the proxy asks for a user and a password: put them into its URL, http://USER:PASSWORD@PROXY"
    else:
        detail = f"{server} answered {status} with {content}, which no todo server does"
        hint = "another program or a proxy answers at this address; check `server` with: todo doctor"
    return Unavailable(detail, hint=hint, again=is_gateway, uncertain=is_gateway)

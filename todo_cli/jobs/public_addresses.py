"""Resolve the host of a user's URL. A private address would be a way into the operator's network."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address

from todo_cli.jobs.channel_errors import DeliveryFailed


async def resolve_host(host: str, port: int, *, allow_private: bool) -> str:
    """Return an address of the host; raises DeliveryFailed for a host in a private network, unless that is allowed."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise DeliveryFailed(f"the host {host} is not known") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not allow_private and not all(map(_is_public, addresses)):
        raise DeliveryFailed(
            f"the host {host} is in a private network, which the worker does not allow", permanent=True
        )
    return addresses[0]


def _is_public(address: str) -> bool:
    parsed = ip_address(address.partition("%")[0])
    inner = getattr(parsed, "ipv4_mapped", None) or getattr(parsed, "sixtofour", None)
    return parsed.is_global and not parsed.is_multicast and (inner is None or _is_public(str(inner)))

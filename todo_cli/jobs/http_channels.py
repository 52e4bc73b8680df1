"""Webhooks and push servers: one POST, no redirects, to the address that was checked."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import httpx2
import msgspec

from todo_cli.jobs.channel_errors import DeliveryFailed
from todo_cli.jobs.messages import ChannelAddress, Notice
from todo_cli.jobs.public_addresses import resolve_host
from todo_cli.jobs.signature import sign

HTTP_SECONDS = 10.0
PUSH_PRIORITIES = {1: 5, 2: 4, 3: 3}
"""Priority of a task -> priority of the push message."""


async def post_webhook(channel: ChannelAddress, notice: Notice, *, allow_private: bool) -> None:
    """Post the message as JSON, signed with the channel's secret; raises DeliveryFailed."""
    body = msgspec.json.encode({"id": channel.id, "event": notice.event} | notice.data)
    headers = {
        "Content-Type": "application/json",
        "Todo-Delivery": channel.id,
        "Todo-Event": notice.event,
        "Todo-Signature": sign(channel.secret or "", int(time.time()), body),
    }
    await _post(channel.target, body, headers, allow_private=allow_private)


async def post_push(channel: ChannelAddress, notice: Notice, *, allow_private: bool) -> None:
    """Publish the message on a server of the ntfy protocol; raises DeliveryFailed.

    The sequence id lets the server replace a message that is sent twice.
    """
    root, _, topic = channel.target.rstrip("/").rpartition("/")
    message = {
        "topic": topic,
        "title": notice.title,
        "message": notice.text,
        "priority": PUSH_PRIORITIES.get(notice.priority or 0, 3),
        "sequence_id": channel.id,
    }
    headers = {"Content-Type": "application/json", "Todo-Delivery": channel.id}
    if channel.secret:
        headers["Authorization"] = f"Bearer {channel.secret}"
    await _post(f"{root}/", msgspec.json.encode(message), headers, allow_private=allow_private)


async def _post(url: str, body: bytes, headers: dict[str, str], *, allow_private: bool) -> None:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    address = await resolve_host(host, port, allow_private=allow_private)
    # the checked address itself, since a second look-up might answer another one
    place = f"[{address}]" if ":" in address else address
    target = parts._replace(netloc=f"{place}:{port}").geturl()
    sent = headers | {"Host": parts.netloc, "User-Agent": "todo"}
    try:
        async with (
            httpx2.AsyncClient(timeout=HTTP_SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream(
                "POST", target, content=body, headers=sent, extensions={"sni_hostname": host}
            ) as response,  # whose body is not read
        ):
            status = response.status_code
    except httpx2.TransportError as error:
        raise DeliveryFailed(f"{host} did not answer ({type(error).__name__})") from None
    if not 200 <= status < 300:
        raise DeliveryFailed(f"{host} answered {status}")

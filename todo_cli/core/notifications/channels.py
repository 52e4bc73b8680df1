"""The caller's channels. Only a worker reads their addresses and secrets, so no answer has them."""

from __future__ import annotations

import re
from typing import LiteralString
from urllib.parse import urlsplit

from todo_cli.contract import channels as ask
from todo_cli.contract.channels import Channel, ChannelPage
from todo_cli.contract.codec import decode
from todo_cli.contract.jobs import Delivery
from todo_cli.core.dispatch import handler
from todo_cli.core.journal import build_journaled, run_journaled
from todo_cli.core.json_sql import format_instant
from todo_cli.core.notifications.jobs import delivery_json
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid, NotFound

_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")
MAX_ADDRESS_CHARS = 254  # of an e-mail address

CHANNEL_JSON: LiteralString = f"""jsonb_build_object(
    'name', c.name, 'kind', c.kind, 'target', c.shown, 'space', c.space_id, 'verbs', c.verbs,
    'created_at', {format_instant("c.created_at")})"""

ADD = build_journaled(f"""
  SELECT {CHANNEL_JSON} AS answer
    FROM todo.add_channel(%(name)s, %(kind)s, %(target)s, %(shown)s, %(secret)s,
      %(changes_of)s::uuid, %(verbs)s::text[]) c
   WHERE NOT EXISTS (SELECT FROM known)""")

LIST = Sql(f"""
SELECT json_build_object('channels', coalesce(
    json_agg({CHANNEL_JSON} ORDER BY c.name), '[]'))::text
  FROM todo.channels c WHERE c.user_id = %(me)s::uuid""")

REMOVE = build_journaled(f"""
  SELECT {CHANNEL_JSON} AS answer FROM todo.remove_channel(%(name)s) c
   WHERE NOT EXISTS (SELECT FROM known)""")

TRY = build_journaled(f"""
  SELECT {delivery_json("d")} AS answer FROM todo.test_channel(%(name)s) d
   WHERE NOT EXISTS (SELECT FROM known)""")


@handler(ask.AddChannel)
async def add_channel(tx: Transaction, request: ask.AddChannel) -> Channel:
    """Add a channel; raises Invalid for an address of the wrong form, and Conflict for a name that is taken."""
    target = request.target.strip()
    _check_fields(request)
    _check_target(request.kind, target)
    return await run_journaled(
        tx,
        ADD,
        request,
        "nothing was added",
        name=request.name,
        kind=request.kind,
        target=target,
        shown=_hide_secrets(request.kind, target),
        secret=request.secret,
        changes_of=request.space,
        verbs=_find_verbs(request.commands),
    )


def _check_fields(request: ask.AddChannel) -> None:
    if request.space and request.kind != "webhook":
        raise Invalid("only a webhook gets the changes of a space", hint="other channels get reminders")
    if request.commands and not request.space:
        raise Invalid("commands choose among the changes of a space", hint="name the space too")
    if request.kind == "webhook" and not request.secret:
        raise Invalid("a webhook needs a secret, with which its posts are signed", hint="send 16 characters or more")


def _check_target(kind: str, target: str) -> None:
    if kind in ("webhook", "push"):
        _check_url(target, "a topic's URL, such as https://ntfy.sh/my-topic" if kind == "push" else "a URL")
    if kind == "push" and not urlsplit(target).path.strip("/"):
        raise Invalid("the URL names no topic", hint="such as https://ntfy.sh/my-topic")
    if kind == "email" and (not _ADDRESS.fullmatch(target) or len(target) > MAX_ADDRESS_CHARS or not target.isascii()):
        raise Invalid("this is not an e-mail address", hint="such as ana@example.org")
    if kind == "desktop" and target:
        raise Invalid("a desktop has no address", hint="leave it out")


def _check_url(url: str, form: str) -> None:
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url or "@" in parts.netloc or not url.isascii() or not url.isprintable() or " " in url:
        raise Invalid(f"the address must be {form}", hint="it begins with https:// and has no user or password")


def _hide_secrets(kind: str, target: str) -> str:
    """Return what a list shows of an address: of a URL only the host, since path and query may be secrets."""
    if kind not in ("webhook", "push"):
        return target
    parts = urlsplit(target)
    return f"{parts.scheme}://{parts.netloc}" + ("/…" if parts.path.strip("/") or parts.query else "")


def _find_verbs(commands: tuple[str, ...]) -> list[str] | None:
    """Return the verbs of changes that the commands make, None for all; raises Invalid for an unknown command."""
    if not commands:
        return None
    from todo_cli.contract.registry import REQUESTS

    labels: dict[str, set[str]] = {}
    for request in REQUESTS:
        if request.write and request.scope == "tasks:write" and request.label:
            labels.setdefault(request.label, set()).add(request.verb)
    if unknown := [command for command in commands if command not in labels]:
        raise Invalid(f"no change of tasks is called {unknown[0]!r}", hint=f"choose from: {', '.join(sorted(labels))}")
    return sorted(verb for command in commands for verb in labels[command])


@handler(ask.ListChannels)
async def list_channels(tx: Transaction, request: ask.ListChannels) -> ChannelPage:
    """List the caller's channels by name."""
    return decode(await tx.finish(LIST) or "", ChannelPage)


@handler(ask.RemoveChannel)
async def remove_channel(tx: Transaction, request: ask.RemoveChannel) -> Channel:
    """Remove a channel; raises NotFound."""
    return await run_journaled(tx, REMOVE, request, _missing(request.name), name=request.name)


@handler(ask.TryChannel)
async def try_channel(tx: Transaction, request: ask.TryChannel) -> Delivery:
    """Queue a test message for a channel; raises NotFound."""
    return await run_journaled(tx, TRY, request, _missing(request.name), name=request.name)


def _missing(name: str) -> NotFound:
    return NotFound(f"you have no channel {name!r}", hint="list them with: todo channel list")

"""Ask the server for the words of a kind: one request, in little time."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

from todo_cli.cli.completion.kinds import Offer
from todo_cli.contract.base import Request
from todo_cli.settings.settings import Settings

MAX_CONVERSATIONS = 50


class _KindListing(NamedTuple):
    """The Request for all words of a kind, the field of its answer, and the word of an item."""

    module: str
    request: str
    field: str
    offer: Callable[[Any], Offer]
    values: dict[str, Any] = {}  # noqa: RUF012  # of a NamedTuple, which nobody changes


_LISTINGS = {
    "view": _KindListing("views", "ListViews", "views", lambda view: Offer(view.name, view.filter)),
    "conversation": _KindListing(
        "conversations",
        "ListConversations",
        "conversations",
        lambda conversation: Offer(str(conversation.number), conversation.title),
        {"limit": MAX_CONVERSATIONS},
    ),
    "token": _KindListing("tokens", "ListTokens", "tokens", lambda token: Offer(token.name, ", ".join(token.scopes))),
    "session": _KindListing("sessions", "ListSessions", "sessions", lambda session: Offer(session.name)),
    "space": _KindListing("spaces", "ListSpaces", "spaces", lambda space: Offer(space.name, space.role)),
    "member": _KindListing("spaces", "ListMembers", "members", lambda member: Offer(member.name, member.role)),
    "channel": _KindListing("channels", "ListChannels", "channels", lambda channel: Offer(channel.name, channel.kind)),
    "user": _KindListing("users", "ListUsers", "users", lambda user: Offer(user.name)),
    "plan": _KindListing("plans", "ListPlans", "plans", lambda plan: Offer(plan.id, plan.verb)),
    "proposal": _KindListing("proposals", "ListProposals", "proposals", lambda item: Offer(item.id, item.verb)),
    "attachment": _KindListing("attachments", "ListAttachments", "attachments", lambda file: Offer(file.name)),
}


def ask(settings: Settings, kind: str, typed: str, arguments: tuple[str, ...]) -> list[Offer]:
    """Return the words of the kind that begin as typed. `arguments` are those before them on the command line.

    Raises TodoError or OSError, also where no answer comes in time.
    """
    kind, _, status = kind.partition(":")
    if kind in ("task", "project", "tag"):
        from todo_cli.contract.completion import SuggestWords

        fields: dict[str, Any] = {"kind": kind, "prefix": typed} | ({"status": status} if status else {})
        answer = _send(settings, SuggestWords(**fields))
        return [Offer(item.value, item.about) for item in answer.suggestions]
    items = _list_items(settings, kind, arguments)
    typed = typed.casefold()
    return [offer for offer in map(_LISTINGS[kind].offer, items) if offer.value.casefold().startswith(typed)]


def _list_items(settings: Settings, kind: str, arguments: tuple[str, ...]) -> list[Any]:
    """Return all items of a kind, those in use first."""
    listing = _LISTINGS[kind]
    values = dict(listing.values)
    if kind == "attachment":
        values["number"] = int(arguments[0].removeprefix("#"))
    request = getattr(import_module(f"todo_cli.contract.{listing.module}"), listing.request)
    items = list(getattr(_send(settings, request(**values)), listing.field))
    if kind in ("token", "session"):
        items.sort(key=lambda item: item.last_used_at or item.created_at, reverse=True)
    return items


def _send(settings: Settings, request: Request[Any]) -> Any:
    """Send a request on the way that a command takes, but start no server; raises TodoError or OSError."""
    from todo_cli.local_service.places import address_service, find_socket, uses_local_service

    if not settings.server and uses_local_service(settings) and find_socket(settings.embedded or "", settings.path):
        settings = address_service(settings)
    if settings.server:
        from todo_cli.clients.http import HttpClient
        from todo_cli.clients.http_proxies import has_proxy

        if has_proxy(settings.server):  # the client for proxies takes longer than there is time
            raise OSError("a proxy is set")
        client = HttpClient(settings)
        return client.send_prepared_now(client.prepare(request, None), request, settings.completion_timeout)
    from todo_cli.clients.direct import DirectClient

    settings = settings.replace(embedded=None, timeout=settings.completion_timeout)
    return DirectClient(settings).send_now(request)

"""The limits of a new token, checked and turned into columns."""

from __future__ import annotations

from typing import Any

import msgspec

from todo_cli.contract.registry import BY_VERB, REQUESTS
from todo_cli.contract.tokens import LIMITED_SCOPES, CreateToken
from todo_cli.core.filters.filter_query import parse_with_views
from todo_cli.core.filters.token_filter import EVERYTHING, compile_reach
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid


async def read_limits(tx: Transaction, request: CreateToken) -> dict[str, Any]:
    """Return the columns of a token's limits; raises Invalid for limits that cannot be."""
    reach = None
    is_limited = bool(request.filter or request.verbs or request.proposes)
    if is_limited:
        _raise_for_scopes(request)
        reach = compile_reach((await parse_with_views(tx, request.filter)).node) if request.filter else EVERYTHING
    if request.per_minute and "all" in request.scopes:
        raise Invalid(
            "a token with a rate cannot have the scope all, which works without a server too",
            hint="name its scopes, for example: --scopes read,tasks:write",
        )
    return {
        "filter": request.filter,
        "reach": None if reach is None else msgspec.json.encode(reach).decode(),
        "verbs": None if request.verbs is None else find_verbs(request.verbs),
        "per_minute": request.per_minute,
        "proposes": request.proposes,
    }


def _raise_for_scopes(request: CreateToken) -> None:
    wider = [scope for scope in request.scopes if scope not in LIMITED_SCOPES]
    if wider:
        raise Invalid(
            f"a token with a filter, with verbs or with proposals cannot have the scope {wider[0]}",
            hint=f"it may have: {', '.join(LIMITED_SCOPES)}",
        )


def find_verbs(names: tuple[str, ...]) -> list[str]:
    """Return the verbs of these Requests, and of those that are the same command: the steps of an upload."""
    for name in names:
        if name not in BY_VERB or not _can_change(name):
            raise Invalid(
                f"{name[:60]!r} is not a Request that a token with limits can run",
                hint="for example: CompleteTasks",
            )
    labels = {BY_VERB[name].label for name in names} - {""}
    return sorted({request.verb for request in REQUESTS if request.label in labels and _can_change(request.verb)})


def _can_change(verb: str) -> bool:
    kind = BY_VERB[verb]
    return kind.scope in ("tasks:write", "tokens:write") and not kind.needs_unlimited

"""Show or set the rate limit of a user: `todo admin user limit`."""

from __future__ import annotations

from typing import Annotated

import typer
from msgspec import UNSET, UnsetType

from todo_cli.cli.options import Json, Key
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.users import User
from todo_cli.errors import Invalid, NotFound

NO_LIMIT = "none"


def limit(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The user's name.", metavar="NAME")],
    requests: Annotated[
        str | None, typer.Option("--requests", help="Requests in any 60 seconds, or none for no limit.", metavar="N")
    ] = None,
    turns: Annotated[
        str | None, typer.Option("--turns", help="Chat turns in any 60 seconds, or none for no limit.", metavar="N")
    ] = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Show or set how many requests and chat turns a user may send to a server in any 60 seconds.

    todo admin user limit ada

    todo admin user limit ada --requests 600 --turns none
    """
    session = session_of(ctx)
    if requests is None and turns is None:
        user = _find_user(session, name)
    else:
        from todo_cli.contract.rate_limits import SetRateLimit

        request = SetRateLimit(
            name=name, requests_per_minute=_parse_limit(requests), turns_per_minute=_parse_limit(turns)
        )
        user = session.send(request, key)
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(user)
        return
    _print_limits(user)


def _parse_limit(text: str | None) -> int | UnsetType | None:
    """Read the value of an option: an option that is missing changes nothing."""
    if text is None:
        return UNSET
    if text == NO_LIMIT:
        return None
    if not (text.isascii() and text.isdigit()):
        raise Invalid(f"{text[:50]!r} is not a number", hint=f"give a number per minute, or {NO_LIMIT}")
    return int(text)


def _find_user(session: Session, name: str) -> User:
    from todo_cli.contract.users import ListUsers

    for user in session.send(ListUsers()).users:
        if user.name == name:
            return user
    raise NotFound(f"there is no user {name!r}", hint="see: todo admin user list")


def _print_limits(user: User) -> None:
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    requests, turns = user.requests_per_minute, user.turns_per_minute
    counts = [
        f"{requests:,} request{'' if requests == 1 else 's'}" if requests else "any number of requests",
        f"{turns:,} chat turn{'' if turns == 1 else 's'}" if turns else "any number of chat turns",
    ]
    text.write(escape(f"{user.name} may send {' and '.join(counts)} in any 60 seconds."))

"""Create, list and revoke tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated

import typer

from todo_cli.cli.options import Json, Key
from todo_cli.cli.session import session_of
from todo_cli.cli.token_limits import describe_limits
from todo_cli.contract.base import Secret
from todo_cli.contract.ids import new_id, new_token, token_hash
from todo_cli.contract.tokens import SCOPES, CreateToken, ListTokens, RevokeToken, Token
from todo_cli.errors import Invalid

PANEL = "Account"
DEFAULT_LIMITED_SCOPES = "read,tasks:write"
app = typer.Typer(add_completion=False, no_args_is_help=True, help="Create, list and revoke tokens.")


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Option(help="Name, as shown in the log.", metavar="NAME")],
    scopes: Annotated[
        str | None,
        typer.Option(
            help=f"Scopes, separated by commas: {', '.join(SCOPES)}."
            f" Default: all; with limits {DEFAULT_LIMITED_SCOPES}.",
            metavar="LIST",
        ),
    ] = None,
    expires: Annotated[str | None, typer.Option(help="Expiry: 90d, 2027-01-01.", metavar="WHEN")] = None,
    only: Annotated[
        str | None, typer.Option(help="Filter of the tasks that it sees and changes.", metavar="FILTER")
    ] = None,
    can: Annotated[
        str | None, typer.Option(help="The only commands by which it changes anything: done,comment.", metavar="LIST")
    ] = None,
    rate: Annotated[int | None, typer.Option(help="Requests a minute at most.", min=1, metavar="N")] = None,
    propose: Annotated[bool, typer.Option("--propose", help="Let its changes wait for a person's approval.")] = False,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Create a token and print it. It is shown only once, because only its hash is stored.

    A token with limits works through a server.

    todo token create --name cron --scopes tasks:write --expires 90d

    todo token create --name shopper --only '#groceries' --can add,done
    """
    from todo_cli.contract.base import token_user

    session = session_of(ctx)
    token = new_token(token_user(session.settings.require_token().reveal()))
    default_scopes = DEFAULT_LIMITED_SCOPES if only or can or rate or propose else "all"
    request = CreateToken(
        id=new_id(),
        hash=token_hash(token),
        name=name,
        scopes=_split(scopes or default_scopes),
        expires=expires,
        filter=only,
        verbs=_find_verbs(can) if can else None,
        per_minute=rate,
        proposes=propose,
    )
    _print_created(session.send(request, key), token, as_json=as_json)


def _print_created(created: Token, token: Secret, *, as_json: bool) -> None:
    if as_json:
        import msgspec

        from todo_cli.cli.render import json

        json.write_document(msgspec.to_builtins(created) | {"token": token.reveal()})
        return
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    until = f", expires {created.expires_at:%Y-%m-%d %H:%M} UTC" if created.expires_at else ""
    rights = "; ".join([", ".join(created.scopes), *describe_limits(created)])
    text.note(escape(f"Created {created.name} ({rights}{until}). The token below will not be shown again:"))
    text.write(token.reveal())


def _split(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _find_verbs(commands: str) -> tuple[str, ...]:
    """Return the verbs of commands; raises Invalid for a name that is no command which changes anything."""
    from todo_cli.contract.registry import REQUESTS

    changing = [
        request
        for request in REQUESTS
        if request.write and request.scope in ("tasks:write", "tokens:write") and not request.needs_unlimited
    ]
    verbs = {request.label: request.verb for request in reversed(changing) if request.label}
    names = _split(commands)
    if unknown := [name for name in names if name not in verbs]:
        raise Invalid(
            f"a token with limits cannot change anything by {unknown[0]!r}",
            hint=f"these do: {', '.join(sorted(verbs))}",
        )
    return tuple(verbs[name] for name in names)


@app.command("list")
def list_tokens(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Include revoked and expired tokens.")] = False,
    as_json: Json = False,
) -> None:
    """List your tokens with the time of their last use, each below the token that created it. No secret is shown.

    todo token list

    todo token list --all --json
    """
    session = session_of(ctx)
    page = session.send(ListTokens(all=everything))
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(page)
        return
    from todo_cli.cli.render.rows import print_rows

    now = session.local_now()
    indent = "  " if session.is_terminal else ""
    cells: list[tuple[str | datetime, ...]] = [
        _row(token, now, indent * depth) for token, depth in _walk_tree(page.tokens)
    ]
    columns: tuple[str, ...] = ("Name", "Scopes", "Last used", "Expires", "State", "Limits")
    if session.is_terminal and not any(row[-1] for row in cells):
        columns, cells = columns[:-1], [row[:-1] for row in cells]
    print_rows(session, columns, cells, nothing="No tokens.")


@app.command()
def revoke(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name or id of the token.", metavar="NAME")],
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Revoke a token and the tokens that it created. They stop working immediately.

    todo token revoke cron

    todo token revoke 01a205ca-e90e-7c80-b103-79a08eee1cd4
    """
    revoked = session_of(ctx).send(RevokeToken(name=name), key)
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(revoked)
        return
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    also = f", and with it {', '.join(revoked.descendants)}" if revoked.descendants else ""
    text.write(escape(f"Revoked {revoked.name}{also}."))


def _walk_tree(tokens: Sequence[Token], parent: str | None = None, depth: int = 0) -> Iterator[tuple[Token, int]]:
    """Yield each token after the one that created it, with its depth; a token without a listed parent is a root."""
    listed = {token.id for token in tokens}
    for token in tokens:
        if (token.parent if token.parent in listed else None) == parent:
            yield token, depth
            yield from _walk_tree(tokens, token.id, depth + 1)


def _row(token: Token, now: datetime, indent: str) -> tuple[str | datetime, ...]:
    expired = token.expires_at is not None and token.expires_at <= now
    state = "revoked" if token.revoked_at else "expired" if expired else "current" if token.current else ""
    return (
        indent + token.name,
        ",".join(token.scopes),
        token.last_used_at or "never",
        token.expires_at or "never",
        state,
        "; ".join(describe_limits(token)),
    )

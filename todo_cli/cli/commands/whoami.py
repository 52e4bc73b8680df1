"""Show the signed-in user, token and space."""

from __future__ import annotations

import typer

from todo_cli.cli.options import Json
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.users import Identity, WhoAmI

PANEL = "Account"
app = typer.Typer(add_completion=False)


@app.command()
def whoami(ctx: typer.Context, as_json: Json = False) -> None:
    """Show the signed-in user, the token, the space and the connection.

    todo whoami

    todo whoami --json | jq -r .name
    """
    session = session_of(ctx)
    me = session.send(WhoAmI())
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(me)
    else:
        _print_user(session, me)


def _print_user(session: Session, me: Identity) -> None:
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape
    from todo_cli.cli.time_zone import describe_zone
    from todo_cli.cli.token_limits import describe_limits

    settings = session.settings
    expiry = f", expires {me.expires_at:%Y-%m-%d}" if me.expires_at else ""
    local = f"local Postgres in {settings.embedded}" if settings.embedded else None
    rows = {
        "name": me.name + (" (administrator)" if me.admin else ""),
        "space": f"{me.space} ({me.role})",
        "token": f"{me.token}: {', '.join(me.scopes)}{expiry}",
        "server": settings.server or local or "none, directly to the database",
        "timezone": describe_zone(session, me.timezone),
        "profile": settings.profile,
    }
    if limits := describe_limits(me):
        rows["limits"] = "; ".join(limits)
    for name, value in rows.items():
        text.write_wrapped(f"{name:<10}{escape(value)}", " " * 10)

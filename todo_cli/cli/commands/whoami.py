"""Show who is signed in, with which token, and where."""

from __future__ import annotations

from typing import Any

import typer

from todo_cli.cli.options import Json
from todo_cli.cli.session import session_of
from todo_cli.contract.users import Identity, WhoAmI

PANEL = "Account"
app = typer.Typer(add_completion=False)


@app.command()
def whoami(ctx: typer.Context, as_json: Json = False) -> None:
    """Say who is signed in, with which token, in which space, and which way.

    todo whoami

    todo whoami --json | jq -r .name
    """
    session = session_of(ctx)
    me = session.send(WhoAmI())
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(me)
    else:
        _text(me, session.settings)


def _text(me: Identity, settings: Any) -> None:
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    rows = {
        "name": me.name + (" (administrator)" if me.admin else ""),
        "space": f"{me.space} ({me.role})",
        "token": f"{me.token}: {', '.join(me.scopes)}" + (f", until {me.expires_at:%Y-%m-%d}" if me.expires_at else ""),
        "way": settings.server or ("embedded: " + settings.embedded if settings.embedded else "direct"),
        "timezone": settings.timezone or me.timezone or "UTC",
        "profile": settings.profile,
    }
    for name, value in rows.items():
        text.write(f"{name:<10}{escape(value)}")

"""todo prefs"""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.options import Json, Key
from todo_cli.cli.session import session_of
from todo_cli.contract.base import KEEP
from todo_cli.contract.users import SetPreferences, WhoAmI

app = typer.Typer(add_completion=False)


@app.command()
def prefs(
    ctx: typer.Context,
    timezone: Annotated[
        str | None, typer.Option(help="Your time zone, for machines that send none.", metavar="NAME")
    ] = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Show my preferences, or change those that are named. They hold on every machine.

    todo prefs

    todo prefs --timezone Europe/Berlin
    """
    session = session_of(ctx)
    if timezone is None:
        found = session.send(WhoAmI()).timezone
    else:
        found = session.send(SetPreferences(timezone=timezone or KEEP), key).timezone
    if as_json:
        from todo_cli.cli.render import json

        json.document({"timezone": found})
        return
    from todo_cli.cli.render import text
    from todo_cli.cli.render.safe import safe

    text.write(safe(f"timezone  {found or '-'}"))

"""Show and change my preferences."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from todo_cli.cli.options import Json, Key, parse_token_count
from todo_cli.cli.session import session_of
from todo_cli.contract.users import Identity, Preferences, SetPreferences, WhoAmI

PANEL = "Account"
app = typer.Typer(add_completion=False)


@app.command()
def prefs(
    ctx: typer.Context,
    timezone: Annotated[
        str | None, typer.Option(help="Your time zone, for machines that send none; '' for none.", metavar="NAME")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="The model that you talk with; '' for the configured one.", metavar="NAME")
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="The models' tokens that you use in a day at most; '' for any.", metavar="TOKENS")
    ] = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Show my preferences, or change those that are named. They hold on every machine.

    todo prefs

    todo prefs --timezone Europe/Berlin --model gpt-5-mini

    todo prefs --budget 200000
    """
    session = session_of(ctx)
    named = (("timezone", timezone), ("model", model), ("budget", budget))
    given: dict[str, Any] = {name: value or None for name, value in named if value is not None}
    if given.get("budget"):
        given["budget"] = parse_token_count(given["budget"])
    found: Identity | Preferences = session.send(SetPreferences(**given), key) if given else session.send(WhoAmI())
    shown = {"timezone": found.timezone, "model": found.model, "budget": found.budget}
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(shown)
        return
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    for name, value in shown.items():
        text.write(escape(f"{name:<10}{'-' if value is None else value}"))
    here = session.settings.timezone
    if here and timezone is not None and here != found.timezone:
        text.note(f"On this machine {escape(here)} counts, of TODO_TIMEZONE or the profile (todo config edit).")

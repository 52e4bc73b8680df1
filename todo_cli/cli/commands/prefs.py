"""Show or change your preferences."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from todo_cli.cli.options import Json, Key, parse_token_count
from todo_cli.cli.session import session_of
from todo_cli.contract.preferences import Preferences, SetPreferences
from todo_cli.contract.users import Identity, WhoAmI

PANEL = "Account"
app = typer.Typer(add_completion=False)


@app.command()
def prefs(
    ctx: typer.Context,
    timezone: Annotated[
        str | None, typer.Option(help="Your time zone on every machine; '' for UTC.", metavar="NAME")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Model to chat with; '' for the default.", metavar="NAME")] = None,
    budget: Annotated[
        str | None, typer.Option(help="Model tokens in 24 hours, such as 200k; '' for no limit.", metavar="TOKENS")
    ] = None,
    usage: Annotated[
        Literal["on", "off"] | None, typer.Option(help="Show tokens and cost below answers on a terminal.")
    ] = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Show your preferences, or change those that are named. They apply on every machine.

    todo prefs

    todo prefs --timezone Europe/Berlin --model gpt-5-mini

    todo prefs --budget 200000 --usage off
    """
    session = session_of(ctx)
    options = (("timezone", timezone), ("model", model), ("budget", budget))
    changes: dict[str, Any] = {name: value or None for name, value in options if value is not None}
    if usage is not None:
        changes["show_usage"] = usage == "on"
    if changes.get("budget"):
        changes["budget"] = parse_token_count(changes["budget"])
    current: Identity | Preferences = (
        session.send(SetPreferences(**changes), key) if changes else session.send(WhoAmI())
    )
    shown = {"timezone": current.timezone, "model": current.model, "budget": current.budget}
    shown["usage"] = "off" if current.show_usage is False else "on"
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(shown)
        return
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    for name, value in shown.items():
        text.write(escape(f"{name:<10}{'-' if value is None else value}"))
    local_zone = session.settings.timezone
    if local_zone and timezone is not None and local_zone != current.timezone:
        remark = f"This machine uses {local_zone}: TODO_TIMEZONE or the profile sets it (see: todo config edit)."
        text.note(escape(remark))

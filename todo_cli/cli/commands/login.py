"""Sign in to a server or a database with a token."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from todo_cli.cli.prompts import read_secret
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.session import Session, session_of
from todo_cli.cli.time_zone import describe_zone
from todo_cli.contract.users import WhoAmI
from todo_cli.errors import Invalid
from todo_cli.settings.urls import sends_in_clear

PANEL = "Account"
UNENCRYPTED = "http:// is not encrypted: everyone on the way can read the token and the tasks"
app = typer.Typer(add_completion=False)


@app.command()
def login(
    ctx: typer.Context,
    server: Annotated[
        str | None, typer.Argument(help="URL of the server: https://… or unix:///path/to.sock.", metavar="[SERVER]")
    ] = None,
    keyring: Annotated[
        bool | None,
        typer.Option("--keyring/--no-keyring", help="Store the token in the system keyring.", show_default=False),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Send the token unencrypted to a http:// server on another machine.")
    ] = False,
) -> None:
    """Sign in with a token, read from a prompt or stdin. The token is checked before it is stored.

    todo login https://todo.example.org

    todo --profile work login https://todo.example.org < token.txt
    """
    session = session_of(ctx)
    settings = session.create_profile()
    url = server or settings.server
    if url is None and settings.database_url is None:
        raise Invalid("no server is configured", hint="name it: todo login https://todo.example.org")
    if url and sends_in_clear(url):
        _require_consent(insecure)
    from todo_cli.settings.settings_file import save_profile

    token = read_secret(session, "Token: ")
    cleared: dict[str, Any] = {"database_url": None, "embedded": None} if server else {}
    session.settings = settings._replace(server=url, token=token, space=None, **cleared)
    me = session.send(WhoAmI())
    in_keyring = keyring is not False and _store_in_keyring(session, keyring)
    stored = {"token": None, "keyring": True} if in_keyring else {"token": token.reveal(), "keyring": None}
    path = save_profile(session.settings.profile, cleared | {"server": url, "space": None} | stored)
    place = "the system keyring" if in_keyring else path
    text.write(escape(f"Signed in as {me.name} (token {me.token}). The token is stored in {place}."))
    if not me.timezone:
        text.note(escape(f"Time zone: {describe_zone(session, None)}."))


def _require_consent(insecure: bool) -> None:
    if not insecure:
        raise Invalid(UNENCRYPTED, hint="use https://, or accept this with --insecure")
    text.note(f"Warning: {UNENCRYPTED}.")


def _store_in_keyring(session: Session, wanted: bool | None) -> bool:
    from todo_cli.settings.credentials import store_token

    stored = store_token(session.settings.profile, session.settings.require_token())
    if not stored and wanted:
        raise Invalid("no system keyring responds", hint="store the token in the settings file: --no-keyring")
    return stored

"""Sign in to a server or a database with a token."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from todo_cli.cli.prompts import read_secret
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.users import Identity, WhoAmI
from todo_cli.errors import Invalid

PANEL = "Account"
app = typer.Typer(add_completion=False)


@app.command()
def login(
    ctx: typer.Context,
    server: Annotated[str | None, typer.Argument(help="https://…, or unix:///path/to.sock", metavar="[SERVER]")] = None,
    keyring: Annotated[
        bool | None,
        typer.Option("--keyring/--no-keyring", help="Keep the token in the system keyring.", show_default=False),
    ] = None,
) -> None:
    """Sign in with a token, from a prompt or on stdin; it is checked before it is kept.

    todo login https://todo.example.org

    todo --profile work login https://todo.example.org < token.txt
    """
    session = session_of(ctx)
    settings = session.make_profile()
    where = server or settings.server
    if where is None and settings.database_url is None:
        raise Invalid("there is no server to sign in to", hint="name it: todo login https://todo.example.org")
    token = read_secret(session, "Token: ")
    direct: dict[str, Any] = {"database_url": None, "embedded": None} if server else {}
    session.settings = settings._replace(server=where, token=token, space=None, **direct)
    me = session.send(WhoAmI())
    kept = keyring is not False and _in_keyring(session, keyring)
    values: dict[str, Any] = direct | {
        "server": where, "token": None if kept else token.reveal(), "keyring": True if kept else None, "space": None,
    }  # fmt: skip
    path = _save(session, values, me)
    text.write(escape(f"Signed in as {me.name} (token {me.token}); kept in {'the system keyring' if kept else path}."))


def _in_keyring(session: Session, wanted: bool | None) -> bool:
    from todo_cli.settings.credentials import store_token

    kept = store_token(session.settings.profile, session.settings.require_token())
    if not kept and wanted:
        raise Invalid("there is no system keyring that answers", hint="keep it in the file: --no-keyring")
    return kept


def _save(session: Session, values: dict[str, Any], me: Identity) -> Any:
    from todo_cli.parsing.dates import system_zone
    from todo_cli.settings.settings_file import save_profile

    # a machine that says UTC is mostly a server: the person's own preference stands above it
    zone = session.settings.timezone or me.timezone or system_zone()
    return save_profile(session.settings.profile, values | {"timezone": zone})

"""Sign in to a server or a database."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.prompts import read_line, read_secret
from todo_cli.cli.session import session_of
from todo_cli.cli.sign_in import (
    Insecure,
    Keyring,
    PasswordStdin,
    Server,
    choose_server,
    read_password,
    require_server,
    sign_in_device,
    sign_in_with_password,
    store_token,
)
from todo_cli.errors import Invalid

PANEL = "Account"
app = typer.Typer(add_completion=False)


@app.command()
def login(
    ctx: typer.Context,
    server: Server = None,
    email: Annotated[
        str | None, typer.Option("--email", help="Sign in with this address and a password.", metavar="ADDRESS")
    ] = None,
    password_stdin: PasswordStdin = False,
    device: Annotated[
        bool, typer.Option("--device", help="Show a code that you approve on a terminal that is signed in.")
    ] = False,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the session; default: this machine's.", metavar="NAME")
    ] = None,
    keyring: Keyring = None,
    insecure: Insecure = False,
) -> None:
    """Sign in with a password, with a token from a prompt or stdin, or with a code. A password or a code opens a
    session, which ends after 7 days without use. A token is checked before it is stored.

    todo login https://todo.example.org --email ada@example.org

    todo --profile work login https://todo.example.org < token.txt

    todo login https://todo.example.org --device
    """
    session = session_of(ctx)
    if device and (email or password_stdin):
        raise Invalid("--device signs in without a password", hint="leave out --email and --password-stdin")
    choose_server(session, server, insecure=insecure)
    if email is None and not device and session.settings.server and (session.is_interactive or password_stdin):
        email = read_line(session, "E-mail (empty to sign in with a token): ", flag="--email") or None
    if email or device:
        require_server(session)
    if device:
        token = sign_in_device(session, name)
    elif email:
        password = read_password(session, from_stdin=password_stdin)
        token = sign_in_with_password(session, email, password, name)
    else:
        token = read_secret(session, "Token: ")
    store_token(session, token, keyring)

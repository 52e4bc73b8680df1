"""Create an account on a server, and sign in."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.prompts import SecretLines, read_line
from todo_cli.cli.render import text
from todo_cli.cli.session import Session, session_of
from todo_cli.cli.sign_in import (
    Insecure,
    Keyring,
    PasswordStdin,
    Server,
    choose_server,
    require_server,
    sign_in_with_password,
    store_token,
)
from todo_cli.contract.base import Secret
from todo_cli.contract.ids import new_id
from todo_cli.contract.passwords import NewPassword
from todo_cli.contract.registration import Register
from todo_cli.errors import NotSignedIn
from todo_cli.parsing.system_zone import system_zone

PANEL = "Account"
app = typer.Typer(add_completion=False)


@app.command()
def register(
    ctx: typer.Context,
    server: Server = None,
    email: Annotated[str | None, typer.Option("--email", help="Address to sign in with.", metavar="ADDRESS")] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", help="Name that others see; default: the address before the @.", metavar="NAME"),
    ] = None,
    invitation: Annotated[
        bool, typer.Option("--invitation", help="Ask for the invitation of an administrator.")
    ] = False,
    password_stdin: PasswordStdin = False,
    keyring: Keyring = None,
    insecure: Insecure = False,
) -> None:
    """Create an account on a server, and sign in. The server decides who may register: nobody, people with an
    invitation, or everybody.

    With --invitation and --password-stdin, the first line of stdin is
    the invitation, the second the password.

    todo register https://todo.example.org --email ada@example.org

    todo register https://todo.example.org --email ada@example.org --invitation
    """
    session = session_of(ctx)
    choose_server(session, server, insecure=insecure)
    require_server(session)
    email = email or read_line(session, "E-mail: ", flag="--email")
    secrets = SecretLines(session, from_stdin=password_stdin)
    code = secrets.read("Invitation: ", "invitation") if invitation else None
    password = secrets.read_new_password()
    _send_registration(session, email, name, password, code)
    try:
        token = sign_in_with_password(session, email, password, None)
    except NotSignedIn:
        raise NotSignedIn(
            "you are not signed in: the address may have had an account with another password",
            hint="sign in with that password: todo login; or ask an administrator for a reset code",
        ) from None
    store_token(session, token, keyring)


def _send_registration(
    session: Session, email: str, name: str | None, password: Secret, invitation: Secret | None
) -> None:
    """Create the account, whose time zone is that of the profile or the machine."""
    if session.settings.timezone is None:
        session.settings = session.settings.replace(timezone=system_zone())
    request = Register(
        id=new_id(),
        email=email,
        name=name or email.partition("@")[0] or email,
        password=NewPassword(password.reveal()),
        invitation=invitation,
    )
    session.send_anonymously(request)
    text.note("Registered.")

"""Sign a profile in: choose the server, get a token in one of several ways, check it and store it."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from todo_cli.cli.prompts import SecretLines
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.session import Session
from todo_cli.cli.time_zone import describe_zone
from todo_cli.contract.base import Secret
from todo_cli.contract.devices import PollDevice, StartDevice
from todo_cli.contract.ids import new_session_secret, session_token, token_hash
from todo_cli.contract.passwords import SessionSecret, SignIn
from todo_cli.contract.users import WhoAmI
from todo_cli.errors import Invalid, Unavailable
from todo_cli.settings.urls import sends_in_clear

UNENCRYPTED = "http:// is not encrypted: everyone on the way can read the token and the tasks"
WAITING = ("authorization_pending", "slow_down")

Server = Annotated[
    str | None, typer.Argument(help="URL of the server: https://… or unix:///path/to.sock.", metavar="[SERVER]")
]
Keyring = Annotated[
    bool | None,
    typer.Option("--keyring/--no-keyring", help="Store the token in the system keyring.", show_default=False),
]
Insecure = Annotated[
    bool, typer.Option("--insecure", help="Send secrets unencrypted to an http:// server on another machine.")
]
PasswordStdin = Annotated[
    bool,
    typer.Option("--password-stdin", help="Read the secrets from stdin, one per line, as the prompts ask for them."),
]


def choose_server(session: Session, server: str | None, *, insecure: bool) -> None:
    """Let the session use this server, else that of the profile, which may be new; raises Invalid."""
    settings = session.create_profile()
    url = server or settings.server
    if url is None and settings.database_url is None:
        raise Invalid("no server is configured", hint="name it: todo login https://todo.example.org")
    if url and sends_in_clear(url):
        if not insecure:
            raise Invalid(UNENCRYPTED, hint="use https://, or accept this with --insecure")
        text.note(f"Warning: {UNENCRYPTED}.")
    cleared: dict[str, Any] = {"database_url": None, "embedded": None} if server else {}
    session.settings = settings.replace(server=url, space=None, **cleared)


def require_server(session: Session) -> None:
    """Raise Invalid for a profile that reaches its database directly: a server checks passwords."""
    settings, hint = session.settings, "name a server: todo login https://todo.example.org"
    if settings.server:
        return
    if settings.database_url is None and settings.embedded is None:
        raise Invalid("no server is configured", hint=hint)
    raise Invalid("passwords and sessions need a server, and this profile reaches the database directly", hint=hint)


def default_session_name() -> str:
    """Return the name of this machine."""
    import socket

    return socket.gethostname()[:100] or "terminal"


def sign_in_with_password(session: Session, email: str, password: Secret, name: str | None) -> Secret:
    """Open a session and return its token; raises NotSignedIn."""
    secret = new_session_secret()
    request = SignIn(
        email=email, password=password, secret=SessionSecret(secret.reveal()), name=name or default_session_name()
    )
    return session_token(session.send_anonymously(request).user_id, secret)


def sign_in_device(session: Session, name: str | None) -> Secret:
    """Show a code, wait until it is approved elsewhere, and return the token; raises Invalid when it is refused."""
    secret = new_session_secret()
    request = StartDevice(secret_hash=token_hash(secret), name=name or default_session_name())
    code = session.send_anonymously(request)
    text.note("On a terminal that is signed in, run this within ten minutes:")
    text.note(f"  todo session approve {code.user_code}")
    deadline, interval = time.monotonic() + code.expires_in, code.interval
    while True:
        time.sleep(interval)
        try:
            poll = PollDevice(secret=SessionSecret(secret.reveal()))
            return session_token(session.send_anonymously(poll).user_id, secret)
        except Invalid as error:
            if error.extra.get("error") not in WAITING:
                raise
            interval = int(error.extra.get("interval", interval))
        except Unavailable:
            if time.monotonic() > deadline:
                raise


def store_token(session: Session, token: Secret, keyring: bool | None) -> None:
    """Check a token and store it in the keyring or the settings file; raises TodoError."""
    from todo_cli.settings.settings_file import save_profile

    settings = session.settings = session.settings.replace(token=token)
    me = session.send(WhoAmI())
    in_keyring = keyring is not False and _store_in_keyring(session, keyring)
    values: dict[str, Any] = {"server": settings.server, "space": None}
    values |= {"token": None, "keyring": True} if in_keyring else {"token": token.reveal(), "keyring": None}
    if settings.database_url is None:
        values |= {"database_url": None, "embedded": None}
    path = save_profile(settings.profile, values)
    place = "the system keyring" if in_keyring else path
    text.write(escape(f"Signed in as {me.name} (token {me.token}). The token is stored in {place}."))
    if not me.timezone:
        text.note(escape(f"Time zone: {describe_zone(session, None)}."))


def _store_in_keyring(session: Session, wanted: bool | None) -> bool:
    from todo_cli.settings import credentials

    stored = credentials.store_token(session.settings.profile, session.settings.require_token())
    if not stored and wanted:
        raise Invalid("no system keyring responds", hint="store the token in the settings file: --no-keyring")
    return stored


def read_password(session: Session, *, from_stdin: bool) -> Secret:
    """Return the password of an account, from the terminal without echo or from stdin; raises Invalid."""
    return SecretLines(session, from_stdin=from_stdin).read("Password: ", "password")

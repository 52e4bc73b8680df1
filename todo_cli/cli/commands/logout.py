"""Sign out on this machine."""

from __future__ import annotations

import typer

from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.sessions import SignOut
from todo_cli.errors import NotSignedIn, Unavailable

PANEL = "Account"
app = typer.Typer(add_completion=False)


@app.command()
def logout(ctx: typer.Context) -> None:
    """End your session and remove its token from this machine. A token that you pasted is only removed: it stays valid
    elsewhere until it is revoked.

    todo logout

    todo token revoke laptop && todo logout
    """
    from todo_cli.settings.settings_file import save_profile

    session = session_of(ctx)
    settings = session.settings
    if settings.token is None and not settings.keyring:
        text.write("You are not signed in.")
        return
    failure = _end_session(session) if settings.server else None
    if settings.keyring:
        from todo_cli.settings.credentials import delete_token

        delete_token(settings.profile)
    path = save_profile(settings.profile, {"token": None, "keyring": None})
    text.write(escape(f"Signed out. The token was removed from {path}."))
    if failure:
        raise Unavailable(
            f"the token was removed, but its session may go on: {failure.detail}",
            hint="end it on another machine with: todo session revoke; without use it ends in 7 days",
        )


def _end_session(session: Session) -> Unavailable | None:
    """End the session of the token, if it is one; return the error of a server that does not answer."""
    try:
        session.send(SignOut())
    except NotSignedIn:  # the token has ended already
        return None
    except Unavailable as error:
        return error
    return None

"""Remove the token from this machine."""

from __future__ import annotations

import typer

from todo_cli.cli.render import text
from todo_cli.cli.session import session_of

PANEL = "Account"
app = typer.Typer(add_completion=False)


@app.command()
def logout(ctx: typer.Context) -> None:
    """Remove the token from this machine. It stays valid elsewhere until it is revoked.

    todo logout

    todo token revoke laptop && todo logout
    """
    from todo_cli.settings.settings_file import save_profile

    settings = session_of(ctx).settings
    if settings.keyring:
        from todo_cli.settings.credentials import delete_token

        delete_token(settings.profile)
    if settings.token is None and not settings.keyring:
        text.write("You are not signed in.")
        return
    path = save_profile(settings.profile, {"token": None, "keyring": None})
    text.write(f"Signed out. The token was removed from {path}.")

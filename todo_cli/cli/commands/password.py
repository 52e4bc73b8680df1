"""Change your password, or set a new one with a reset code."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.prompts import SecretLines, read_line
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.session import Session, session_of
from todo_cli.cli.sign_in import Insecure, PasswordStdin, Server, choose_server, require_server
from todo_cli.contract.passwords import ChangePassword, NewPassword, ResetPassword

PANEL = "Account"
app = typer.Typer(add_completion=False)


@app.command()
def password(
    ctx: typer.Context,
    server: Server = None,
    email: Annotated[
        str | None, typer.Option("--email", help="Address to sign in with from now on.", metavar="ADDRESS")
    ] = None,
    code: Annotated[
        bool, typer.Option("--code", help="Set a new password with an administrator's one-time code.")
    ] = False,
    password_stdin: PasswordStdin = False,
    insecure: Insecure = False,
) -> None:
    """Change your password. Your other sessions end; tokens stay valid. With --code you need not be signed in, and
    --email names your account.

    The lines of --password-stdin are the current password, or the code,
    and the new password.

    todo password

    todo password https://todo.example.org --code --email ada@example.org

    printf '%s\\n' "$OLD" "$NEW" | todo password --password-stdin
    """
    session = session_of(ctx)
    if code:
        choose_server(session, server, insecure=insecure)
    require_server(session)
    if code:
        email = email or read_line(session, "E-mail: ", flag="--email")
        _reset(session, email, SecretLines(session, from_stdin=password_stdin))
    else:
        _change(session, email, SecretLines(session, from_stdin=password_stdin))


def _reset(session: Session, email: str, secrets: SecretLines) -> None:
    code = secrets.read("Code: ", "code")
    request = ResetPassword(email=email, code=code, password=NewPassword(secrets.read_new_password().reveal()))
    reset = session.send_anonymously(request)
    text.write(escape(f"The password of {reset.email} is set, and all sessions have ended."))
    text.note(escape(f"Sign in with: todo login {session.settings.server} --email {reset.email}"))


def _change(session: Session, email: str | None, secrets: SecretLines) -> None:
    current = secrets.read_optional("Current password (empty if there is none): ", min_left=1)
    request = ChangePassword(current=current, password=NewPassword(secrets.read_new_password().reveal()), email=email)
    changed = session.send(request)
    ended = changed.ended_sessions
    sessions = f"{ended} other session{'' if ended == 1 else 's'} ended"
    text.write(escape(f"The password of {changed.email} is set; {sessions}. Tokens stay valid: todo token list"))

"""List and revoke sessions, and approve devices."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from todo_cli.cli.options import Json, Key
from todo_cli.cli.session import session_of
from todo_cli.contract.devices import DecideDevice, ShowDevice
from todo_cli.contract.sessions import ListSessions, RevokeSessions, UserSession
from todo_cli.errors import Invalid

PANEL = "Account"
app = typer.Typer(add_completion=False, no_args_is_help=True, help="List and revoke sessions, and approve devices.")


@app.command("list")
def list_sessions(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Include sessions that have ended.")] = False,
    as_json: Json = False,
) -> None:
    """List the machines that are signed in as you. `todo token list` lists tokens.

    todo session list

    todo session list --all --json
    """
    session = session_of(ctx)
    page = session.send(ListSessions(all=everything))
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(page)
        return
    from todo_cli.cli.render.rows import print_rows

    headings = ("Name", "From", "Signed in", "Last used", "Expires", "State")
    rows = [_row(entry, session.local_now()) for entry in page.sessions]
    print_rows(session, headings, rows, nothing="No sessions. You are signed in with a token: todo token list")


@app.command()
def revoke(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="Name or id of the session.", metavar="[NAME]", show_default=False)
    ] = None,
    others: Annotated[bool, typer.Option("--others", help="Revoke every session but this one.")] = False,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Revoke a session and the tokens that it created. They stop working immediately.

    todo session revoke laptop

    todo session revoke --others
    """
    if (name is None) is not others:
        raise Invalid("name one session, or --others", hint="see them with: todo session list")
    revoked = session_of(ctx).send(RevokeSessions(name=name), key)
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(revoked)
        return
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    also = f", and with it {', '.join(revoked.descendants)}" if revoked.descendants else ""
    names = ", ".join(revoked.sessions)
    text.write(escape(f"Revoked {names}{also}.") if names else "There is no other session.")


@app.command()
def approve(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(help="Code that the other machine shows.", metavar="CODE")],
    yes: Annotated[bool, typer.Option("--yes", help="Approve without asking.")] = False,
    no: Annotated[bool, typer.Option("--no", help="Refuse instead.")] = False,
    key: Key = None,
) -> None:
    """Sign another machine in, which runs `todo login --device` and shows a code. Its session ends when you revoke the
    session or the token with which you approve it.

    todo session approve BCDF-GHJK

    todo session approve BCDF-GHJK --no
    """
    from todo_cli.cli.prompts import ask_yes_no
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    if yes and no:
        raise Invalid("--yes and --no cannot be used together")
    session = session_of(ctx)
    device = session.send(ShowDevice(code=code))
    asker = f"{device.name} at {device.address}"
    is_approved = not no and ask_yes_no(session, escape(f"Sign in {asker} as you?"), yes=yes, flag="--yes")
    session.send(DecideDevice(code=code, approve=is_approved), key)
    text.write(escape(f"{'Approved' if is_approved else 'Refused'} {asker}."))


def _row(entry: UserSession, now: datetime) -> tuple[str | datetime, ...]:
    has_ended = entry.expires_at <= now
    state = "revoked" if entry.revoked_at else "ended" if has_ended else "current" if entry.current else ""
    return (entry.name, entry.address or "", entry.created_at, entry.last_used_at or "never", entry.expires_at, state)

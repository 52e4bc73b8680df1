"""todo admin invitation, todo admin user reset-password"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from todo_cli.cli.options import Json, Key
from todo_cli.cli.session import session_of
from todo_cli.contract.base import Secret, token_user
from todo_cli.contract.ids import code_hash, new_code, new_id, new_invitation, token_hash
from todo_cli.contract.passwords import RESET_CODE_CHARS, CreateResetCode
from todo_cli.contract.registration import (
    DEFAULT_INVITATION_EXPIRY,
    CreateInvitation,
    DeleteInvitation,
    Invitation,
    ListInvitations,
)

invitation = typer.Typer(no_args_is_help=True, help="Create, list and delete invitations to register.")

ForEmail = Annotated[str | None, typer.Option("--email", help="Only this address may use it.", metavar="ADDRESS")]


def reset_password(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The user's name.", metavar="NAME")],
    email: Annotated[
        str | None, typer.Option("--email", help="Set the address that the user signs in with.", metavar="ADDRESS")
    ] = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Print a one-time code with which a user sets a new password. It is valid for a day. The password stays valid
    until then; with the new one, all sessions of the user end.

    todo admin user reset-password grace

    todo admin user reset-password grace --email grace@example.org
    """
    code = Secret(new_code(RESET_CODE_CHARS))
    user = session_of(ctx).send(CreateResetCode(name=name, code_hash=code_hash(code), email=email), key)
    hint = f"{user.name} uses it with: todo password SERVER --code --email {user.email}"
    _print_secret({"user": user.name, "email": user.email, "code": code.reveal()}, "code", hint, as_json)


@invitation.command()
def create(
    ctx: typer.Context,
    email: ForEmail = None,
    expires: Annotated[str, typer.Option(help="Expiry: 3d, 2027-01-01.", metavar="WHEN")] = DEFAULT_INVITATION_EXPIRY,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Create an invitation and print it. One person can register with it.

    todo admin invitation create --email grace@example.org

    todo admin invitation create --expires 3d > invitation.txt
    """
    import msgspec

    session = session_of(ctx)
    secret = new_invitation(token_user(session.settings.require_token().reveal()))
    request = CreateInvitation(id=new_id(), invitation_hash=token_hash(secret), email=email, expires=expires)
    created: dict[str, Any] = msgspec.to_builtins(session.send(request, key))
    hint = "The invited person uses it with: todo register SERVER --invitation"
    _print_secret(created | {"invitation": secret.reveal()}, "invitation", hint, as_json)


@invitation.command("list")
def list_invitations(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Include used and expired invitations.")] = False,
    as_json: Json = False,
) -> None:
    """List the invitations that can still be used.

    todo admin invitation list

    todo admin invitation list --all --json
    """
    session = session_of(ctx)
    page = session.send(ListInvitations(all=everything))
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(page)
        return
    from todo_cli.cli.render.rows import print_rows

    headings = ("ID", "For", "By", "Created", "Expires", "State")
    rows = [_row(entry, session.local_now()) for entry in page.invitations]
    print_rows(session, headings, rows, nothing="No invitations.")


@invitation.command("rm")
def delete(
    ctx: typer.Context,
    invitation_id: Annotated[str, typer.Argument(help="Id of the invitation.", metavar="ID")],
    key: Key = None,
) -> None:
    """Delete an invitation that nobody has used.

    todo admin invitation rm 01a205ca-e90e-7c80-b103-79a08eee1cd4

    todo admin invitation list | cut -f 1 | xargs -n 1 todo admin invitation rm
    """
    from todo_cli.cli.render import text

    session_of(ctx).send(DeleteInvitation(id=invitation_id), key)
    text.write("Deleted the invitation.")


def _print_secret(document: dict[str, Any], name: str, hint: str, as_json: bool) -> None:
    """Print a secret, which is shown only once, as it is, with a note on stderr; or the document."""
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(document)
        return
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    text.note(escape(f"Send the {name} in private; it will not be shown again. {hint}"))
    text.write(document[name])


def _row(entry: Invitation, now: datetime) -> tuple[str | datetime, ...]:
    state = f"used by {entry.used_by}" if entry.used_by else "expired" if entry.expires_at <= now else ""
    return (entry.id, entry.email or "anybody", entry.inviter or "", entry.created_at, entry.expires_at, state)

"""todo space members, invite, invitations, uninvite, role, remove"""

from __future__ import annotations

from typing import Annotated, Any, cast

import typer

from todo_cli.cli.options import Json, Key
from todo_cli.cli.session import session_of
from todo_cli.contract.spaces import (
    DEFAULT_SPACE_INVITATION_EXPIRY,
    ROLES,
    DeleteSpaceInvitation,
    InviteMember,
    ListMembers,
    ListSpaceInvitations,
    Member,
    MemberRole,
    RemoveMember,
    SetMemberRole,
)
from todo_cli.errors import Invalid

MemberName = Annotated[str, typer.Argument(help="Name of the member.", metavar="MEMBER")]
_ROLES_HELP = ", ".join(ROLES)


def list_members(ctx: typer.Context, as_json: Json = False) -> None:
    """List the members of the current space with their roles.

    todo space members

    todo space members --json
    """
    session = session_of(ctx)
    page = session.send(ListMembers())
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(page)
        return
    from todo_cli.cli.render.rows import print_rows

    cells = [(member.name, member.role) for member in page.members]
    print_rows(session, ("Name", "Role"), cells, nothing="The space has no members.")


def invite(
    ctx: typer.Context,
    role: Annotated[
        str, typer.Option("--role", help=f"What the new member may do: {_ROLES_HELP}.", metavar="ROLE")
    ] = "editor",
    expires: Annotated[
        str, typer.Option(help="Expiry: 3d, 2027-01-01.", metavar="WHEN")
    ] = DEFAULT_SPACE_INVITATION_EXPIRY,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Create an invitation to the current space and print it. One user can join with it.

    todo space invite

    todo space invite --role viewer --expires 3d > invitation.txt
    """
    import msgspec

    from todo_cli.contract.ids import new_id, new_space_invitation, token_hash

    session = session_of(ctx)
    space_id = session.settings.space or session.identity.space_id
    secret = new_space_invitation(space_id)
    request = InviteMember(id=new_id(), invitation_hash=token_hash(secret), role=_read_role(role), expires=expires)
    created: dict[str, Any] = msgspec.to_builtins(session.send(request, key))
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(created | {"invitation": secret.reveal()})
        return
    from todo_cli.cli.render import text

    text.note("Send the invitation in private; it will not be shown again. The other user joins with: todo space join")
    text.write(secret.reveal())


def list_invitations(ctx: typer.Context, as_json: Json = False) -> None:
    """List the invitations to the current space that can still be used.

    todo space invitations

    todo space invitations --json
    """
    session = session_of(ctx)
    page = session.send(ListSpaceInvitations())
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(page)
        return
    from todo_cli.cli.render.rows import print_rows

    headings = ("ID", "Role", "By", "Created", "Expires")
    rows = [
        (entry.id, entry.role, entry.inviter or "", entry.created_at, entry.expires_at) for entry in page.invitations
    ]
    print_rows(session, headings, rows, nothing="No invitations.")


def uninvite(
    ctx: typer.Context,
    invitation_id: Annotated[str, typer.Argument(help="Id of the invitation.", metavar="ID")],
    key: Key = None,
) -> None:
    """Withdraw an invitation to the current space that nobody has used.

    todo space uninvite 01a205ca-e90e-7c80-b103-79a08eee1cd4

    todo space invitations | cut -f 1 | xargs -n 1 todo space uninvite
    """
    from todo_cli.cli.render import text

    session_of(ctx).send(DeleteSpaceInvitation(id=invitation_id), key)
    text.write("Withdrew the invitation.")


def set_role(
    ctx: typer.Context,
    name: MemberName,
    role: Annotated[str, typer.Argument(help=f"New role: {_ROLES_HELP}.", metavar="ROLE")],
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Change the role of a member of the current space.

    todo space role grace viewer

    todo space role ada owner
    """
    member = session_of(ctx).send(SetMemberRole(name=name, role=_read_role(role)), key)
    _print_member(member, f"{member.name} is now {member.role}.", as_json)


def remove(ctx: typer.Context, name: MemberName, key: Key = None, as_json: Json = False) -> None:
    """Remove a member from the current space. What the member added stays.

    todo space remove grace

    todo space members | cut -f 1 | grep -i grace | xargs todo space remove
    """
    member = session_of(ctx).send(RemoveMember(name=name), key)
    _print_member(member, f"Removed {member.name}.", as_json)


def _print_member(member: Member, sentence: str, as_json: bool) -> None:
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(member)
        return
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    text.write(escape(sentence))


def _read_role(text: str) -> MemberRole:
    """Return the role of that name; raises Invalid."""
    from typing import get_args

    if text.lower() in get_args(MemberRole):
        return cast(MemberRole, text.lower())
    raise Invalid(f"{text!r} is not a role", hint=f"use one of: {_ROLES_HELP}")

"""Spaces, their members, and the invitations to join them."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from todo_cli.contract.base import DateText, Name, Request, Secret
from todo_cli.contract.tokens import Id, TokenHash

DEFAULT_SPACE_INVITATION_EXPIRY = "7d"

MemberRole = Literal["owner", "editor", "commenter", "viewer"]
"""A viewer looks, a commenter also comments, an editor also changes tasks, an owner also manages the members."""

ROLES = {
    "owner": "changes tasks, invites, manages the members, renames and deletes the space",
    "editor": "adds, changes, completes and deletes tasks",
    "commenter": "looks at tasks and comments on them",
    "viewer": "looks at tasks",
}


class Space(Struct, frozen=True, kw_only=True):
    """A space and the caller's role in it."""

    id: str
    name: str
    role: str
    personal: bool


class SpacePage(Struct, frozen=True, kw_only=True):
    """The caller's spaces, the personal one first."""

    spaces: tuple[Space, ...]


class ListSpaces(Request[SpacePage], frozen=True, kw_only=True):
    """List the spaces that I am a member of."""

    verb = "ListSpaces"
    label = "space list"
    route = "GET /v1/spaces"
    write = False
    personal = True


class CreateSpace(Request[Space], frozen=True, kw_only=True):
    """Create a space that can be shared. The caller is its owner and creates the id."""

    verb = "CreateSpace"
    label = "space create"
    past = "Created"
    route = "POST /v1/spaces"
    scope = "spaces:write"
    personal = True

    id: Id
    name: Name


class RenameSpace(Request[Space], frozen=True, kw_only=True):
    """Rename the current space, as one of its owners."""

    verb = "RenameSpace"
    label = "space rename"
    past = "Renamed"
    route = "PATCH /v1/space"
    scope = "spaces:write"

    name: Name


class LeaveSpace(Request[Space], frozen=True, kw_only=True):
    """Leave a space. Its tasks stay with the other members."""

    verb = "LeaveSpace"
    label = "space leave"
    past = "Left"
    route = "DELETE /v1/spaces/{id}/membership"
    scope = "spaces:write"
    personal = True

    id: Id


class DeleteSpace(Request[Space], frozen=True, kw_only=True):
    """Delete a space with all its tasks, as its only member. This cannot be undone."""

    verb = "DeleteSpace"
    label = "space rm"
    past = "Deleted"
    route = "DELETE /v1/spaces/{id}"
    scope = "spaces:write"
    personal = True

    id: Id


class JoinSpace(Request[Space], frozen=True, kw_only=True):
    """Join a space by an invitation, which works once."""

    verb = "JoinSpace"
    label = "space join"
    past = "Joined"
    route = "POST /v1/spaces/join"
    scope = "spaces:write"
    personal = True

    invitation: Secret


class Member(Struct, frozen=True, kw_only=True):
    """A member of a space."""

    id: str
    name: str
    role: str


class MemberPage(Struct, frozen=True, kw_only=True):
    """All members of a space by name."""

    members: tuple[Member, ...]


class ListMembers(Request[MemberPage], frozen=True, kw_only=True):
    """List the members of the current space with their roles."""

    verb = "ListMembers"
    label = "space members"
    route = "GET /v1/members"
    write = False


class SetMemberRole(Request[Member], frozen=True, kw_only=True):
    """Change the role of a member of the current space, as one of its owners."""

    verb = "SetMemberRole"
    label = "space role"
    past = "Changed"
    route = "PATCH /v1/members/{name}"
    scope = "spaces:write"

    name: Name
    role: MemberRole


class RemoveMember(Request[Member], frozen=True, kw_only=True):
    """Remove a member from the current space, as one of its owners. What the member added stays."""

    verb = "RemoveMember"
    label = "space remove"
    past = "Removed"
    route = "DELETE /v1/members/{name}"
    scope = "spaces:write"

    name: Name


class SpaceInvitation(Struct, frozen=True, kw_only=True):
    """An invitation to a space, without its secret."""

    id: str
    role: str
    created_at: datetime
    expires_at: datetime
    inviter: str | None = None


class SpaceInvitationPage(Struct, frozen=True, kw_only=True):
    """The invitations that can still be used, newest first."""

    invitations: tuple[SpaceInvitation, ...]


class InviteMember(Request[SpaceInvitation], frozen=True, kw_only=True):
    """Invite a user to the current space, as one of its owners.

    The caller generates the invitation `space_<space id without dashes>_<secret>` and sends only its hash. It works
    once.
    """

    verb = "InviteMember"
    label = "space invite"
    past = "Invited"
    route = "POST /v1/space/invitations"
    scope = "spaces:write"

    id: Id
    invitation_hash: TokenHash
    role: MemberRole = "editor"
    expires: DateText = DEFAULT_SPACE_INVITATION_EXPIRY


class ListSpaceInvitations(Request[SpaceInvitationPage], frozen=True, kw_only=True):
    """List the invitations to the current space that can still be used, as one of its owners."""

    verb = "ListSpaceInvitations"
    label = "space invitations"
    route = "GET /v1/space/invitations"
    scope = "spaces:write"
    write = False


class DeletedSpaceInvitation(Struct, frozen=True, kw_only=True):
    """The id of an invitation that can no longer be used."""

    id: str


class DeleteSpaceInvitation(Request[DeletedSpaceInvitation], frozen=True, kw_only=True):
    """Withdraw an invitation to the current space that nobody has used."""

    verb = "DeleteSpaceInvitation"
    label = "space uninvite"
    past = "Deleted"
    route = "DELETE /v1/space/invitations/{id}"
    scope = "spaces:write"

    id: Id

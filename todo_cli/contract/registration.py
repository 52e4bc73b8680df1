"""Registration of users by themselves, and the invitations of administrators for it."""

from datetime import datetime

from msgspec import Struct

from todo_cli.contract.base import DateText, Name, Request, Secret
from todo_cli.contract.passwords import Email, NewPassword
from todo_cli.contract.tokens import Id, TokenHash

DEFAULT_INVITATION_EXPIRY = "7d"


class Registered(Struct, frozen=True, kw_only=True):
    """The registered address. The answer is the same where it had an account before."""

    email: str


class Register(Request[Registered], frozen=True, kw_only=True):
    """Create an account with a password, where the server allows it; then sign in.

    The caller creates the id. The answer does not tell whether the address had an account before; such an account stays
    as it is. A `name` that is taken gets a number.
    """

    verb = "Register"
    label = "register"
    past = "Registered"
    route = "POST /v1/registrations"
    scope = None

    id: Id
    email: Email
    name: Name
    password: NewPassword
    invitation: Secret | None = None


class Invitation(Struct, frozen=True, kw_only=True):
    """An invitation without its secret; `email` is the only address that may use it, null for any."""

    id: str
    email: str | None = None
    created_at: datetime
    expires_at: datetime
    inviter: str | None = None
    used_by: str | None = None


class InvitationPage(Struct, frozen=True, kw_only=True):
    """The invitations of all administrators, newest first."""

    invitations: tuple[Invitation, ...]


class CreateInvitation(Request[Invitation], frozen=True, kw_only=True):
    """Invite a person to register.

    The caller generates the invitation `invite_<user id without dashes>_<secret>` and sends only its hash. It can be
    used once.
    """

    verb = "CreateInvitation"
    label = "admin invitation create"
    past = "Created"
    route = "POST /v1/invitations"
    scope = "admin"
    personal = True

    id: Id
    invitation_hash: TokenHash
    email: Email | None = None
    expires: DateText = DEFAULT_INVITATION_EXPIRY


class ListInvitations(Request[InvitationPage], frozen=True, kw_only=True):
    """List the invitations that can still be used; with `all` also the used and expired ones."""

    verb = "ListInvitations"
    label = "admin invitation list"
    route = "GET /v1/invitations"
    scope = "admin"
    write = False
    personal = True

    all: bool = False


class DeletedInvitation(Struct, frozen=True, kw_only=True):
    """The id of an invitation that can no longer be used."""

    id: str


class DeleteInvitation(Request[DeletedInvitation], frozen=True, kw_only=True):
    """Delete an invitation that nobody has used."""

    verb = "DeleteInvitation"
    label = "admin invitation rm"
    past = "Deleted"
    route = "DELETE /v1/invitations/{id}"
    scope = "admin"
    personal = True

    id: Id

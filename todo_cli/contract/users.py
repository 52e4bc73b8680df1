"""Users, and who is signed in."""

from datetime import datetime

from msgspec import Struct

from todo_cli.contract.base import Name, Request
from todo_cli.contract.tokens import Id, TokenHash


class Identity(Struct, frozen=True, kw_only=True):
    """The user that the token belongs to, its scopes and limits, and the chosen space with the user's role."""

    user_id: str
    name: str
    admin: bool
    space_id: str
    space: str
    role: str
    token: str
    scopes: tuple[str, ...]
    expires_at: datetime | None = None
    timezone: str | None = None
    model: str | None = None
    budget: int | None = None
    show_usage: bool | None = None
    filter: str | None = None
    verbs: tuple[str, ...] | None = None
    per_minute: int | None = None
    proposes: bool = False

    @property
    def has_limits(self) -> bool:
        """Return whether the token has limits other than a rate."""
        return bool(self.filter or self.verbs or self.proposes)


class WhoAmI(Request[Identity], frozen=True, kw_only=True):
    """Show who is signed in, with which token, in which space."""

    verb = "WhoAmI"
    label = "whoami"
    route = "GET /v1/me"
    scope = "any"
    write = False


class User(Struct, frozen=True, kw_only=True):
    """A user: a person or an agent. A limit that is null does not exist."""

    id: str
    name: str
    admin: bool
    login: str | None = None
    created_at: datetime
    disabled_at: datetime | None = None
    tokens_per_day: int | None = None
    requests_per_minute: int | None = None
    turns_per_minute: int | None = None
    email: str | None = None


class UserPage(Struct, frozen=True, kw_only=True):
    """All users."""

    users: tuple[User, ...]


class AddUser(Request[User], frozen=True, kw_only=True):
    """Add a user with a first token.

    The caller generates the token and sends only its hash.
    """

    verb = "AddUser"
    label = "admin user add"
    past = "Added"
    route = "POST /v1/users"
    scope = "admin"
    personal = True

    id: Id
    name: Name
    token_id: Id
    token_hash: TokenHash
    admin: bool = False


class ListUsers(Request[UserPage], frozen=True, kw_only=True):
    """List all users."""

    verb = "ListUsers"
    label = "admin user list"
    route = "GET /v1/users"
    scope = "admin"
    write = False
    personal = True


class DisableUser(Request[User], frozen=True, kw_only=True):
    """Disable a user, whose tokens stop working immediately; their tasks stay.

    With `disabled` false the user is enabled again.
    """

    verb = "DisableUser"
    label = "admin user disable"
    past = "Disabled"
    route = "PATCH /v1/users/{name}"
    scope = "admin"
    personal = True

    name: Name
    disabled: bool = True

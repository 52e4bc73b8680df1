"""People, and the spaces they work in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from todo_cli.contract.base import KEEP, Kept, Name, Request
from todo_cli.contract.tokens import Id, TokenHash

TokensPerDay = Annotated[
    int, Meta(ge=0, le=10**15, description="tokens a day, those of the question and of the answer")
]


class Identity(Struct, frozen=True, kw_only=True):
    """Who the token says the caller is, and what it may do where."""

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


class WhoAmI(Request[Identity], frozen=True, kw_only=True):
    """Say who is signed in, with which token, in which space."""

    verb = "WhoAmI"
    label = "whoami"
    route = "GET /v1/me"
    scope = "any"
    write = False


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
    """List the spaces the caller is a member of."""

    verb = "ListSpaces"
    label = "space list"
    route = "GET /v1/spaces"
    write = False
    personal = True


class User(Struct, frozen=True, kw_only=True):
    """A person."""

    id: str
    name: str
    admin: bool
    login: str | None = None
    created_at: datetime
    disabled_at: datetime | None = None
    tokens_per_day: int | None = None


class UserPage(Struct, frozen=True, kw_only=True):
    """Everybody."""

    users: tuple[User, ...]


class AddUser(Request[User], frozen=True, kw_only=True):
    """Add a person with a first token, both minted by the caller: only the token's hash travels."""

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
    """List everybody."""

    verb = "ListUsers"
    label = "admin user list"
    route = "GET /v1/users"
    scope = "admin"
    write = False
    personal = True


class DisableUser(Request[User], frozen=True, kw_only=True):
    """Shut a person out (or, with `disabled` false, let them in again); their tasks stay."""

    verb = "DisableUser"
    label = "admin user disable"
    past = "Disabled"
    route = "PATCH /v1/users/{name}"
    scope = "admin"
    personal = True

    name: Name
    disabled: bool = True


class Preferences(Struct, frozen=True, kw_only=True):
    """What a person has chosen; null is not chosen. `budget`: the tokens of models that they want to use in a day."""

    timezone: str | None = None
    model: str | None = None
    budget: int | None = None


class SetPreferences(Request[Preferences], frozen=True, kw_only=True):
    """Change my preferences: what is left out stays as it is, null clears."""

    verb = "SetPreferences"
    label = "prefs"
    past = "Changed"
    route = "PATCH /v1/preferences"
    scope = "prefs:write"
    personal = True

    timezone: Name | Kept | None = KEEP
    model: Name | Kept | None = KEEP
    budget: TokensPerDay | Kept | None = KEEP

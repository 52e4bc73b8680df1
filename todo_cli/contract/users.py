"""People, and the spaces they work in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from todo_cli.contract.base import KEEP, Kept, Name, Request
from todo_cli.contract.tokens import Hash, Id

Tokens = Annotated[int, Meta(ge=0, le=10**15, description="tokens a day, those of the question and of the answer")]


class Me(Struct, frozen=True, kw_only=True):
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


class WhoAmI(Request[Me], frozen=True):
    """Say who is signed in, with which token, in which space."""

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


class ListSpaces(Request[SpacePage], frozen=True):
    """List the spaces the caller is a member of."""

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


class AddUser(Request[User], frozen=True):
    """Add a person with a first token, both minted by the caller: only the token's hash travels."""

    route = "POST /v1/users"
    scope = "admin"
    personal = True

    id: Id
    name: Name
    token_id: Id
    token_hash: Hash
    admin: bool = False


class ListUsers(Request[UserPage], frozen=True):
    """List everybody."""

    route = "GET /v1/users"
    scope = "admin"
    write = False
    personal = True


class DisableUser(Request[User], frozen=True):
    """Shut a person out (or, with `disabled` false, let them in again); their tasks stay."""

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


class SetPreferences(Request[Preferences], frozen=True):
    """Change my preferences: what is left out stays as it is, null clears."""

    route = "PATCH /v1/preferences"
    scope = "prefs:write"
    personal = True

    timezone: Name | Kept | None = KEEP
    model: Name | Kept | None = KEEP
    budget: Tokens | Kept | None = KEEP


REQUESTS = (WhoAmI, ListSpaces, AddUser, ListUsers, DisableUser, SetPreferences)

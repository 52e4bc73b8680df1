"""Sessions: the sign-ins of a user by password. A session is a token whose expiry slides with its use."""

from datetime import datetime

from msgspec import Struct

from todo_cli.contract.base import Name, Request


class UserSession(Struct, frozen=True, kw_only=True):
    """A sign-in; `address` is that of the machine or its network, `current` is the calling session."""

    id: str
    name: str
    address: str | None = None
    created_at: datetime
    last_used_at: datetime | None = None
    expires_at: datetime
    revoked_at: datetime | None = None
    current: bool = False


class SessionPage(Struct, frozen=True, kw_only=True):
    """The caller's sessions, oldest first."""

    sessions: tuple[UserSession, ...]


class ListSessions(Request[SessionPage], frozen=True, kw_only=True):
    """List my sessions; with `all` also those that have ended."""

    verb = "ListSessions"
    label = "session list"
    route = "GET /v1/sessions"
    write = False
    personal = True

    all: bool = False


class RevokedSessions(Struct, frozen=True, kw_only=True):
    """The names of the revoked sessions, and of the tokens and sessions that they created, which ended with them."""

    sessions: tuple[str, ...]
    descendants: tuple[str, ...] = ()


class RevokeSessions(Request[RevokedSessions], frozen=True, kw_only=True):
    """Revoke a session by name or id, without a name all others, and the tokens that they created."""

    verb = "RevokeSessions"
    label = "session revoke"
    past = "Revoked"
    route = "DELETE /v1/sessions"
    scope = "tokens:write"
    needs_unlimited = True
    personal = True

    name: Name | None = None


class SignedOut(Struct, frozen=True, kw_only=True):
    """The name of the session that ended; null where the caller's token is no session, which stays valid."""

    session: str | None = None


class SignOut(Request[SignedOut], frozen=True, kw_only=True):
    """End the calling session. The tokens that it created stay."""

    verb = "SignOut"
    label = "logout"
    past = "Signed out"
    route = "POST /v1/sign_outs"
    scope = "any"
    personal = True

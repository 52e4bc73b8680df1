"""Tokens: the credentials of machines, scripts and agents."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from todo_cli.contract.base import DateText, Name, Request
from todo_cli.contract.limits import MAX_FILTER_CHARS, MAX_REQUESTS_PER_MINUTE

SCOPES = {
    "all": "everything that the user may do",
    "read": "read tasks, the journal and spaces",
    "tasks:write": "add, change, complete and undo tasks",
    "chat": "chat with a model and read conversations",
    "spaces:write": "create, join and leave spaces, invite and manage members",
    "tokens:write": "create and revoke tokens, none with more scopes than its own",
    "prefs:write": "change preferences",
    "approve": "approve and reject what other tokens propose",
    "admin": "manage users (administrators only)",
}

SCOPES_TO_USE = {
    "tasks:write": "read,tasks:write",
    "chat": "read,tasks:write,chat",
    "spaces:write": "read,spaces:write",
    "tokens:write": "read,tokens:write",
    "prefs:write": "read,prefs:write",
    "approve": "read,tasks:write,approve",
    "admin": "read,admin",
}
"""Scope -> the scopes of a token that is to use it: to chat is to read and change tasks."""

TokenHash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 of the token, in hex")]
Id = Annotated[str, Meta(pattern="^[0-9a-f-]{36}$", description="a UUID")]
Scopes = Annotated[tuple[Name, ...], Meta(min_length=1, max_length=20)]
AllowedVerbs = Annotated[
    tuple[Name, ...],
    Meta(min_length=1, max_length=100, description="the only Requests by which the token may change anything"),
]
TokenFilter = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_FILTER_CHARS,
        description="the tasks that the token is for: it sees and changes no others",
    ),
]
TokenRate = Annotated[int, Meta(ge=1, le=MAX_REQUESTS_PER_MINUTE, description="requests in any 60 seconds")]

LIMITED_SCOPES = ("read", "tasks:write", "tokens:write")
"""The scopes that a token with a filter, with verbs or with proposals may have."""


class Token(Struct, frozen=True, kw_only=True):
    """A token without its secret, which only its creator has."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    current: bool = False
    parent: str | None = None
    filter: str | None = None
    verbs: tuple[str, ...] | None = None
    per_minute: int | None = None
    proposes: bool = False


class RevokedToken(Token, frozen=True, kw_only=True):
    """A revoked token, and the names of the tokens that were revoked with it: those that it created, and theirs."""

    descendants: tuple[str, ...] = ()


class TokenPage(Struct, frozen=True, kw_only=True):
    """The caller's tokens."""

    tokens: tuple[Token, ...]


class CreateToken(Request[Token], frozen=True, kw_only=True):
    """Create a token.

    The caller generates the secret and sends only its hash. The token expires no later than the one that creates it,
    and its limits are never wider: it is for the tasks that match both filters. With `proposes` its changes wait for
    an approval. A token with limits works through a server, and not in the chat.
    """

    verb = "CreateToken"
    label = "token create"
    past = "Created"
    route = "POST /v1/tokens"
    scope = "tokens:write"
    personal = True

    id: Id
    hash: TokenHash
    name: Name
    scopes: Scopes
    expires: DateText | None = None
    filter: TokenFilter | None = None
    verbs: AllowedVerbs | None = None
    per_minute: TokenRate | None = None
    proposes: bool = False


class ListTokens(Request[TokenPage], frozen=True, kw_only=True):
    """List my tokens; with `all` also the revoked and expired ones."""

    verb = "ListTokens"
    label = "token list"
    route = "GET /v1/tokens"
    write = False
    personal = True

    all: bool = False


class RevokeToken(Request[RevokedToken], frozen=True, kw_only=True):
    """Revoke a token by name or id, and the tokens that it created; the next request with any of them is refused."""

    verb = "RevokeToken"
    label = "token revoke"
    past = "Revoked"
    route = "DELETE /v1/tokens/{name}"
    scope = "tokens:write"
    personal = True

    name: Name

"""The form of every question and the envelope it travels in."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

R = TypeVar("R")

KEEP = UNSET
"""In an edit: leave the field as it is (null clears it)."""

Kept = UnsetType

Number = Annotated[int, Meta(ge=1, le=2**63 - 1, description="a task's number, as shown: #12")]
Numbers = Annotated[tuple[Number, ...], Meta(max_length=10_000)]
Title = Annotated[str, Meta(min_length=1, max_length=1_000)]
Note = Annotated[str, Meta(max_length=100_000)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
Tag = Annotated[str, Meta(min_length=1, max_length=100)]
Tags = Annotated[tuple[Tag, ...], Meta(max_length=100)]
Priority = Annotated[int, Meta(ge=1, le=3, description="1 is the most urgent, 3 the least")]
When = Annotated[
    str,
    Meta(min_length=1, max_length=200, description="a date or an instant, as ISO or in words: 'next fri 9am'"),
]


class Asks(Enum):
    """Whether a model must have a person's yes before this request runs."""

    NEVER = "never"
    SEVERAL = "several"
    ALWAYS = "always"


class Request(Struct, Generic[R], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One question; `R` is the answer's type. Its docstring is the tool's and the endpoint's description.

    route: method and path, None for an internal one. scope: what a token needs, "any" for any
    token, None where nobody need be signed in.
    write: it changes something, so it locks the space and is journaled. personal: it acts in the
    caller's own space whatever space is chosen. tool: models and agents may call it.
    """

    route: ClassVar[str | None] = None
    scope: ClassVar[str | None] = "read"
    write: ClassVar[bool] = True
    personal: ClassVar[bool] = False
    tool: ClassVar[bool] = False
    asks: ClassVar[Asks] = Asks.NEVER


class Secret:
    """A password, token, code or key: shown only by `reveal`, so never in a log, journal or traceback."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks, and how: everything that travels beside a request."""

    token: Secret
    space: str | None = None
    zone: str | None = None
    key: str | None = None
    way: str = "direct"
    address: str | None = None

    @property
    def user_id(self) -> str:
        """The user's id as the token states it openly; whether it is true the database decides."""
        return token_user(self.token.reveal())


def token_user(token: str) -> str:
    """The user's id in `todo_<32 hex digits>_<secret>`; the nil id when there is none, which no user has."""
    kind, _, rest = token.partition("_")
    user, _, secret = rest.partition("_")
    if kind != "todo" or len(user) != 32 or not secret or set(user) - set("0123456789abcdef"):
        return "00000000-0000-0000-0000-000000000000"
    return f"{user[:8]}-{user[8:12]}-{user[12:16]}-{user[16:20]}-{user[20:]}"


def title_of(request: type[Request[Any]]) -> str:
    """The request's first line of documentation."""
    return (request.__doc__ or request.__name__).strip().splitlines()[0]


def method_and_path(request: type[Request[Any]]) -> tuple[str, str]:
    """`("POST", "/v1/tasks")`; raises ValueError for an internal request."""
    if request.route is None:
        raise ValueError(f"{request.__name__} is internal")
    method, path = request.route.split(" ", 1)
    return method, path


__all__ = [
    "KEEP", "Asks", "Caller", "Kept", "Name", "Note", "Number", "Numbers", "Priority", "Request", "Secret", "Tag",
    "Tags", "Title", "When", "method_and_path", "msgspec", "title_of", "token_user",
]  # fmt: skip

"""The form of every question and the envelope it travels in."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, ClassVar, Generic, TypeVar

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
Limit = Annotated[int, Meta(ge=1, le=1_000)]
Priority = Annotated[int, Meta(ge=1, le=3, description="1 is the most urgent, 3 the least")]
When = Annotated[
    str,
    Meta(min_length=1, max_length=200, description="a date or an instant, as ISO or in words: 'next fri 9am'"),
]


class Asks(Enum):
    """When a person must approve a model's call: never, when a turn changes several tasks, or always."""

    NEVER = "never"
    SEVERAL = "several"
    ALWAYS = "always"


class Request(Struct, Generic[R], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that can be asked of the system; `R` is the type of the answer.

    Every table of operations is derived from these class variables: the HTTP routes, the OpenAPI document, the tools of
    models and MCP clients, the labels of the history. The first line of the docstring is the summary in all of them.
    """

    verb: ClassVar[str]
    """The operation's name in the journal, in plans and in tool calls. It is stored, so it never changes."""
    label: ClassVar[str] = ""
    """The command that people type for it: "add", "token create". Empty for internal Requests."""
    past: ClassVar[str] = ""
    """The word before the result: "Added". Empty where nobody is shown one."""
    route: ClassVar[str | None] = None
    """HTTP method and path; None for an internal Request."""
    scope: ClassVar[str | None] = "read"
    """The scope that the token needs: "any" for any token, None when no token is needed."""
    write: ClassVar[bool] = True
    """True when it changes something: it then locks the space and adds a row to the journal."""
    personal: ClassVar[bool] = False
    """True when it acts in the caller's own space, whichever space is chosen."""
    tool: ClassVar[str | None] = None
    """The name by which models and MCP clients call it; None when they may not."""
    tool_always: ClassVar[bool] = False
    """True when the chat offers the tool in every request; a model finds the other tools with `more_tools`."""
    asks: ClassVar[Asks] = Asks.NEVER
    """Whether a person must approve a model's call of it."""
    needs_numbers: ClassVar[bool] = False
    """True when a model must name the tasks by their numbers."""


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

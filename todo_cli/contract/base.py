"""The base of every Request, the types of its fields, and the caller who sends it."""

from enum import Enum
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from msgspec import Meta, Struct

from todo_cli.contract.limits import (
    MAX_DATE_CHARS,
    MAX_INTEGER,
    MAX_NAME_CHARS,
    MAX_NOTE_CHARS,
    MAX_PAGE_ITEMS,
    MAX_SECRET_CHARS,
    MAX_TAG_CHARS,
    MAX_TAGS_PER_TASK,
    MAX_TASKS_PER_CHANGE,
    MAX_TITLE_CHARS,
)

R = TypeVar("R")

Number = Annotated[int, Meta(ge=1, le=MAX_INTEGER, description="a task's number, as shown: #12")]
TaskNumbers = Annotated[tuple[Number, ...], Meta(max_length=MAX_TASKS_PER_CHANGE)]
Title = Annotated[str, Meta(min_length=1, max_length=MAX_TITLE_CHARS)]
Note = Annotated[str, Meta(max_length=MAX_NOTE_CHARS)]
Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_CHARS)]
Tag = Annotated[str, Meta(min_length=1, max_length=MAX_TAG_CHARS)]
Tags = Annotated[tuple[Tag, ...], Meta(max_length=MAX_TAGS_PER_TASK)]
Limit = Annotated[int, Meta(ge=1, le=MAX_PAGE_ITEMS, description="how many to return at most")]
PriorityLevel = Annotated[int, Meta(ge=1, le=3, description="1 is the most urgent, 3 the least")]
DateText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_DATE_CHARS,
        description="a date or an instant, in ISO form or in words: 'next fri 9am'",
    ),
]

Moment = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_DATE_CHARS,
        description="a time in the past: a date, an instant, or words: 'friday', '2h', 'yesterday 18:00'",
    ),
]


class Asks(Enum):
    """When a person must approve a model's call.

    NEVER is for additions. SEVERAL asks for several tasks in a turn, and for a task that the person did not name.
    """

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
    is_versioned: ClassVar[bool] = False
    """True when the answer follows from the space's tasks, comments and views, the caller's preferences and the day.

    Then HTTP and the cache give the same answer again until one of these changes (`db/sign_in.py`).
    """
    personal: ClassVar[bool] = False
    """True when it acts in the caller's own space, whichever space is chosen."""
    tool: ClassVar[str | None] = None
    """The name by which models and MCP clients call it; None when they may not."""
    tool_always: ClassVar[bool] = False
    """True when the chat offers the tool in every request; a model finds the other tools with `more_tools`."""
    asks: ClassVar[Asks] = Asks.NEVER
    """Whether a person must approve a model's call of it."""
    unjournaled: ClassVar[tuple[str, ...]] = ()
    """Fields that the journal leaves out: addresses and keys that may be secrets."""
    needs_unlimited: ClassVar[bool] = False
    """True when it acts on more than tasks, so that no token with limits may send it."""
    needs_numbers: ClassVar[bool] = False
    """True when a model must name the tasks by their numbers."""


class Secret:
    """A password, token or key. Only `reveal` shows it, so it appears in no log, journal or traceback.

    In a Request it is a text of `min_chars` to `max_chars` characters that match the pattern.
    """

    __slots__ = ("_value",)

    min_chars: ClassVar[int] = 1
    max_chars: ClassVar[int] = MAX_SECRET_CHARS
    pattern: ClassVar[str | None] = None

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


class Caller(Struct, frozen=True, kw_only=True):
    """The caller of a request and how it came: everything that travels beside the request.

    `fences` are the numbers of the claims on which the caller acts: a write is refused where one of its tasks has
    another one.
    """

    token: Secret
    space: str | None = None
    zone: str | None = None
    key: str | None = None
    way: str = "direct"
    address: str | None = None
    fences: tuple[int, ...] = ()

    @property
    def user_id(self) -> str:
        """Return the user's id as the token states it openly. Only the database decides whether it is true."""
        return token_user(self.token.reveal())


def token_user(token: str, prefix: str = "todo") -> str:
    """Return the user's id of `todo_<32 hex digits>_<secret>`; for other text the nil id, which no user has."""
    kind, _, rest = token.partition("_")
    user, _, secret = rest.partition("_")
    if kind != prefix or len(user) != 32 or not secret or set(user) - set("0123456789abcdef"):
        return "00000000-0000-0000-0000-000000000000"
    return f"{user[:8]}-{user[8:12]}-{user[12:16]}-{user[16:20]}-{user[20:]}"


def summary_of(request: type[Request[Any]]) -> str:
    """Return the first line of the docstring: the summary in tools and in OpenAPI."""
    return (request.__doc__ or request.__name__).strip().splitlines()[0]


def method_and_path(request: type[Request[Any]]) -> tuple[str, str]:
    """Return `("POST", "/v1/tasks")`; raises ValueError for an internal request."""
    if request.route is None:
        raise ValueError(f"{request.__name__} is internal")
    method, path = request.route.split(" ", 1)
    return method, path

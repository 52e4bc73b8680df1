"""The names and numbers that a shell offers at the Tab key, those in use first."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from todo_cli.contract.base import Request
from todo_cli.contract.limits import MAX_NAME_CHARS

SuggestionKind = Literal["task", "project", "tag"]
SuggestedStatus = Literal["open", "done", "deleted", "all"]

MAX_SUGGESTIONS = 20
"""More than a screen shows is no help, and an answer of this size costs the same for every list."""


class Suggestion(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A word that may be typed: a task's number with its title as `about`, or a name."""

    value: str
    about: str = ""


class Suggestions(Struct, frozen=True, kw_only=True):
    """The words that begin as typed, at most 20."""

    suggestions: tuple[Suggestion, ...]


class SuggestWords(Request[Suggestions], frozen=True, kw_only=True):
    """Suggest task numbers, projects or tags that begin with a text, those used lately first."""

    verb = "SuggestWords"
    label = "completion"
    route = "GET /v1/suggestions"
    write = False

    kind: SuggestionKind
    prefix: Annotated[str, Meta(max_length=MAX_NAME_CHARS)] = ""
    status: SuggestedStatus = "open"

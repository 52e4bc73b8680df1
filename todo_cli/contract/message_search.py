"""Search in conversations: what was said, and the titles of the tasks that were changed there."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from todo_cli.contract.base import Request, When


class Passage(Struct, frozen=True, kw_only=True):
    """A piece of a text; `parts` are the places in it that match: from a character to the one behind."""

    text: str
    parts: tuple[tuple[int, int], ...]


class MessageHit(Struct, frozen=True, kw_only=True):
    """A message that was found: in which conversation, at which place (`seq`), and where it holds the words.

    A tool's message is found by the titles of the tasks that it tells of: those are its passage.
    """

    conversation: int
    title: str
    seq: int
    role: Literal["user", "assistant", "tool"]
    at: datetime
    score: float
    passage: Passage


class MessageHits(Struct, frozen=True, kw_only=True):
    """Messages with all the words; where there is none, those with the most of them."""

    hits: tuple[MessageHit, ...]


class SearchConversations(Request[MessageHits], frozen=True, kw_only=True):
    """Find what was said in my conversations by words, or beginnings of words: the best first, or the newest."""

    verb = "SearchConversations"
    label = "chat search"
    route = "GET /v1/messages"
    scope = "chat"
    write = False

    words: Annotated[str, Meta(min_length=1, max_length=10_000)]
    number: Annotated[int, Meta(ge=1, le=2**63 - 1, description="only in this conversation")] | None = None
    role: Annotated[
        Literal["user", "assistant"] | None, Meta(description="only what the person, or the model said or did")
    ] = None
    since: When | None = None
    until: Annotated[When | None, Meta(description="a date, that day included, or an instant")] = None
    sort: Literal["rank", "newest"] = "rank"
    limit: Annotated[int, Meta(ge=1, le=200)] = 20

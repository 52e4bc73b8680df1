"""Full-text search of conversations: their messages and the titles of the tasks that were changed in them."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from todo_cli.contract.base import DateText, Request
from todo_cli.contract.limits import MAX_INTEGER, MAX_MESSAGE_HITS, MAX_SEARCH_CHARS


class Passage(Struct, frozen=True, kw_only=True):
    """A passage of a message; `parts` are the matches in `text`: pairs of start and end, the end excluded."""

    text: str
    parts: tuple[tuple[int, int], ...]


class MessageHit(Struct, frozen=True, kw_only=True):
    """A message that was found: its conversation, its position there (`seq`), and the passage with the words.

    A tool's message is found by the titles of the tasks in its result; they are its passage.
    """

    conversation: int
    title: str
    seq: int
    role: Literal["user", "assistant", "tool"]
    at: datetime
    score: float
    passage: Passage


class MessageHits(Struct, frozen=True, kw_only=True):
    """The messages with all words; when no message has all words, the messages with most of them."""

    hits: tuple[MessageHit, ...]


class SearchConversations(Request[MessageHits], frozen=True, kw_only=True):
    """Find messages in my conversations by words or beginnings of words, best or newest first."""

    verb = "SearchConversations"
    label = "chat search"
    route = "GET /v1/messages"
    scope = "chat"
    write = False

    words: Annotated[str, Meta(min_length=1, max_length=MAX_SEARCH_CHARS)]
    number: Annotated[int, Meta(ge=1, le=MAX_INTEGER, description="only in this conversation")] | None = None
    role: Annotated[
        Literal["user", "assistant"] | None,
        Meta(description="only the person's messages, or the model's and its tools'"),
    ] = None
    since: DateText | None = None
    until: Annotated[DateText | None, Meta(description="a date, that day included, or an instant")] = None
    sort: Literal["rank", "newest"] = "rank"
    limit: Annotated[int, Meta(ge=1, le=MAX_MESSAGE_HITS)] = 20

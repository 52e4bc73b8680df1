"""The kinds of words in `command_words.txt`, and how a word of each kind is completed.

=open|done      one of these words
=add|view save  one of these phrases, each word of which is an argument of its own
,due|priority   such words with commas between them, each perhaps with a minus
task:open       the number of a task of this status, several with commas or as a range
tasks:open      numbers or a filter
filter          a filter
title           a title that quick add reads
date            a date in words
file            a file
profile         a profile of the configuration
!               nothing: the option is a flag
project, tag, view, conversation, …   a name or number that the server knows (`live.py`)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

FLAG, NOTHING, FILE = "!", "", "file"
LIVE_KINDS = (
    "task:open", "task:done", "task:deleted", "task:all", "project", "tag", "view", "conversation", "token", "session",
    "space", "member", "channel", "user", "plan", "proposal", "attachment",
)  # fmt: skip  # a list of words
"""The kinds of words that the server knows."""

DATES = (
    "today", "tomorrow", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "eod", "eow",
    "eom", "none",
)  # fmt: skip  # a list of words


class Offer(NamedTuple):
    """A word that may be typed, and a line about it."""

    value: str
    about: str = ""


class WordPart(NamedTuple):
    """The part of a word that is completed: its kind, the text in front of it, which stays, and its beginning.

    A name is put into double quotes where it needs them, if `is_quotable`.
    """

    kind: str
    head: str
    typed: str
    is_quotable: bool = False


def find_next_words(kind: str, arguments: Sequence[str]) -> str:
    """Return the kind of the word that continues the arguments to one of the phrases."""
    phrases = [phrase.split(" ") for phrase in kind[1:].split("|")]
    place = len(arguments)
    words = [phrase[place] for phrase in phrases if len(phrase) > place and phrase[:place] == [*arguments]]
    return f"={'|'.join(dict.fromkeys(words))}" if words else NOTHING


def split_list(kind: str, typed: str) -> WordPart:
    """Return the last word of a list with commas; a minus in front of it stays."""
    before, comma, last = typed.rpartition(",")
    sign = "-" if last.startswith("-") else ""
    return WordPart(f"={kind[1:]}", before + comma + sign, last.removeprefix("-"))


def split_numbers(kind: str, typed: str) -> WordPart:
    """Return the last number of `3,7-9` or `#12`."""
    digits = len(typed)
    while digits and typed[digits - 1].isdigit():
        digits -= 1
    head = typed[:digits]
    if head.strip("#,-0123456789"):
        return WordPart(NOTHING, typed, "")
    return WordPart(kind, head, typed[digits:])


def offer_constants(part: WordPart) -> list[Offer]:
    """Return the words of a kind that needs no server."""
    words: tuple[str, ...] | list[str] = ()
    if part.kind[:1] == "=":
        words = part.kind[1:].split("|")
    elif part.kind == "date":
        words = DATES
    elif part.kind == "profile":
        from todo_cli.settings.settings_file import profile_names

        words = profile_names(part.typed)
    elif part.kind == "fields":
        return [offer for offer in _list_fields(has_signs=not part.typed) if offer.value.startswith(part.typed)]
    return [Offer(word) for word in words if word.startswith(part.typed)]


def _list_fields(*, has_signs: bool) -> list[Offer]:
    """Return what may begin a term of a filter: signs, fields and priorities."""
    from todo_cli.parsing.filter_vocabulary import FIELDS

    signs = [Offer("#", "project"), Offer("@", "tag"), Offer(":", "view")] if has_signs else []
    priorities = [Offer(f"p{level}", f"priority {level}") for level in (1, 2, 3)]
    return [*signs, *(Offer(f"{name}:") for name in FIELDS), *priorities]


def quote_name(name: str) -> str:
    """Return a name as a filter or a title reads it: in double quotes unless it is a plain word."""
    if name.replace("-", "").replace("_", "").replace(".", "").replace("/", "").isalnum() and not name.isdigit():
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

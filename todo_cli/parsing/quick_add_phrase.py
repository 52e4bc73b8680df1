"""Describe a phrase that quick add finds in a title, and list the words after which no date is read."""

from __future__ import annotations

from typing import NamedTuple

BLOCKERS = frozenset({
    "the", "a", "an", "some", "any", "my", "your", "our", "his", "her", "its", "their", "that", "for", "of", "about",
    "from", "until", "till", "since", "before", "after", "than", "vs", "to", "between", "and", "or", "&", "with",
    "like", "last", "every", "each", "all", "per", "no", "regarding", "re:", "except",
})  # fmt: skip  # a word list


class Phrase(NamedTuple):
    """Words that are a date, from `first` to `last` (exclusive).

    text: the words that `parse_date` reads. kind: day, time or both. end: the end of the words in the text, before
    punctuation. reach: the first word behind the phrase, including a range of times whose length stays in the title.
    is_complete: False for a weekday that counts only if a time stands elsewhere.
    """

    first: int
    last: int
    text: str
    kind: str
    end: int
    reach: int
    is_complete: bool = True

"""Recognize misspelled date words: `tonite`, `tomorow`, `wensday`."""

from __future__ import annotations

from functools import lru_cache

from todo_cli.parsing.spelling import is_one_letter_apart

DATE_NAMES = frozenset({
    "tomorrow", "tonight", "yesterday", "weekday", "weekend",
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    "january", "february", "august", "september", "october", "november", "december",
})  # fmt: skip  # a word list
MISSPELLINGS = frozenset({
    "tonite", "2nite", "2moro", "2morrow", "tmw", "tomoz", "tommorow", "wensday", "wendsday",
})  # fmt: skip  # a word list
# Correct words that are one letter away from a date name.
_OTHER_WORDS = frozenset(("sundae", "weekdays", "weekends", *(f"{name}s" for name in DATE_NAMES)))


@lru_cache(10_000)  # thousands of lines repeat their words
def is_misspelled(core: str) -> bool:
    """Return whether a word in lower case is one letter away from a date name, or a common misspelling of one."""
    if core in MISSPELLINGS:
        return True
    if len(core) < 5 or core in DATE_NAMES or core in _OTHER_WORDS:
        return False
    return any(is_one_letter_apart(core, name) for name in DATE_NAMES)

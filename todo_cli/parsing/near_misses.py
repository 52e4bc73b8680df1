"""Find words that look like a date but were not read as one: `tonite`, `tomorow`, `2026-11-31`, `friday the 13th`."""

from __future__ import annotations

from todo_cli.parsing.spelling import is_one_letter_apart

MAX_NEAR_MISSES = 3  # reported for one text
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


def is_misspelled(core: str) -> bool:
    """Return whether a word in lower case is one letter away from a date name, or a common misspelling of one."""
    if core in MISSPELLINGS:
        return True
    if len(core) < 5 or core in DATE_NAMES or core in _OTHER_WORDS:
        return False
    return any(is_one_letter_apart(core, name) for name in DATE_NAMES)


def find_near_misses(title: str) -> tuple[str, ...]:
    """Return the parts of a title that look like a date, at most `MAX_NEAR_MISSES`. The title has no date."""
    words = [word.strip(",.;:!?()\"'") for word in title.split()]
    found = [word for word in words if is_misspelled(word.lower())]
    if any(any(char.isdigit() for char in word) or word.lower() in DATE_NAMES for word in words):
        from todo_cli.parsing.quick_add import read_quick_add

        found += read_quick_add(title).refused
    return tuple(dict.fromkeys(found))[:MAX_NEAR_MISSES]

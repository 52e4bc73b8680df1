"""Find words that look like a date but were not read as one: `tonite`, `tomorow`, `2026-11-31`, `friday the 13th`."""

from __future__ import annotations

import re
from datetime import date

from todo_cli.parsing.date_vocabulary import MONTHS, WEEKDAYS
from todo_cli.parsing.misspellings import DATE_NAMES, is_misspelled

_DATE_NUMBER = re.compile(r"[0-9][-/.:][0-9]|[0-9](?:st|nd|rd|th|am|pm)$")
MAX_NEAR_MISSES = 3  # reported for one text


def _is_like_date(word: str) -> bool:
    """Return whether a word alone may belong to a date: a name, `13th`, `2026-11-31`, `25:00`, but no plain number."""
    return word in DATE_NAMES or word in WEEKDAYS or word in MONTHS or bool(_DATE_NUMBER.search(word))


def find_near_misses(title: str, today: date) -> tuple[str, ...]:
    """Return the parts of a title without a date that look like one, at most `MAX_NEAR_MISSES`."""
    words = [word.strip(",.;:!?()\"'") for word in title.split()]
    found = [word for word in words if is_misspelled(word.lower())]
    if any(_is_like_date(word.lower()) for word in words):
        from todo_cli.errors import Invalid
        from todo_cli.parsing.quick_add import read_quick_add

        try:
            refused = read_quick_add(title, today).refused
        except Invalid:
            refused = ()
        found = [word for word in found if not any(word in phrase for phrase in refused)] + list(refused)
    return tuple(dict.fromkeys(found))[:MAX_NEAR_MISSES]

"""Find words that look like a date but were not read as one: `tonite`, `tomorow`, `2026-11-31`, `friday the 13th`."""

from __future__ import annotations

from todo_cli.parsing.misspellings import DATE_NAMES, is_misspelled

MAX_NEAR_MISSES = 3  # reported for one text


def find_near_misses(title: str) -> tuple[str, ...]:
    """Return the parts of a title without a date that look like one, at most `MAX_NEAR_MISSES`."""
    words = [word.strip(",.;:!?()\"'") for word in title.split()]
    found = [word for word in words if is_misspelled(word.lower())]
    if any(any(char.isdigit() for char in word) or word.lower() in DATE_NAMES for word in words):
        from todo_cli.errors import Invalid
        from todo_cli.parsing.quick_add import read_quick_add

        try:
            refused = read_quick_add(title).refused
        except Invalid:
            refused = ()
        found = [word for word in found if not any(word in phrase for phrase in refused)] + list(refused)
    return tuple(dict.fromkeys(found))[:MAX_NEAR_MISSES]

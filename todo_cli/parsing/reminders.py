"""Read and write when a task reminds: `1h before` its due date, `at due`, or an instant."""

from __future__ import annotations

import re
from datetime import time
from typing import NamedTuple

from todo_cli.parsing.durations import parse_duration

DAY_START = time(9)
"""The hour that a day without a time stands for; `todo.reminder_moments` has the same."""
SECONDS_PER_DAY = 86_400
_UNITS = (("w", 7 * SECONDS_PER_DAY), ("d", SECONDS_PER_DAY), ("h", 3_600), ("m", 60), ("s", 1))

_AT_DUE = re.compile(r"(?:(?:at|when) due|at (?:the )?due (?:date|time)|0[smhd]?(?: before)?)", re.IGNORECASE)
_DURATION = re.compile(r"[0-9.]+\s*[a-z]+(?:(?:,|\s|and\b)*[0-9.]+\s*[a-z]+)*", re.IGNORECASE)


class LeadTime(NamedTuple):
    """The time between a reminder and the due date. Days are counted by the calendar."""

    days: int
    seconds: int


def parse_lead(text: str) -> LeadTime | None:
    """Return how long before the due date the words remind; None for words that name a date. Raises Invalid."""
    words = text.strip()
    if _AT_DUE.fullmatch(words):
        return LeadTime(0, 0)
    length = re.sub(r"\s*\bbefore(?: (?:it is )?due)?$", "", words, flags=re.IGNORECASE)
    if length == words and not (_DURATION.fullmatch(words) and _is_duration(words)):
        return None
    return LeadTime(*divmod(round(parse_duration(length)), SECONDS_PER_DAY))


def _is_duration(words: str) -> bool:
    from todo_cli.errors import Invalid

    try:
        parse_duration(words)
    except Invalid:
        return False
    return True


def format_lead(days: int, seconds: int) -> str:
    """Return `1h 30m before`, or `at due`; `parse_lead` reads it."""
    length = format_length(days, seconds)
    return f"{length} before" if length else "at due"


def format_length(days: int, seconds: int) -> str:
    """Return `1d 1h 30m`, an empty text for no time."""
    rest, parts = days * SECONDS_PER_DAY + seconds, []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts)

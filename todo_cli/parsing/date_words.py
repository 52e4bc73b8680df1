"""Recognize date vocabulary word by word: the words at which a phrase may not end, because it would be read in part."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from todo_cli.errors import Invalid
from todo_cli.parsing.date_vocabulary import (
    AMBIGUOUS_ZONES,
    CLOCK_UNITS,
    DAY_PARTS,
    DAY_UNITS,
    MONTHS,
    NUMBERS,
    PERIOD_LENGTHS,
    WEEKDAYS,
    ZONES,
    any_of,
)

_TIME = r"[0-9]{1,2}(?:(?:[:.][0-9]{2})?[ap]\.?m\.?|(?::[0-9]{2}){1,2})"
_RANGE = re.compile(
    r"(?P<start>[0-9]{1,2}(?::[0-9]{2})?)(?P<half>[ap]m)?[-–—][0-9]{1,2}(?:(?::[0-9]{2})(?P<end>[ap]m)?|(?P<end2>[ap]m))"
)
_DAY_WORDS = (  # `re` compiles it at the first use, which most titles never reach
    rf"{any_of(WEEKDAYS)}s?|{any_of(MONTHS)}|today|tonight|tomorrow|tmrw|yesterday|[0-9]{{1,2}}(?:st|nd|rd|th)"
    rf"|{_TIME}|[0-9]{{4}}[-/][0-9]{{1,2}}[-/][0-9]{{1,2}}(?:t.*)?|[0-9]{{1,2}}\.[0-9]{{1,2}}\.(?:[0-9]{{4}})?"
    r"|[0-9]{1,2}/[0-9]{1,2}(?:/[0-9]{2,4})?"
)
_UNITS = any_of([*DAY_UNITS, *CLOCK_UNITS])
_ANY_DATE_WORD = re.compile(
    rf"{_DAY_WORDS}|{any_of(DAY_PARTS)}|weekend|midnight|eod|eo[np]?[wmqy]|[0-9]+{_UNITS}|[ap]\.?m\.?|o'clock"
    rf"|{any_of(AMBIGUOUS_ZONES)}|[-+][0-9]{{2}}:?[0-9]{{2}}|(?:utc|gmt)[-+][0-9]+"
)
_CONNECTORS = frozenset(("and", "or", "&", "to", "through", "thru", "until", "till", "-", "–", "—", "from"))
_PREPOSITIONS = frozenset(("on", "at", "by", "the", "of", "in"))
_PERIODS = frozenset((*PERIOD_LENGTHS, "weekend", *WEEKDAYS, *DAY_PARTS, *MONTHS))
_YEAR = re.compile("[12][0-9]{3}")
MAX_CONNECTORS = 4  # in a row before one date word: `and on the 13th`
_SHORT_NUMBER = re.compile("[0-9]{1,2}")


def is_day_word(core: str) -> bool:
    """Return whether the word alone names a day, a month or a time."""
    return bool(re.fullmatch(_DAY_WORDS, core) or _RANGE.fullmatch(core))


def range_start(core: str) -> str | None:
    """Return the start of a range of times: `7pm` of `7pm-9pm`, and of `7-9pm`."""
    match = _RANGE.fullmatch(core)
    return match["start"] + (match["half"] or match["end"] or match["end2"] or "") if match else None


def count_date_words(cores: Sequence[str], at: int, depth: int = MAX_CONNECTORS) -> int:
    """Return how many words of date vocabulary begin at this place; 0 if there are none.

    Date vocabulary is a weekday, a month, an ordinal, a time, a number with a unit, a part of the day, or a connector
    or a preposition before one of these.
    """
    if at >= len(cores) or not cores[at]:
        return 0
    core, following = cores[at], cores[at + 1] if at + 1 < len(cores) else ""
    if core in ("this", "next", "last") and following in _PERIODS:
        return 2
    if _SHORT_NUMBER.fullmatch(core) and (following in MONTHS or (at and cores[at - 1] in MONTHS)):
        return 1
    if _YEAR.fullmatch(core) and any(before in MONTHS for before in cores[max(0, at - 2) : at]):
        return 1
    if (core.isdecimal() or core in NUMBERS) and (re.fullmatch(_UNITS, following) or re.fullmatch("[ap]m", following)):
        return 2
    if _ANY_DATE_WORD.fullmatch(core) or _RANGE.fullmatch(core):
        return 1
    if core == "at" and _SHORT_NUMBER.fullmatch(following):
        return 2
    if core in _CONNECTORS or core in _PREPOSITIONS:
        inner = count_date_words(cores, at + 1, depth - 1) if depth else 0
        return inner + 1 if inner else 0
    return 0


def end_of_run(cores: Sequence[str], at: int) -> int:
    """Return the place behind all date vocabulary that follows without a gap."""
    while length := count_date_words(cores, at):
        at += length
    return at


def touches_date_word(cores: Sequence[str], first: int, last: int) -> bool:
    """Return whether the word before or the words behind a phrase are date vocabulary.

    A length or a part of the day may stand before a date: `Walk 30 min tomorrow`, `Game night friday`.
    """
    if count_date_words(cores, last):
        return True
    before = cores[first - 1] if first else ""
    if (
        is_number_at_end(cores, last)
        or is_day_word(before)
        or (_SHORT_NUMBER.fullmatch(before) and cores[first] in MONTHS)
    ):
        return True
    return before in _CONNECTORS and first > 1 and is_day_word(cores[first - 2])


def begins_unreadable_date(cores: Sequence[str], at: int) -> bool:
    """Return whether date vocabulary begins here, other than a connector, a preposition or a part of the day."""
    is_other = cores[at] in _CONNECTORS or cores[at] in _PREPOSITIONS or cores[at] in DAY_PARTS
    return not is_other and count_date_words(cores, at) > 0


def is_number_at_end(cores: Sequence[str], at: int) -> bool:
    """Return whether a short number ends the text, which may be a time: `tomorrow 9`."""
    return at == len(cores) - 1 and bool(_SHORT_NUMBER.fullmatch(cores[at]))


def is_zone_word(text: str) -> bool:
    """Return whether the word may be a time zone: `EST`, `America/New_York`."""
    return text.lower() in ZONES or bool(re.fullmatch("[A-Z][A-Za-z_]+(?:/[A-Za-z_+-]+[0-9]*)+", text))


@lru_cache(4096)
def is_date(words: str, day: str) -> bool:
    """Return whether `parse_date` accepts the words on that day (ISO 8601)."""
    from todo_cli.parsing.dates import parse_date

    try:
        parse_date(words, zone="UTC", now=datetime.fromisoformat(day).replace(tzinfo=UTC))
    except Invalid:
        return False
    return True


@lru_cache(1024)
def is_recurrence_phrase(words: str, day: str) -> bool:
    """Return whether `parse_recurrence` accepts the words on that day (ISO 8601)."""
    from todo_cli.parsing.recurrence import is_recurrence

    return is_recurrence(words, zone="UTC", now=datetime.fromisoformat(day).replace(tzinfo=UTC))

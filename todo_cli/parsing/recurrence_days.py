"""Parse the days of a recurrence: days of a week, of a month or of a year."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from todo_cli.parsing.date_vocabulary import MONTHS, ORDINALS, WEEKDAYS, any_of
from todo_cli.parsing.rrule import RecurrenceRule

WORKDAYS = tuple((0, day) for day in range(5))
_SEPARATOR = re.compile(r" ?(?:,|&| and ) ?(?:and )?")
_TH = "(?:st|nd|rd|th)"
_DATE = re.compile(
    rf"(?P<m>{any_of(MONTHS)}) (?P<d>[0-9]{{1,2}}){_TH}?"
    rf"|(?P<d2>[0-9]{{1,2}})(?:{_TH}|\.)? (?:of )?(?P<m2>{any_of(MONTHS)})"
)
_NTH_WEEKDAY_OF_MONTH = re.compile(rf"(?P<nth>[a-z0-9]+) (?P<day>[a-z]+) (?:of|in) (?P<month>{any_of(MONTHS)})")


def parse_days(text: str) -> RecurrenceRule:
    """Parse `mon,wed`, `2nd tuesday`, `15th and last day`, `last weekday` or `jan 15`. Raise ValueError."""
    text = re.sub(r" (?:of|in) (?:the|each|every) month$", "", text.removeprefix("the "))
    items = [item.removeprefix("the ") for item in _split_days(text) if item]
    readers: tuple[Callable[[list[str]], RecurrenceRule | None], ...] = (
        _parse_weekdays,
        _parse_nth_workday,
        _parse_nth_weekdays,
        _parse_nth_weekday_of_month,
        _parse_month_days,
        _parse_date,
    )
    for read in readers:
        if items and (rule := read(items)):
            return rule
    raise ValueError(f"{text[:40]!r} is not understood" if text else "nothing says how often")


def _split_days(text: str) -> list[str]:
    """Split at commas and `and`, and at spaces if every word is a weekday: `mon wed fri`."""
    words = [word for word in re.split(r"[\s,&]+", text) if word and word != "and"]
    if words and all(_find_weekday(word) is not None for word in words):
        return words
    return _SEPARATOR.split(text)


def _parse_weekdays(items: list[str]) -> RecurrenceRule | None:
    days: set[tuple[int, int]] = set()
    for item in items:
        first, dash, last = item.partition("-")
        ends = [_find_weekday(end) for end in (first, last or first)]
        if item in ("weekday", "workday"):
            days |= set(WORKDAYS)
        elif item in ("weekend", "weekends"):
            days.add((0, 5))
        elif None in ends or (dash and not last):
            return None
        else:
            start, end = (day or 0 for day in ends)
            days |= {(0, day % 7) for day in range(start, (end if end >= start else end + 7) + 1)}
    return RecurrenceRule("WEEKLY", days=tuple(sorted(days)))


def _find_weekday(word: str) -> int | None:
    return WEEKDAYS.get(word, WEEKDAYS.get(word.removesuffix("s")))


def _parse_nth_workday(items: list[str]) -> RecurrenceRule | None:
    match = re.fullmatch("([a-z0-9]+) (?:weekday|workday|business day)", items[0]) if len(items) == 1 else None
    nth = parse_ordinal(match[1]) if match else None
    if not nth or nth > 20:
        return None
    return RecurrenceRule("MONTHLY", days=WORKDAYS, positions=(nth,))


def _parse_nth_weekdays(items: list[str]) -> RecurrenceRule | None:
    """Parse `2nd tuesday`, and `1st and 3rd monday`."""
    days: set[tuple[int, int]] = set()
    _, _, shared_name = items[-1].rpartition(" ")
    for item in items:
        first, _, name = item.partition(" ")
        nth, day = parse_ordinal(first), _find_weekday(name or shared_name)
        if not nth or nth > 5 or day is None:
            return None
        days.add((nth, day))
    return RecurrenceRule("MONTHLY", days=tuple(sorted(days)))


def _parse_nth_weekday_of_month(items: list[str]) -> RecurrenceRule | None:
    """Parse `4th thursday of november`."""
    match = _NTH_WEEKDAY_OF_MONTH.fullmatch(items[0]) if len(items) == 1 else None
    nth, day = (parse_ordinal(match["nth"]), _find_weekday(match["day"])) if match else (None, None)
    if not match or not nth or nth > 5 or day is None:
        return None
    return RecurrenceRule("YEARLY", months=(MONTHS[match["month"]],), days=((nth, day),))


def parse_ordinal(word: str) -> int | None:
    """Return the number of `2nd` or `second`; -1 for `last`."""
    match = re.fullmatch(f"([0-9]{{1,2}}){_TH}", word)
    return ORDINALS.get(word) or (int(match[1]) if match else None)


def _parse_month_days(items: list[str]) -> RecurrenceRule | None:
    """Parse days of a month. A day after the 28th becomes the last day of a shorter month.

    RFC 5545 has no such day, so the rule takes the last of the days from the 28th on, and the other days by position.
    """
    days = [_parse_month_day(item) for item in items]
    if None in days:
        return None
    early, late = sorted({day for day in days if day and day < 29}), sorted({day for day in days if day and day > 28})
    if not late:
        return RecurrenceRule("MONTHLY", month_days=tuple(early))
    if len(late) > 1 or -1 in early:
        raise ValueError("a rule can have only one of the 29th, 30th, 31st and the last day")
    positions = (*range(1, len(early) + 1), -1) if early else (-1,)
    month_days = (*early, *range(28 if 28 not in early else 29, late[0] + 1))
    return RecurrenceRule("MONTHLY", month_days=month_days, positions=tuple(sorted(positions)))


def _parse_month_day(item: str) -> int | None:
    if item in ("last day", "first day"):
        return -1 if item == "last day" else 1
    match = re.fullmatch(f"([0-9]{{1,2}})(?:{_TH}(?: day)?)?", item)
    day = int(match[1]) if match else None
    return day if day and 1 <= day <= 31 else None


def _parse_date(items: list[str]) -> RecurrenceRule | None:
    """Parse `jan 15`. 29 February is the 28th in common years."""
    match = _DATE.fullmatch(items[0]) if len(items) == 1 else None
    if not match:
        return None
    month, day = MONTHS[match["m"] or match["m2"]], int(match["d"] or match["d2"])
    date(2000, month, day)  # raises ValueError for a day that no year has
    if (month, day) == (2, 29):
        return RecurrenceRule("YEARLY", months=(2,), month_days=(28, 29), positions=(-1,))
    return RecurrenceRule("YEARLY", months=(month,), month_days=(day,))

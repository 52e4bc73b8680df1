"""Days of a week, a month or a year in words, as a rule."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from todo_cli.parsing.date_vocabulary import MONTHS, WEEKDAYS
from todo_cli.parsing.rrule import Rule

WORKDAYS = tuple((0, day) for day in range(5))
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}
_ITEM = re.compile(r" ?(?:,|&| and ) ?(?:and )?")


def parse_days(text: str) -> Rule:
    """`mon,wed`, `2nd tuesday`, `15th and last day`, `last weekday`, `jan 15`: each with its frequency; ValueError."""
    text = re.sub(r" (?:of|in) (?:the|each|every) month$", "", text.removeprefix("the "))
    items = [item.removeprefix("the ") for item in _ITEM.split(text) if item]
    readers: tuple[Callable[[list[str]], Rule | None], ...] = (_weekdays, _workday, _nth_weekdays, _month_days, _date)
    for read in readers:
        if items and (rule := read(items)):
            return rule
    raise ValueError(f"{text[:40]!r} is not understood" if text else "nothing says how often")


def _weekdays(items: list[str]) -> Rule | None:
    found: set[tuple[int, int]] = set()
    for item in items:
        first, dash, last = item.partition("-")
        ends = [_weekday(end) for end in (first, last or first)]
        if item in ("weekday", "workday"):
            found |= set(WORKDAYS)
        elif item in ("weekend", "weekends"):
            found.add((0, 5))
        elif None in ends or (dash and not last):
            return None
        else:
            start, end = (day or 0 for day in ends)
            found |= {(0, day % 7) for day in range(start, (end if end >= start else end + 7) + 1)}
    return Rule("WEEKLY", days=tuple(sorted(found)))


def _weekday(word: str) -> int | None:
    return WEEKDAYS.get(word, WEEKDAYS.get(word.removesuffix("s")))


def _workday(items: list[str]) -> Rule | None:
    match = re.fullmatch("([a-z0-9]+) (?:weekday|workday|business day)", items[0]) if len(items) == 1 else None
    which = _ordinal(match[1]) if match else None
    if not which or which > 20:
        return None
    return Rule("MONTHLY", days=WORKDAYS, positions=(which,))


def _nth_weekdays(items: list[str]) -> Rule | None:
    """`2nd tuesday`, and `1st and 3rd monday`."""
    found: set[tuple[int, int]] = set()
    _, _, shared = items[-1].rpartition(" ")
    for item in items:
        first, _, name = item.partition(" ")
        which, day = _ordinal(first), _weekday(name or shared)
        if not which or which > 5 or day is None:
            return None
        found.add((which, day))
    return Rule("MONTHLY", days=tuple(sorted(found)))


def _ordinal(word: str) -> int | None:
    match = re.fullmatch("([0-9]{1,2})(?:st|nd|rd|th)", word)
    return ORDINALS.get(word) or (int(match[1]) if match else None)


def _month_days(items: list[str]) -> Rule | None:
    """Days after the 28th become the last one of a month that is too short: the set's last, and the others by place."""
    days = [_month_day(item) for item in items]
    if None in days:
        return None
    plain, late = sorted({day for day in days if day and day < 29}), sorted({day for day in days if day and day > 28})
    if not late:
        return Rule("MONTHLY", month_days=tuple(plain))
    if len(late) > 1 or -1 in plain:
        raise ValueError("of the 29th, 30th, 31st and the last day only one can stand in a rule")
    places = (*range(1, len(plain) + 1), -1) if plain else (-1,)
    return Rule("MONTHLY", month_days=(*plain, *range(28 if 28 not in plain else 29, late[0] + 1)),
                positions=tuple(sorted(places)))  # fmt: skip


def _month_day(item: str) -> int | None:
    if item in ("last day", "first day"):
        return -1 if item == "last day" else 1
    match = re.fullmatch("([0-9]{1,2})(?:st|nd|rd|th)?", item)
    day = int(match[1]) if match else None
    return day if day and 1 <= day <= 31 else None


def _date(items: list[str]) -> Rule | None:
    """`jan 15`, and 29 February, which is the 28th in common years."""
    names = "|".join(sorted(MONTHS, key=len, reverse=True))
    match = len(items) == 1 and re.fullmatch(
        rf"(?P<m>{names}) (?P<d>[0-9]{{1,2}})(?:st|nd|rd|th)?"
        rf"|(?P<d2>[0-9]{{1,2}})(?:st|nd|rd|th|\.)? (?:of )?(?P<m2>{names})",
        items[0],
    )
    if not match:
        return None
    month, day = MONTHS[match["m"] or match["m2"]], int(match["d"] or match["d2"])
    date(2000, month, day)  # ValueError for what no year has
    if (month, day) == (2, 29):
        return Rule("YEARLY", months=(2,), month_days=(28, 29), positions=(-1,))
    return Rule("YEARLY", months=(month,), month_days=(day,))

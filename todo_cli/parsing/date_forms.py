"""Every form of a date or a time: tables of (pattern, reader).

A phrase is one form of `ALONE`, or a day of `DAYS` or `WEEK_FORMS`, or a time of `TIMES`, or a day with a time or with
a part of the day (`dates.py` joins them). A pattern matches the whole text. `docs/dates.md` lists the forms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from functools import partial
from typing import TypeVar

from todo_cli.parsing.date_readers import (
    Week,
    add_days,
    add_hours,
    find_period,
    read_clock,
    read_clock_word,
    read_day_of_month,
    read_day_part,
    read_edge_of_day,
    read_iso_instant,
    read_iso_week,
    read_month,
    read_month_day,
    read_nth_weekday,
    read_period,
    read_relative_day,
    read_slashed_date,
    read_this_part,
    read_tonight,
    read_twelve_hour_clock,
    read_weekday,
    read_weekend,
    refuse_m,
)
from todo_cli.parsing.date_vocabulary import (
    CLOCK_UNITS,
    CLOCK_WORDS,
    DAY_PARTS,
    DAY_UNITS,
    MONTHS,
    NUMBERS,
    ORDINALS,
    RELATIVE_DAYS,
    SHIFTS,
    WEEKDAYS,
    any_of,
)

Value = TypeVar("Value")
Base = TypeVar("Base")
Table = tuple[tuple[str, Callable[[re.Match[str], Base], Value]], ...]


def find_form(table: Table[Base, Value], text: str, base: Base) -> Callable[[], Value] | None:
    """Return the reader of the first form that matches the whole text, ready to be called."""
    for pattern, read in table:
        if match := re.fullmatch(pattern, text):
            return partial(read, match, base)
    return None


def find_day(text: str, week: Week) -> Callable[[], date] | None:
    """Return the reader of the day that the whole text names, ready to be called."""
    return find_form(DAYS, text, week.today) or find_form(WEEK_FORMS, text, week)


def find_named_period(text: str, week: Week) -> tuple[date, date] | None:
    """Return the first and the last day of `week`, `this month` or `next year`; None if the text names no period."""
    match = re.fullmatch(f"(?:{_WHICH} )?(?P<period>{_PERIOD})", " ".join(text.lower().split()))
    return find_period(match["period"], SHIFTS[match["which"] or "this"], week) if match else None


def _read_days_from(match: re.Match[str], week: Week) -> date:
    """`a week from friday`: the same length after another day."""
    read = find_day(match["start"], week)
    if read is None:
        raise ValueError(f"{match['start']!r} is not a day")
    return add_days(1, match, read())


def _make_duration_pattern(units: Iterable[str], long_names: str) -> str:
    """Match `2w`, `1h 30min` or `a week`, but not `2 days a week`, which is not a date."""
    amount = f"[0-9]{{1,6}} ?{any_of(units)}"
    return f"{amount}(?: ?{amount})*|{any_of(NUMBERS)} (?:{long_names})s?"


_DAYS = f"(?P<much>{_make_duration_pattern(DAY_UNITS, 'day|week|month|quarter|year')})"
_HOURS = f"(?P<much>half an hour|{_make_duration_pattern(CLOCK_UNITS, 'minute|hour')})"
_MONTH, _YEAR, _PERIOD = f"(?P<month>{any_of(MONTHS)})", "(?P<year>[0-9]{4})", "week|month|quarter|year"
_DAY, _TH = "(?P<day>[0-9]{1,2})", "(?:st|nd|rd|th)"
_AT, _HOUR, _MINUTE = "(?:at |by |@ ?)", "(?P<hour>[0-9]{1,2})", "(?P<minute>[0-9]{2})"
_WHICH = "(?P<which>this|next|last)"
_NAMED_WEEKDAY = f"(?:(?P<weekday>{any_of(WEEKDAYS)}),? (?:the )?)?"

DAYS: Table[date, date] = (
    (f"(?:the )?(?P<word>{any_of(RELATIVE_DAYS)})", read_relative_day),
    (f"{_NAMED_WEEKDAY}{_YEAR}(?P<sep>[-/])(?P<month>[0-9]{{1,2}})(?P=sep){_DAY}", read_month_day),
    (f"(?:in |\\+ ?)?{_DAYS}", partial(add_days, 1)),
    (f"{_DAYS} from now", partial(add_days, 1)),
    (f"- ?{_DAYS}", partial(add_days, -1)),
    (f"{_DAYS} ago", partial(add_days, -1)),
    (f"{_NAMED_WEEKDAY}(?:the )?{_DAY}(?:{_TH}|\\.)? (?:of )?{_MONTH}(?: {_YEAR})?", read_month_day),
    (f"{_NAMED_WEEKDAY}{_MONTH} (?:the )?{_DAY}{_TH}?(?: {_YEAR})?", read_month_day),
    (f"{_NAMED_WEEKDAY}{_DAY}\\.(?P<month>[0-9]{{1,2}})\\.{_YEAR}?", read_month_day),
    (f"(?P<first>[0-9]{{1,2}})/(?P<second>[0-9]{{1,2}})(?:/{_YEAR})?", read_slashed_date),
    (f"(?:the )?{_DAY}{_TH}", read_day_of_month),
    (
        f"(?:the )?(?P<nth>{any_of(ORDINALS)}|[1-5]{_TH}) (?P<day>{any_of(WEEKDAYS)}) (?:of|in) {_MONTH}(?: {_YEAR})?",
        read_nth_weekday,
    ),
    (f"(?:{_WHICH} |the )?weekend", read_weekend),
    (f"{_YEAR}-?w(?P<week>[0-9]{{2}})(?:-?(?P<day>[1-7]))?", read_iso_week),
)
# The meaning of these depends on the day on which the week begins.
WEEK_FORMS: Table[Week, date] = (
    (f"(?:{_WHICH} )?(?P<day>{any_of(WEEKDAYS)})", read_weekday),
    (f"{_DAYS} (?:from|after) (?P<start>.+)", _read_days_from),
    ("(?P<edge>[se])o(?P<which>[np])?(?P<period>[wmqy])", read_period),
    (f"(?:the )?(?P<edge>start|beginning|end) of (?:the )?(?:{_WHICH} )?(?P<period>{_PERIOD})", read_period),
    (f"(?P<which>next|last) (?P<period>{_PERIOD})", read_period),
)
TIMES: Table[date, time] = (
    (f"{_AT}?{_HOUR}(?:[:.]{_MINUTE})? ?(?P<half>[ap])\\.?m\\.?", read_twelve_hour_clock),
    (f"{_AT}?{_HOUR}:{_MINUTE}(?::(?P<second>[0-9]{{2}}))?", read_clock),
    (f"at {_HOUR}(?:\\.{_MINUTE})?", read_clock),
    (f"{_AT}?(?P<word>{any_of(CLOCK_WORDS)})", read_clock_word),
    ("end of (?:the )?day", lambda *_: CLOCK_WORDS["eod"]),
)
# A part of the day counts only beside a day: monday morning.
PARTS: Table[date, time] = ((f"(?:in the |at )?(?P<part>{any_of(DAY_PARTS)})", read_day_part),)
ALONE: Table[datetime, date | datetime] = (
    ("now", lambda _, now: now),
    ("tonight", read_tonight),
    (f"this (?P<part>{any_of(DAY_PARTS)})", read_this_part),
    ("(?P<word>[se]od)|end of (?:the )?day", read_edge_of_day),
    (f"(?:in |\\+ ?)?{_HOURS}", partial(add_hours, 1)),
    (f"{_HOURS} from now", partial(add_hours, 1)),
    (f"- ?{_HOURS}", partial(add_hours, -1)),
    (f"{_HOURS} ago", partial(add_hours, -1)),
    ("(?:in |[-+] ?)?[0-9]{1,6} ?m", refuse_m),
    (f"(?:in )?{_MONTH}(?: {_YEAR})?", read_month),
    (
        "[0-9]{4}-[0-9]{2}-[0-9]{2}[t ](?:[01][0-9]|2[0-3]):[0-9]{2}(?::[0-9]{2}(?:\\.[0-9]{1,6})?)?"
        " ?(?:z|[-+][0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2})?)?)?",
        read_iso_instant,
    ),
)

"""Every form of a date or a time: tables of (pattern, reader), and the readers.

A phrase is one form of `ALONE`, or a day of `DAYS`, or a time of `TIMES`, or a day with a time or with a part of the
day (`dates.py` joins them). A pattern matches the whole text. A reader may raise ValueError or OverflowError with
the reason why the date does not exist. `docs/dates.md` lists the forms.
"""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from todo_cli.parsing.date_vocabulary import (
    CLOCK_UNITS,
    CLOCK_WORDS,
    DAY_PARTS,
    DAY_UNITS,
    MONTHS,
    NUMBERS,
    ORDINALS,
    PERIOD_LENGTHS,
    PERIODS,
    RELATIVE_DAYS,
    SHIFTS,
    WEEKDAY_NAMES,
    WEEKDAYS,
    any_of,
)

if TYPE_CHECKING:
    from dateutil.relativedelta import relativedelta

Value = TypeVar("Value")
Base = TypeVar("Base")
Table = tuple[tuple[str, Callable[[re.Match[str], Base], Value]], ...]


def find_form(table: Table[Base, Value], text: str, base: Base) -> Callable[[], Value] | None:
    """Return the reader of the first form that matches the whole text, ready to be called."""
    for pattern, read in table:
        if match := re.fullmatch(pattern, text):
            return partial(read, match, base)
    return None


def _make_delta(parts: dict[str, int], times: int) -> relativedelta:
    """Multiply a length. Adding the result to the 31st of a month clamps to the end of a shorter month."""
    from dateutil.relativedelta import relativedelta  # 10 ms, and few phrases need it

    return relativedelta(**{unit: number * times for unit, number in parts.items()})  # type: ignore[arg-type]  # stubs


def _read_amounts(text: str) -> list[tuple[int, str]]:
    amounts = re.findall(rf"([0-9]+|{any_of(NUMBERS)}) ?({any_of([*DAY_UNITS, *CLOCK_UNITS])})", text)
    return [(NUMBERS.get(number) or int(number), unit) for number, unit in amounts]


def _read_relative_day(match: re.Match[str], today: date) -> date:
    return today + timedelta(days=RELATIVE_DAYS[match["word"]])


def _read_weekday(match: re.Match[str], today: date) -> date:
    which, ahead = match["which"], (WEEKDAYS[match["day"]] - today.weekday()) % 7
    if which == "next":
        return today + timedelta(days=7 - today.weekday() + WEEKDAYS[match["day"]])
    if which == "last":
        return today + timedelta(days=ahead - 7)
    return today + timedelta(days=ahead if which == "this" else ahead or 7)


def _read_weekend(match: re.Match[str], today: date) -> date:
    saturday = today + timedelta(days=5 - today.weekday() + 7 * SHIFTS[match["which"] or "this"])
    return saturday if match["which"] in ("next", "last") else max(today, saturday)


def _add_days(sign: int, match: re.Match[str], today: date) -> date:
    for number, unit in _read_amounts(match["much"]):
        today += _make_delta(DAY_UNITS[unit], sign * number)
    return today


def _read_days_from(match: re.Match[str], today: date) -> date:
    """`a week from friday`: the same length after another day."""
    read = find_form(DAYS, match["start"], today)
    if read is None:
        raise ValueError(f"{match['start']!r} is not a day")
    return _add_days(1, match, read())


def _read_period(match: re.Match[str], today: date) -> date:
    """Return the first or the last day of this, the next or the last week (from Monday), month, quarter or year."""
    name = PERIODS.get(match["period"], match["period"])
    first = {
        "week": today - timedelta(days=today.weekday()),
        "month": today.replace(day=1),
        "quarter": today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1),
        "year": today.replace(month=1, day=1),
    }[name]
    start: date = first + _make_delta(PERIOD_LENGTHS[name], SHIFTS[match["which"] or "this"])
    is_end = match.groupdict().get("edge") in ("e", "end")
    return start + _make_delta(PERIOD_LENGTHS[name], 1) - timedelta(days=1) if is_end else start


def _read_month_day(match: re.Match[str], today: date) -> date:
    month = match["month"]
    day = _find_day(match["year"], MONTHS.get(month) or int(month), int(match["day"]), today)
    weekday = match.groupdict().get("weekday")
    if weekday and WEEKDAYS[weekday] != day.weekday():
        raise ValueError(f"{day} is a {WEEKDAY_NAMES[day.weekday()]}")
    return day


def _find_day(year: str | None, month: int, day: int, today: date) -> date:
    """Return the day of the year, or without a year the first such day from today on."""
    if year:
        return date(int(year), month, day)
    date(2000, month, day)  # a leap year: raises for a day that no year has
    soonest = today.year + ((month, day) < (today.month, today.day))
    years = range(soonest, soonest + 8)  # two leap years are at most eight years apart
    return date(next(y for y in years if (month, day) != (2, 29) or isleap(y)), month, day)


def _read_slashed_date(match: re.Match[str], today: date) -> date:
    """Read 12/24 and 24/12, and refuse 5/6, which is the 5th of June to some and the 6th of May to others."""
    first, second = int(match["first"]), int(match["second"])
    if first != second and {first, second} <= set(range(1, 13)):
        year = match["year"] or today.year
        both = f"{year}-{first:02}-{second:02} or {year}-{second:02}-{first:02}"
        raise ValueError(f"it could be {both}; write one of these")
    return _find_day(match["year"], min(first, second), max(first, second), today)


def _read_day_of_month(match: re.Match[str], today: date) -> date:
    """Return the first such day from today on, in a month that has it."""
    day = int(match["day"])
    date(2000, 1, day)  # raises for a day that no month has
    days = (today.replace(day=1) + _make_delta({"months": n}, 1) + timedelta(days=day - 1) for n in range(3))
    return next(found for found in days if found.day == day and found >= today)


def _read_nth_weekday(match: re.Match[str], today: date) -> date:
    """`first monday of january`: in that year, or the first one from today on."""
    nth, month = ORDINALS.get(match["nth"]) or int(match["nth"][:-2]), MONTHS[match["month"]]
    years = [int(match["year"])] if match["year"] else [today.year, today.year + 1]
    days = [_find_nth_weekday(year, month, WEEKDAYS[match["day"]], nth) for year in years]
    return next((day for day in days if match["year"] or day >= today), days[-1])


def _find_nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    first += timedelta(days=(weekday - first.weekday()) % 7)
    days = [day for week in range(5) if (day := first + timedelta(weeks=week)).month == month]
    if nth > len(days) or nth == 0:
        raise ValueError(f"{year}-{month:02} has no {nth}th {WEEKDAY_NAMES[weekday]}")
    return days[nth - 1 if nth > 0 else nth]


def _read_iso_week(match: re.Match[str], today: date) -> date:
    return date.fromisocalendar(int(match["year"]), int(match["week"]), int(match["day"] or 1))


def _read_twelve_hour_clock(match: re.Match[str], _: date) -> time:
    hour = int(match["hour"])
    if not 1 <= hour <= 12:
        raise ValueError("before am or pm the hour must be in 1..12")
    return time(hour % 12 + 12 * (match["half"] == "p"), int(match["minute"] or 0))


def _read_clock(match: re.Match[str], _: date) -> time:
    return time(int(match["hour"]), int(match["minute"] or 0), int(match.groupdict().get("second") or 0))


def _read_clock_word(match: re.Match[str], _: date) -> time:
    return CLOCK_WORDS[match["word"]]


def _read_day_part(match: re.Match[str], _: date) -> time:
    return DAY_PARTS[match["part"]]


def _read_edge_of_day(match: re.Match[str], now: datetime) -> datetime:
    """Return an edge of today, even if it has passed."""
    return datetime.combine(now.date(), CLOCK_WORDS[match["word"] or "eod"])


def _read_tonight(match: re.Match[str], now: datetime) -> datetime:
    """Return today at 21:00, or the end of today if that has passed."""
    clock = DAY_PARTS["night"] if now.time() <= DAY_PARTS["night"] else CLOCK_WORDS["eod"]
    return datetime.combine(now.date(), clock)


def _read_this_part(match: re.Match[str], now: datetime) -> datetime:
    """Return a part of today, even if it has passed."""
    return datetime.combine(now.date(), DAY_PARTS[match["part"]])


def _add_hours(sign: int, match: re.Match[str], now: datetime) -> datetime:
    if match["much"] == "half an hour":
        length = timedelta(minutes=30)
    else:
        length = sum((number * CLOCK_UNITS[unit] for number, unit in _read_amounts(match["much"])), timedelta())
    return now.astimezone(UTC).replace(microsecond=0) + sign * length


def _read_month(match: re.Match[str], now: datetime) -> date:
    month, today = MONTHS[match["month"]], now.date()
    return date(int(match["year"] or today.year + (month <= today.month)), month, 1)


def _read_iso_instant(match: re.Match[str], now: datetime) -> datetime:
    return datetime.fromisoformat(match[0].upper().replace(" ", "T", 1).replace(" ", ""))


def _refuse_m(match: re.Match[str], now: datetime) -> date:
    raise ValueError("m could be minutes or months; write min or mo")


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
    (f"(?:the )?(?P<word>{any_of(RELATIVE_DAYS)})", _read_relative_day),
    (f"(?:{_WHICH} )?(?P<day>{any_of(WEEKDAYS)})", _read_weekday),
    (f"{_NAMED_WEEKDAY}{_YEAR}(?P<sep>[-/])(?P<month>[0-9]{{1,2}})(?P=sep){_DAY}", _read_month_day),
    (f"(?:in |\\+ ?)?{_DAYS}", partial(_add_days, 1)),
    (f"{_DAYS} from now", partial(_add_days, 1)),
    (f"{_DAYS} (?:from|after) (?P<start>.+)", _read_days_from),
    (f"- ?{_DAYS}", partial(_add_days, -1)),
    (f"{_DAYS} ago", partial(_add_days, -1)),
    (f"{_NAMED_WEEKDAY}(?:the )?{_DAY}(?:{_TH}|\\.)? (?:of )?{_MONTH}(?: {_YEAR})?", _read_month_day),
    (f"{_NAMED_WEEKDAY}{_MONTH} (?:the )?{_DAY}{_TH}?(?: {_YEAR})?", _read_month_day),
    (f"{_NAMED_WEEKDAY}{_DAY}\\.(?P<month>[0-9]{{1,2}})\\.{_YEAR}?", _read_month_day),
    (f"(?P<first>[0-9]{{1,2}})/(?P<second>[0-9]{{1,2}})(?:/{_YEAR})?", _read_slashed_date),
    (f"(?:the )?{_DAY}{_TH}", _read_day_of_month),
    (
        f"(?:the )?(?P<nth>{any_of(ORDINALS)}|[1-5]{_TH}) (?P<day>{any_of(WEEKDAYS)}) (?:of|in) {_MONTH}(?: {_YEAR})?",
        _read_nth_weekday,
    ),
    (f"(?:{_WHICH} |the )?weekend", _read_weekend),
    ("(?P<edge>[se])o(?P<which>[np])?(?P<period>[wmqy])", _read_period),
    (f"(?P<edge>start|beginning|end) of (?:the )?(?:{_WHICH} )?(?P<period>{_PERIOD})", _read_period),
    (f"(?P<which>next|last) (?P<period>{_PERIOD})", _read_period),
    (f"{_YEAR}-?w(?P<week>[0-9]{{2}})(?:-?(?P<day>[1-7]))?", _read_iso_week),
)
TIMES: Table[date, time] = (
    (f"{_AT}?{_HOUR}(?:[:.]{_MINUTE})? ?(?P<half>[ap])\\.?m\\.?", _read_twelve_hour_clock),
    (f"{_AT}?{_HOUR}:{_MINUTE}(?::(?P<second>[0-9]{{2}}))?", _read_clock),
    (f"at {_HOUR}(?:\\.{_MINUTE})?", _read_clock),
    (f"{_AT}?(?P<word>{any_of(CLOCK_WORDS)})", _read_clock_word),
    ("end of (?:the )?day", lambda *_: CLOCK_WORDS["eod"]),
)
# A part of the day counts only beside a day: monday morning.
PARTS: Table[date, time] = ((f"(?:in the |at )?(?P<part>{any_of(DAY_PARTS)})", _read_day_part),)
ALONE: Table[datetime, date | datetime] = (
    ("now", lambda _, now: now),
    ("tonight", _read_tonight),
    (f"this (?P<part>{any_of(DAY_PARTS)})", _read_this_part),
    ("(?P<word>[se]od)|end of (?:the )?day", _read_edge_of_day),
    (f"(?:in |\\+ ?)?{_HOURS}", partial(_add_hours, 1)),
    (f"{_HOURS} from now", partial(_add_hours, 1)),
    (f"- ?{_HOURS}", partial(_add_hours, -1)),
    (f"{_HOURS} ago", partial(_add_hours, -1)),
    ("(?:in |[-+] ?)?[0-9]{1,6} ?m", _refuse_m),
    (f"{_MONTH}(?: {_YEAR})?", _read_month),
    (
        "[0-9]{4}-[0-9]{2}-[0-9]{2}[t ](?:[01][0-9]|2[0-3]):[0-9]{2}(?::[0-9]{2}(?:\\.[0-9]{1,6})?)?"
        " ?(?:z|[-+][0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2})?)?)?",
        _read_iso_instant,
    ),
)

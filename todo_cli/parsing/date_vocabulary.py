"""The words for days and times: tables of (pattern, reader), and the readers.

A phrase is one of `ALONE`, or a day of `DAYS`, or a time of `TIMES`, or a day and a time in either order
(`dates.py` does the joining). Every pattern matches its whole text; a reader may raise ValueError or
OverflowError with the reason why there is no such date. A new word is a new row or a new key.
"""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from dateutil.relativedelta import relativedelta

Found = TypeVar("Found")
Base = TypeVar("Base")
Table = tuple[tuple[str, Callable[[re.Match[str], Base], Found]], ...]


def find(table: Table[Base, Found], text: str, base: Base) -> Callable[[], Found] | None:
    """The reader of the first row that matches all of `text`, ready to be called."""
    for pattern, read in table:
        if match := re.fullmatch(pattern, text):
            return partial(read, match, base)
    return None


def _any(words: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


def _numbered(*names: str, first: int) -> dict[str, int]:
    return {word: number for number, row in enumerate(names, first) for word in row.split()}


RELATIVE = {
    "day before yesterday": -2, "yesterday": -1, "today": 0, "tod": 0, "tomorrow": 1, "tom": 1,
    "day after tomorrow": 2,
}  # fmt: skip
WEEKDAYS = _numbered(
    "monday mon", "tuesday tues tue", "wednesday weds wed", "thursday thurs thur thu", "friday fri",
    "saturday sat", "sunday sun", first=0,
)  # fmt: skip
MONTHS = _numbered(
    "january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
    "september sept sep", "october oct", "november nov", "december dec", first=1,
)  # fmt: skip
NUMBERS = {"a": 1} | _numbered(
    "one an", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    first=1,
)  # fmt: skip
SHIFTS = {"last": -1, "p": -1, "this": 0, "next": 1, "n": 1}
PERIODS = {"w": "week", "m": "month", "q": "quarter", "y": "year"}
LENGTHS = {"week": {"weeks": 1}, "month": {"months": 1}, "quarter": {"months": 3}, "year": {"years": 1}}
DAY_UNITS = {word: {"days": 1} for word in ("d", "day", "days")} | {
    word: LENGTHS[row.split()[0]]
    for row in ("week weeks w wk wks", "month months mo mos", "quarter quarters q", "year years y yr yrs")
    for word in row.split()
}
CLOCK_UNITS = {word: timedelta(minutes=1) for word in ("min", "mins", "minute", "minutes")} | {
    word: timedelta(hours=1) for word in ("h", "hr", "hrs", "hour", "hours")
}
CLOCK_WORDS = {"noon": time(12), "midnight": time(0), "sod": time(0), "eod": time(23, 59)}


def _length(parts: dict[str, int], times: int) -> relativedelta:
    """`parts`, so many times; adding it to the 31st of a month clamps to the other month's end."""
    from dateutil.relativedelta import relativedelta  # 10 ms: only for phrases that need it

    return relativedelta(**{unit: number * times for unit, number in parts.items()})  # type: ignore[arg-type]  # the stubs want each keyword by itself


def _amounts(text: str) -> list[tuple[int, str]]:
    found = re.findall(rf"([0-9]+|{_any(NUMBERS)}) ?({_any([*DAY_UNITS, *CLOCK_UNITS])})", text)
    return [(NUMBERS.get(number) or int(number), unit) for number, unit in found]


def _relative(match: re.Match[str], today: date) -> date:
    return today + timedelta(days=RELATIVE[match["word"]])


def _weekday(match: re.Match[str], today: date) -> date:
    which, ahead = match["which"], (WEEKDAYS[match["day"]] - today.weekday()) % 7
    if which == "next":
        return today + timedelta(days=7 - today.weekday() + WEEKDAYS[match["day"]])
    if which == "last":
        return today + timedelta(days=ahead - 7)
    return today + timedelta(days=ahead if which == "this" else ahead or 7)


def _weekend(match: re.Match[str], today: date) -> date:
    saturday = today + timedelta(days=5 - today.weekday() + 7 * SHIFTS[match["which"] or "this"])
    return saturday if match["which"] in ("next", "last") else max(today, saturday)


def _days_away(sign: int, match: re.Match[str], today: date) -> date:
    for number, unit in _amounts(match["much"]):
        today += _length(DAY_UNITS[unit], sign * number)
    return today


def _period(match: re.Match[str], today: date) -> date:
    """The first or the last day of this, the next or the last week (Monday first), month, quarter or year."""
    name = PERIODS.get(match["period"], match["period"])
    first = {
        "week": today - timedelta(days=today.weekday()),
        "month": today.replace(day=1),
        "quarter": today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1),
        "year": today.replace(month=1, day=1),
    }[name]
    start: date = first + _length(LENGTHS[name], SHIFTS[match["which"] or "this"])
    at_end = match.groupdict().get("edge") in ("e", "end")
    return start + _length(LENGTHS[name], 1) - timedelta(days=1) if at_end else start


def _month_day(match: re.Match[str], today: date) -> date:
    month = match["month"]
    return _dated(match["year"], MONTHS.get(month) or int(month), int(match["day"]), today)


def _dated(year: str | None, month: int, day: int, today: date) -> date:
    """That day of that year, or without a year the first one from today on (29 February waits for it)."""
    if year:
        return date(int(year), month, day)
    date(2000, month, day)  # a leap year: raises for what no year has
    soonest = today.year + ((month, day) < (today.month, today.day))
    within_a_leap_gap = range(soonest, soonest + 8)
    return date(next(y for y in within_a_leap_gap if (month, day) != (2, 29) or isleap(y)), month, day)


def _slashed(match: re.Match[str], today: date) -> date:
    """12/24 and 24/12 are clear; 5/6 is the 5th of June to some and the 6th of May to others."""
    one, two = int(match["one"]), int(match["two"])
    if one != two and {one, two} <= set(range(1, 13)):
        year = match["year"] or today.year
        both = f"{year}-{one:02}-{two:02} or {year}-{two:02}-{one:02}"
        raise ValueError(f"it could be {both}, so write it like that")
    return _dated(match["year"], min(one, two), max(one, two), today)


def _day_of_month(match: re.Match[str], today: date) -> date:
    """The first such day from today on; a month that has none is passed over."""
    day = int(match["day"])
    date(2000, 1, day)  # raises for what no month has
    days = (today.replace(day=1) + _length({"months": n}, 1) + timedelta(days=day - 1) for n in range(3))
    return next(found for found in days if found.day == day and found >= today)


def _iso_week(match: re.Match[str], today: date) -> date:
    return date.fromisocalendar(int(match["year"]), int(match["week"]), int(match["day"] or 1))


def _twelve_hours(match: re.Match[str], _: date) -> time:
    hour = int(match["hour"])
    if not 1 <= hour <= 12:
        raise ValueError("before am or pm the hour must be in 1..12")
    return time(hour % 12 + 12 * (match["half"] == "p"), int(match["minute"] or 0))


def _clock(match: re.Match[str], _: date) -> time:
    return time(int(match["hour"]), int(match["minute"] or 0), int(match.groupdict().get("second") or 0))


def _clock_word(match: re.Match[str], _: date) -> time:
    return CLOCK_WORDS[match["word"]]


def _edge_of_day(match: re.Match[str], now: datetime) -> datetime:
    """Today's, even when it has passed: that is what the word says."""
    return datetime.combine(now.date(), CLOCK_WORDS[match["word"] or "eod"])


def _hours_away(sign: int, match: re.Match[str], now: datetime) -> datetime:
    away = sum((number * CLOCK_UNITS[unit] for number, unit in _amounts(match["much"])), timedelta())
    return now.astimezone(UTC).replace(microsecond=0) + sign * away


def _first_of_month(match: re.Match[str], now: datetime) -> date:
    month, today = MONTHS[match["month"]], now.date()
    return date(int(match["year"] or today.year + (month <= today.month)), month, 1)


def _iso_instant(match: re.Match[str], now: datetime) -> datetime:
    return datetime.fromisoformat(match[0].upper().replace(" ", "T", 1).replace(" ", ""))


def _minutes_or_months(match: re.Match[str], now: datetime) -> date:
    raise ValueError("m could be minutes or months; write min or mo")


def _duration(units: Iterable[str], long_names: str) -> str:
    """`2w`, `1h 30min` or `a week`; not `2 days a week`, which is no date."""
    one = f"[0-9]{{1,6}} ?{_any(units)}"
    return f"(?P<much>{one}(?: ?{one})*|{_any(NUMBERS)} (?:{long_names})s?)"


_DAYS = _duration(DAY_UNITS, "day|week|month|quarter|year")
_HOURS = _duration(CLOCK_UNITS, "minute|hour")
_MONTH, _YEAR, _NAMED = f"(?P<month>{_any(MONTHS)})", "(?P<year>[0-9]{4})", "week|month|quarter|year"
_DAY, _TH = "(?P<day>[0-9]{1,2})", "(?:st|nd|rd|th)"
_AT, _HOUR, _MINUTE = "(?:at |@ ?)", "(?P<hour>[0-9]{1,2})", "(?P<minute>[0-9]{2})"
_WHICH = "(?P<which>this|next|last)"

DAYS: Table[date, date] = (
    (f"(?:the )?(?P<word>{_any(RELATIVE)})", _relative),
    (f"(?:{_WHICH} )?(?P<day>{_any(WEEKDAYS)})", _weekday),
    (f"{_YEAR}(?P<sep>[-/])(?P<month>[0-9]{{1,2}})(?P=sep){_DAY}", _month_day),
    (f"(?:in |\\+ ?)?{_DAYS}", partial(_days_away, 1)),
    (f"{_DAYS} from now", partial(_days_away, 1)),
    (f"- ?{_DAYS}", partial(_days_away, -1)),
    (f"{_DAYS} ago", partial(_days_away, -1)),
    (f"{_DAY}(?:{_TH}|\\.)? (?:of )?{_MONTH}(?: {_YEAR})?", _month_day),
    (f"{_MONTH} {_DAY}{_TH}?(?: {_YEAR})?", _month_day),
    (f"{_DAY}\\.(?P<month>[0-9]{{1,2}})\\.{_YEAR}?", _month_day),
    (f"(?P<one>[0-9]{{1,2}})/(?P<two>[0-9]{{1,2}})(?:/{_YEAR})?", _slashed),
    (f"(?:the )?{_DAY}{_TH}", _day_of_month),
    (f"(?:{_WHICH} |the )?weekend", _weekend),
    ("(?P<edge>[se])o(?P<which>[np])?(?P<period>[wmqy])", _period),
    (f"(?P<edge>start|beginning|end) of (?:the )?(?:{_WHICH} )?(?P<period>{_NAMED})", _period),
    (f"(?P<which>next|last) (?P<period>{_NAMED})", _period),
    (f"{_YEAR}-?w(?P<week>[0-9]{{2}})(?:-?(?P<day>[1-7]))?", _iso_week),
)
TIMES: Table[date, time] = (
    (f"{_AT}?{_HOUR}(?:[:.]{_MINUTE})? ?(?P<half>[ap])\\.?m\\.?", _twelve_hours),
    (f"{_AT}?{_HOUR}:{_MINUTE}(?::(?P<second>[0-9]{{2}}))?", _clock),
    (f"at {_HOUR}(?:\\.{_MINUTE})?", _clock),
    (f"{_AT}?(?P<word>{_any(CLOCK_WORDS)})", _clock_word),
    ("end of (?:the )?day", lambda *_: CLOCK_WORDS["eod"]),
)
ALONE: Table[datetime, date | datetime] = (
    ("now", lambda _, now: now),
    ("(?P<word>[se]od)|end of (?:the )?day", _edge_of_day),
    (f"(?:in |\\+ ?)?{_HOURS}", partial(_hours_away, 1)),
    (f"{_HOURS} from now", partial(_hours_away, 1)),
    (f"- ?{_HOURS}", partial(_hours_away, -1)),
    (f"{_HOURS} ago", partial(_hours_away, -1)),
    ("(?:in |[-+] ?)?[0-9]{1,6} ?m", _minutes_or_months),
    (f"{_MONTH}(?: {_YEAR})?", _first_of_month),
    (
        "[0-9]{4}-[0-9]{2}-[0-9]{2}[t ](?:[01][0-9]|2[0-3]):[0-9]{2}(?::[0-9]{2}(?:\\.[0-9]{1,6})?)?"
        " ?(?:z|[-+][0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2})?)?)?",
        _iso_instant,
    ),
)

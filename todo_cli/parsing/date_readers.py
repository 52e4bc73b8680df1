"""Read each form of a date or a time: from a match of its pattern to a date, a time or an instant.

A reader may raise ValueError or OverflowError with the reason why the date does not exist.
"""

from __future__ import annotations

import re
from calendar import isleap
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

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


def _make_delta(parts: dict[str, int], times: int) -> relativedelta:
    """Multiply a length. Adding the result to the 31st of a month clamps to the end of a shorter month."""
    from dateutil.relativedelta import relativedelta  # 10 ms, and few phrases need it

    return relativedelta(**{unit: number * times for unit, number in parts.items()})  # type: ignore[arg-type]  # stubs


def _read_amounts(text: str) -> list[tuple[int, str]]:
    amounts = re.findall(rf"([0-9]+|{any_of(NUMBERS)}) ?({any_of([*DAY_UNITS, *CLOCK_UNITS])})", text)
    return [(NUMBERS.get(number) or int(number), unit) for number, unit in amounts]


def read_relative_day(match: re.Match[str], today: date) -> date:
    """Return the day that a word such as tomorrow names."""
    return today + timedelta(days=RELATIVE_DAYS[match["word"]])


class Week(NamedTuple):
    """Today, and the weekday on which the user's weeks begin: 0 is Monday."""

    today: date
    start: int = 0

    @property
    def first(self) -> date:
        """The first day of this week."""
        return self.today - timedelta(days=(self.today.weekday() - self.start) % 7)


def read_weekday(match: re.Match[str], week: Week) -> date:
    """Return the weekday: the next one after today, or that of this, the next or the last week."""
    today, weekday = week.today, WEEKDAYS[match["day"]]
    which, ahead = match["which"], (weekday - today.weekday()) % 7
    if which == "next":
        return week.first + timedelta(days=7 + (weekday - week.start) % 7)
    if which == "last":
        return today + timedelta(days=ahead - 7)
    return today + timedelta(days=ahead if which == "this" else ahead or 7)


def read_weekend(match: re.Match[str], today: date) -> date:
    """Return Saturday, or today during a weekend."""
    saturday = today + timedelta(days=5 - today.weekday() + 7 * SHIFTS[match["which"] or "this"])
    return saturday if match["which"] in ("next", "last") else max(today, saturday)


def add_days(sign: int, match: re.Match[str], today: date) -> date:
    """Return the day that is a length of days, weeks, months, quarters or years away."""
    for number, unit in _read_amounts(match["much"]):
        today += _make_delta(DAY_UNITS[unit], sign * number)
    return today


def read_period(match: re.Match[str], week: Week) -> date:
    """Return the first or the last day of this, the next or the last week, month, quarter or year."""
    first, last = find_period(PERIODS.get(match["period"], match["period"]), SHIFTS[match["which"] or "this"], week)
    return last if match.groupdict().get("edge") in ("e", "end") else first


def find_period(name: str, shift: int, week: Week) -> tuple[date, date]:
    """Return the first and the last day of the period that is `shift` periods from the current one."""
    today = week.today
    first = {
        "week": week.first,
        "month": today.replace(day=1),
        "quarter": today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1),
        "year": today.replace(month=1, day=1),
    }[name]
    start: date = first + _make_delta(PERIOD_LENGTHS[name], shift)
    return start, start + _make_delta(PERIOD_LENGTHS[name], 1) - timedelta(days=1)


def read_month_day(match: re.Match[str], today: date) -> date:
    """Return a day of a month, and check that it agrees with a weekday beside it."""
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


def read_slashed_date(match: re.Match[str], today: date) -> date:
    """Read 12/24 and 24/12, and refuse 5/6, which is the 5th of June to some and the 6th of May to others."""
    first, second = int(match["first"]), int(match["second"])
    if first != second and {first, second} <= set(range(1, 13)):
        year = match["year"] or today.year
        both = f"{year}-{first:02}-{second:02} or {year}-{second:02}-{first:02}"
        raise ValueError(f"it could be {both}; write one of these")
    return _find_day(match["year"], min(first, second), max(first, second), today)


def read_day_of_month(match: re.Match[str], today: date) -> date:
    """Return the first such day from today on, in a month that has it."""
    day = int(match["day"])
    date(2000, 1, day)  # raises for a day that no month has
    days = (today.replace(day=1) + _make_delta({"months": n}, 1) + timedelta(days=day - 1) for n in range(3))
    return next(found for found in days if found.day == day and found >= today)


def read_nth_weekday(match: re.Match[str], today: date) -> date:
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


def read_iso_week(match: re.Match[str], today: date) -> date:
    """Return a day of an ISO week, Monday if none is named."""
    return date.fromisocalendar(int(match["year"]), int(match["week"]), int(match["day"] or 1))


def read_twelve_hour_clock(match: re.Match[str], _: date) -> time:
    """Return a time with am or pm."""
    hour = int(match["hour"])
    if not 1 <= hour <= 12:
        raise ValueError("before am or pm, the hour is a number from 1 to 12")
    return time(hour % 12 + 12 * (match["half"] == "p"), int(match["minute"] or 0))


def read_clock(match: re.Match[str], _: date) -> time:
    """Return a time of the 24-hour clock."""
    return time(int(match["hour"]), int(match["minute"] or 0), int(match.groupdict().get("second") or 0))


def read_clock_word(match: re.Match[str], _: date) -> time:
    """Return the time of noon, midnight, sod or eod."""
    return CLOCK_WORDS[match["word"]]


def read_day_part(match: re.Match[str], _: date) -> time:
    """Return the time of a part of the day."""
    return DAY_PARTS[match["part"]]


def read_edge_of_day(match: re.Match[str], now: datetime) -> datetime:
    """Return an edge of today, even if it has passed."""
    return datetime.combine(now.date(), CLOCK_WORDS[match["word"] or "eod"])


def read_tonight(match: re.Match[str], now: datetime) -> datetime:
    """Return today at 21:00, or the end of today if that has passed."""
    clock = DAY_PARTS["night"] if now.time() <= DAY_PARTS["night"] else CLOCK_WORDS["eod"]
    return datetime.combine(now.date(), clock)


def read_this_part(match: re.Match[str], now: datetime) -> datetime:
    """Return a part of today, even if it has passed."""
    return datetime.combine(now.date(), DAY_PARTS[match["part"]])


def add_hours(sign: int, match: re.Match[str], now: datetime) -> datetime:
    """Return the instant that is a length of minutes and hours away."""
    if match["much"] == "half an hour":
        length = timedelta(minutes=30)
    else:
        length = sum((number * CLOCK_UNITS[unit] for number, unit in _read_amounts(match["much"])), timedelta())
    return now.astimezone(UTC).replace(microsecond=0) + sign * length


def read_month(match: re.Match[str], now: datetime) -> date:
    """Return the first day of the month, in the next year that has it ahead."""
    month, today = MONTHS[match["month"]], now.date()
    return date(int(match["year"] or today.year + (month <= today.month)), month, 1)


def read_iso_instant(match: re.Match[str], now: datetime) -> datetime:
    """Return an ISO 8601 instant."""
    return datetime.fromisoformat(match[0].upper().replace(" ", "T", 1).replace(" ", ""))


def refuse_m(match: re.Match[str], now: datetime) -> date:
    """Refuse `3m`, which has two meanings."""
    raise ValueError("m could be minutes or months; write min or mo")

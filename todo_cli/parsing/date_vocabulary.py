"""The words of dates and times: names, numbers, units, parts of a day and abbreviations of time zones."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import time, timedelta


def any_of(words: Iterable[str]) -> str:
    """Return a pattern that matches any of the words, the longest first."""
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


def _number(*rows: str, first: int) -> dict[str, int]:
    """Number the rows from `first` on. A row lists words with the same meaning."""
    return {word: number for number, row in enumerate(rows, first) for word in row.split()}


RELATIVE_DAYS = {
    "day before yesterday": -2,
    "yesterday": -1,
    "today": 0,
    "tod": 0,
    "tonight": 0,
    "tomorrow": 1,
    "tom": 1,
    "tmrw": 1,
    "day after tomorrow": 2,
}
WEEKDAYS = _number(
    "monday mon",
    "tuesday tues tue",
    "wednesday weds wed",
    "thursday thurs thur thu",
    "friday fri",
    "saturday sat",
    "sunday sun",
    first=0,
)
WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = _number(
    "january jan",
    "february feb",
    "march mar",
    "april apr",
    "may",
    "june jun",
    "july jul",
    "august aug",
    "september sept sep",
    "october oct",
    "november nov",
    "december dec",
    first=1,
)
NUMBERS = {"a": 1} | _number(
    "one an", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", first=1
)
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}

SHIFTS = {"last": -1, "p": -1, "this": 0, "next": 1, "n": 1}
PERIODS = {"w": "week", "m": "month", "q": "quarter", "y": "year"}
PERIOD_LENGTHS = {"week": {"weeks": 1}, "month": {"months": 1}, "quarter": {"months": 3}, "year": {"years": 1}}
DAY_UNITS = {word: {"days": 1} for word in ("d", "day", "days")} | {
    word: PERIOD_LENGTHS[row.split()[0]]
    for row in ("week weeks w wk wks", "month months mo mos", "quarter quarters q", "year years y yr yrs")
    for word in row.split()
}
CLOCK_UNITS = {word: timedelta(minutes=1) for word in ("min", "mins", "minute", "minutes")} | {
    word: timedelta(hours=1) for word in ("h", "hr", "hrs", "hour", "hours")
}
CLOCK_WORDS = {"noon": time(12), "midnight": time(0), "sod": time(0), "eod": time(23, 59)}
DAY_PARTS = {"morning": time(9), "noon": time(12), "afternoon": time(15), "evening": time(18), "night": time(21)}

# Abbreviations with one usual meaning: standard and summer time by their offset, ET to PT by the zone.
ZONES = {
    "utc": "UTC",
    "gmt": "UTC",
    "est": "Etc/GMT+5",
    "edt": "Etc/GMT+4",
    "cst": "Etc/GMT+6",
    "cdt": "Etc/GMT+5",
    "mst": "Etc/GMT+7",
    "mdt": "Etc/GMT+6",
    "pst": "Etc/GMT+8",
    "pdt": "Etc/GMT+7",
    "et": "America/New_York",
    "ct": "America/Chicago",
    "mt": "America/Denver",
    "pt": "America/Los_Angeles",
    "cet": "Etc/GMT-1",
    "cest": "Etc/GMT-2",
    "jst": "Etc/GMT-9",
    "aest": "Etc/GMT-10",
    "aedt": "Etc/GMT-11",
}
# Abbreviations with several meanings, which are never read.
AMBIGUOUS_ZONES = frozenset(("ist", "bst", "ast", "sst", "wst", "eet", "eest", "wet", "west", "msk", "hst", "nzst"))

"""Tests of the date parser: the meaning of every form, and that no other text is a date."""

import os
import subprocess
import sys
import time as stopwatch
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from todo_cli.errors import Invalid
from todo_cli.parsing import dates
from todo_cli.parsing import system_zone as machine
from todo_cli.parsing.dates import day_bounds, parse_date, zone_of
from todo_cli.parsing.system_zone import system_zone

MAX_CPU_SECONDS = 5.0  # a pattern that backtracks exponentially takes longer

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
ZONES = [BERLIN, NEW_YORK, LORD_HOWE, "UTC", "Asia/Kathmandu", "Pacific/Apia", "America/Sao_Paulo"]
WEDNESDAY = "2026-11-25T11:00:00+01:00"


def parse_text(words: str, now: str = WEDNESDAY, zone: str = BERLIN) -> str:
    """Return the result as text with its offset, which the equality of aware datetimes ignores."""
    return parse_date(words, zone=zone, now=datetime.fromisoformat(now)).isoformat()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("today", "2026-11-25"),
        ("tod", "2026-11-25"),
        ("TODAY", "2026-11-25"),
        ("  Tomorrow  ", "2026-11-26"),
        ("tom", "2026-11-26"),
        ("yesterday", "2026-11-24"),
        ("the day after tomorrow", "2026-11-27"),
        ("day before yesterday", "2026-11-23"),
        # weekdays: 25 November 2026 is a Wednesday
        ("fri", "2026-11-27"),
        ("Friday", "2026-11-27"),
        ("on friday", "2026-11-27"),
        ("mon", "2026-11-30"),
        ("tues", "2026-12-01"),
        ("wed", "2026-12-02"),
        ("sun", "2026-11-29"),
        ("sat", "2026-11-28"),
        ("this wed", "2026-11-25"),
        ("this fri", "2026-11-27"),
        ("this mon", "2026-11-30"),
        ("next mon", "2026-11-30"),
        ("next wed", "2026-12-02"),
        ("next fri", "2026-12-04"),
        ("next sunday", "2026-12-06"),
        ("last fri", "2026-11-20"),
        ("last wed", "2026-11-18"),
        ("weekend", "2026-11-28"),
        ("this weekend", "2026-11-28"),
        ("next weekend", "2026-12-05"),
        ("last weekend", "2026-11-21"),
        # periods
        ("next week", "2026-11-30"),
        ("next month", "2026-12-01"),
        ("next quarter", "2027-01-01"),
        ("next year", "2027-01-01"),
        ("last week", "2026-11-16"),
        ("sow", "2026-11-23"),
        ("som", "2026-11-01"),
        ("soq", "2026-10-01"),
        ("soy", "2026-01-01"),
        ("eow", "2026-11-29"),
        ("eom", "2026-11-30"),
        ("eoq", "2026-12-31"),
        ("eoy", "2026-12-31"),
        ("sonw", "2026-11-30"),
        ("eonm", "2026-12-31"),
        ("eopm", "2026-10-31"),
        ("end of the month", "2026-11-30"),
        ("end of next quarter", "2027-03-31"),
        ("start of next week", "2026-11-30"),
        # away from today
        ("in 3 days", "2026-11-28"),
        ("3d", "2026-11-28"),
        ("+2w", "2026-12-09"),
        ("2 weeks", "2026-12-09"),
        ("1mo", "2026-12-25"),
        ("1y", "2027-11-25"),
        ("2q", "2027-05-25"),
        ("a week", "2026-12-02"),
        ("in two months", "2027-01-25"),
        ("1w 2d", "2026-12-04"),
        ("a week from now", "2026-12-02"),
        ("3 days ago", "2026-11-22"),
        ("-3d", "2026-11-22"),
        ("in 0 days", "2026-11-25"),
        # named days
        ("2026-12-24", "2026-12-24"),
        ("2026/12/24", "2026-12-24"),
        ("2026-1-5", "2026-01-05"),
        ("2026-W52", "2026-12-21"),
        ("2026-w53-5", "2027-01-01"),
        ("2026W532", "2026-12-29"),
        ("24 dec", "2026-12-24"),
        ("dec 24", "2026-12-24"),
        ("24. December", "2026-12-24"),
        ("24th of december", "2026-12-24"),
        ("December 24th, 2027", "2027-12-24"),
        ("24 December 2026", "2026-12-24"),
        ("24.12.2026", "2026-12-24"),
        ("24.12.", "2026-12-24"),
        ("25 nov", "2026-11-25"),
        ("24 nov", "2027-11-24"),
        ("29 feb", "2028-02-29"),
        ("12/24", "2026-12-24"),
        ("24/12", "2026-12-24"),
        ("24/12/2027", "2027-12-24"),
        ("5/5", "2027-05-05"),
        ("the 15th", "2026-12-15"),
        ("25th", "2026-11-25"),
        ("the 31st", "2026-12-31"),
        ("jan", "2027-01-01"),
        ("december", "2026-12-01"),
        ("nov", "2027-11-01"),
        ("may", "2027-05-01"),
        ("march 2028", "2028-03-01"),
    ],
)
def test_parse_date_day_returns_the_date(words: str, expected: str) -> None:
    assert parse_text(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("now", "2026-11-25T11:00:00+01:00"),
        ("eod", "2026-11-25T23:59:00+01:00"),
        ("end of the day", "2026-11-25T23:59:00+01:00"),
        ("sod", "2026-11-25T00:00:00+01:00"),
        ("fri eod", "2026-11-27T23:59:00+01:00"),
        ("in 90 minutes", "2026-11-25T12:30:00+01:00"),
        ("3h", "2026-11-25T14:00:00+01:00"),
        ("1h 30min", "2026-11-25T12:30:00+01:00"),
        ("an hour", "2026-11-25T12:00:00+01:00"),
        ("an hour ago", "2026-11-25T10:00:00+01:00"),
        ("-30min", "2026-11-25T10:30:00+01:00"),
        # a time alone: today, or tomorrow when it has passed
        ("11:00", "2026-11-25T11:00:00+01:00"),
        ("9am", "2026-11-26T09:00:00+01:00"),
        ("9 AM", "2026-11-26T09:00:00+01:00"),
        ("9:30", "2026-11-26T09:30:00+01:00"),
        ("09:30", "2026-11-26T09:30:00+01:00"),
        ("9.30pm", "2026-11-25T21:30:00+01:00"),
        ("at 9.30 p.m.", "2026-11-25T21:30:00+01:00"),
        ("noon", "2026-11-25T12:00:00+01:00"),
        ("12pm", "2026-11-25T12:00:00+01:00"),
        ("midnight", "2026-11-26T00:00:00+01:00"),
        ("12am", "2026-11-26T00:00:00+01:00"),
        ("at 9", "2026-11-26T09:00:00+01:00"),
        ("at 23", "2026-11-25T23:00:00+01:00"),
        ("17:00:30", "2026-11-25T17:00:30+01:00"),
        # with a day, in any order
        ("today 9am", "2026-11-25T09:00:00+01:00"),
        ("tomorrow at 9am", "2026-11-26T09:00:00+01:00"),
        ("9am tomorrow", "2026-11-26T09:00:00+01:00"),
        ("at 9 on friday", "2026-11-27T09:00:00+01:00"),
        ("tomorrow @9:15", "2026-11-26T09:15:00+01:00"),
        ("fri 17:00", "2026-11-27T17:00:00+01:00"),
        ("next fri 9am", "2026-12-04T09:00:00+01:00"),
        ("friday, noon", "2026-11-27T12:00:00+01:00"),
        ("fri midnight", "2026-11-27T00:00:00+01:00"),
        ("in 3 days at 18:00", "2026-11-28T18:00:00+01:00"),
        ("dec 24 2026 9am", "2026-12-24T09:00:00+01:00"),
        ("24.12. 9.30am", "2026-12-24T09:30:00+01:00"),
        ("2026-12-24 09:00", "2026-12-24T09:00:00+01:00"),
        # ISO 8601
        ("2026-12-24T09:00", "2026-12-24T09:00:00+01:00"),
        ("2026-07-24T09:00", "2026-07-24T09:00:00+02:00"),
        ("2026-12-24T09:00Z", "2026-12-24T10:00:00+01:00"),
        ("2026-12-24t09:00:30z", "2026-12-24T10:00:30+01:00"),
        ("2026-12-24T09:00+02:00", "2026-12-24T08:00:00+01:00"),
        ("2026-12-24 09:00 -0500", "2026-12-24T15:00:00+01:00"),
        ("2026-12-24T23:30-08", "2026-12-25T08:30:00+01:00"),
    ],
)
def test_parse_date_time_returns_the_instant(words: str, expected: str) -> None:
    assert parse_text(words) == expected


@pytest.mark.parametrize(
    ("words", "now", "expected"),
    [
        # month ends and leap years
        ("1mo", "2026-01-31T12:00+01:00", "2026-02-28"),
        ("1mo", "2028-01-31T12:00+01:00", "2028-02-29"),
        ("in 3 months", "2026-11-30T12:00+01:00", "2027-02-28"),
        ("1y", "2028-02-29T12:00+01:00", "2029-02-28"),
        ("eom", "2028-02-10T12:00+01:00", "2028-02-29"),
        ("eom", "2026-01-31T12:00+01:00", "2026-01-31"),
        ("tomorrow", "2026-12-31T12:00+01:00", "2027-01-01"),
        ("the 31st", "2026-02-20T12:00+01:00", "2026-03-31"),
        ("the 30th", "2026-01-31T12:00+01:00", "2026-03-30"),
        ("29 feb", "2028-02-29T12:00+01:00", "2028-02-29"),
        ("29 feb", "2096-03-01T12:00+01:00", "2104-02-29"),
        ("jan", "2026-01-01T12:00+01:00", "2027-01-01"),
        ("soq", "2026-06-30T12:00+02:00", "2026-04-01"),
        # at the weekend: 28 and 29 November 2026
        ("weekend", "2026-11-28T12:00+01:00", "2026-11-28"),
        ("weekend", "2026-11-29T12:00+01:00", "2026-11-29"),
        ("next weekend", "2026-11-29T12:00+01:00", "2026-12-05"),
        ("fri", "2026-11-28T12:00+01:00", "2026-12-04"),
        ("next mon", "2026-11-29T12:00+01:00", "2026-11-30"),
        ("eow", "2026-11-29T12:00+01:00", "2026-11-29"),
        # on a Friday
        ("fri", "2026-11-27T12:00+01:00", "2026-12-04"),
        ("this fri", "2026-11-27T12:00+01:00", "2026-11-27"),
        ("next fri", "2026-11-27T12:00+01:00", "2026-12-04"),
        ("last fri", "2026-11-27T12:00+01:00", "2026-11-20"),
        # the day is the user's, not that of UTC or of the caller
        ("today", "2026-11-25T23:30+00:00", "2026-11-26"),
        ("sow", "2026-11-29T23:30+00:00", "2026-11-30"),
        ("eod", "2026-11-25T22:59:30+00:00", "2026-11-25T23:59:00+01:00"),
    ],
)
def test_parse_date_near_an_edge_of_the_calendar_returns_the_date(words: str, now: str, expected: str) -> None:
    assert parse_text(words, now) == expected


@pytest.mark.parametrize(
    ("words", "now", "zone", "expected"),
    [
        # skipped: forward by the gap
        ("29 mar 02:30", "2026-03-20T12:00Z", BERLIN, "2026-03-29T03:30:00+02:00"),
        ("mar 8 2:30am", "2026-03-01T12:00Z", NEW_YORK, "2026-03-08T03:30:00-04:00"),
        ("2026-10-04T02:10", "2026-09-01T12:00Z", LORD_HOWE, "2026-10-04T02:40:00+11:00"),
        ("2:30", "2026-03-28T22:00Z", BERLIN, "2026-03-29T03:30:00+02:00"),
        # doubled: the first
        ("25 oct 02:30", "2026-10-01T12:00Z", BERLIN, "2026-10-25T02:30:00+02:00"),
        ("nov 1 1:30am", "2026-10-01T12:00Z", NEW_YORK, "2026-11-01T01:30:00-04:00"),
        ("apr 5 01:45", "2026-03-01T12:00Z", LORD_HOWE, "2026-04-05T01:45:00+11:00"),
        # the second, when it is named
        ("2026-10-25T02:30+01:00", "2026-10-01T12:00Z", BERLIN, "2026-10-25T02:30:00+01:00"),
        # hours are elapsed time, days are the calendar's
        ("2h", "2026-03-29T00:30Z", BERLIN, "2026-03-29T04:30:00+02:00"),
        ("2h", "2026-10-24T23:30Z", BERLIN, "2026-10-25T02:30:00+01:00"),
        ("30min", "2026-10-25T01:15Z", BERLIN, "2026-10-25T02:45:00+01:00"),
        ("1d", "2026-03-28T11:00Z", BERLIN, "2026-03-29"),
        ("tomorrow 12:00", "2026-03-28T11:00Z", BERLIN, "2026-03-29T12:00:00+02:00"),
        # 02:30 has passed once the second 02:15 is there
        ("02:30", "2026-10-25T01:15Z", BERLIN, "2026-10-26T02:30:00+01:00"),
        ("02:30", "2026-10-25T00:15Z", BERLIN, "2026-10-25T02:30:00+02:00"),
        ("today", "2026-10-25T02:00Z", NEW_YORK, "2026-10-24"),
    ],
)
def test_parse_date_around_daylight_saving_returns_the_instant(words: str, now: str, zone: str, expected: str) -> None:
    assert parse_text(words, now, zone) == expected


NOT_DATES = [
    # nothing, numbers and other text
    "",
    " ",
    "none",
    "x",
    "3",
    "12",
    "p1",
    "2026",
    "20261224",
    "1700000000",
    "1.2.3",
    "10.0.0.1",
    "1/2/3",
    "buy milk",
    "buy milk tomorrow",
    "tomorrow milk",
    "tomorrowland",
    "monday's",
    "mond",
    "daily",
    "marching",
    "tomorrow tomorrow",
    "today fri",
    "9am 10am",
    "now a",
    "the now",
    "of today",
    "heute 3",
    "on",
    "at",
    "the",
    "day",
    "morning",
    "night",
    "night friday",
    "fri morning 9pm",
    "sat 4 dec",
    "fri 5 december 2026",
    "a",
    "an",
    "in",
    "next",
    "this week",
    "end of",
    "2 days a week",
    "3 hours a day",
    "every day",
    "aday",
    "1d 2h",
    "in 3 days ago",
    "and",
    "9 tomorrow",
    "tomorrow 9",
    "at 9 jan",
    "9.30",
    "24.12",
    "24dec",
    "24.12.26",
    # two meanings
    "5/6",
    "05/06/2026",
    "3m",
    "in 5m",
    "-3m",
    # days that no calendar has
    "31 february",
    "30 feb 2028",
    "29 feb 2026",
    "2026-02-30",
    "2026-13-01",
    "2026-00-10",
    "0000-01-01",
    "0th",
    "32nd",
    "2027-W53",
    "2026-W00",
    "2026-W01-8",
    "13/13",
    "0/5",
    "13/32",
    "2026-12/24",
    # times that no clock shows
    "25:00",
    "24:00",
    "12:60",
    "at 25",
    "13pm",
    "0am",
    "9:5",
    "fri 25:00",
    "2026-12-24T25:00",
    "2026-12-24T24:00",
    "2026-12-24T09:60",
    "2026-12-24T09:00:60",
    "2026-12-24T09:00+25:00",
    "2026-12-24T09",
    # past the calendar's ends
    "99999y",
    "999999w",
    "9999999d",
    "3000y ago",
    "0001-01-01",
    "9999-12-31",
    "9999-12-31T23:59-12:00",
    "0001-01-01T00:00+14:00",
    "9999-12-30T23:59-23:00",
    # characters
    "today\n",
    "to\tday",
    "to\0day",
    "２０２６-12-24",
    "٣d",
    "fri\u00a09am",
    "mañana",
    "\ud800",
    "\u202efri",
    "3 ﬅ",
    "next wee\u212a",
    # long
    "today " * 40,
    "a " * 100,
    "1d" * 101,
    "1 " * 100,
    "9" * 10_000,
    "in " + "1d " * 60 + "x",
    "fri" + " " * 10_000,
]


@pytest.mark.parametrize("words", NOT_DATES)
def test_parse_date_other_text_raises_invalid_with_examples(words: str) -> None:
    start = stopwatch.process_time()
    with pytest.raises(Invalid) as refusal:
        parse_text(words)
    assert stopwatch.process_time() - start < MAX_CPU_SECONDS
    assert "is not a date: " in refusal.value.detail
    assert refusal.value.detail.isprintable()
    assert len(refusal.value.detail) < 400
    assert "2026-12-24" in refusal.value.hint


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("5/6", "2026-05-06 or 2026-06-05"),
        ("3m", "write min or mo"),
        ("31 february", "day is out of range"),
        ("25:00", "hour must be in 0..23"),
        ("", "it is empty"),
        ("x" * 201, "longer than 200 characters"),
    ],
)
def test_parse_date_refused_text_names_the_reason(words: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        parse_text(words)


def test_examples_each_is_a_date() -> None:
    for example in dates.EXAMPLES.removeprefix("try: ").split(", "):
        assert parse_text(example)


# Any text, and text made of the words that the tables know.
KNOWN_WORDS = [
    "a",
    "an",
    "the",
    "on",
    "in",
    "at",
    "next",
    "this",
    "last",
    "day",
    "week",
    "month",
    "fri",
    "may",
    "9am",
    "9",
    "12",
    "24",
    "31st",
    "3d",
    "2h",
    "m",
    "1y",
    "99999",
    "eod",
    "eom",
    "of",
    "end",
    "ago",
    "from",
    "now",
    "tomorrow",
    "noon",
    "dec",
    "2026",
    "2026-12-24",
    "12/24",
    "5/6",
    "24.12.",
    "+",
    "-",
    "@",
    ",",
    ".",
    "9:30",
    "T",
    "Z",
    "W52",
    "+02:00",
    "2026-W01",
]
texts = st.one_of(st.text(max_size=220), st.lists(st.sampled_from(KNOWN_WORDS), max_size=8).map(" ".join))
instants = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 1), timezones=st.timezones())
zones = st.sampled_from(ZONES)


@settings(max_examples=400, deadline=None)
@given(texts, zones, instants)
def test_parse_date_any_text_returns_a_moment_or_raises_invalid_soon(words: str, zone: str, now: datetime) -> None:
    start = stopwatch.process_time()
    check_moment(words, zone, now)
    assert stopwatch.process_time() - start < MAX_CPU_SECONDS


def check_moment(words: str, zone: str, now: datetime) -> None:
    try:
        found = parse_date(words, zone=zone, now=now)
    except Invalid:
        return
    if isinstance(found, datetime):
        assert found.tzinfo == ZoneInfo(zone)
        found.astimezone(UTC)
    else:
        day_bounds(found, zone)


@settings(max_examples=200, deadline=None)
@given(st.dates(dates.EARLIEST, dates.LATEST), zones, instants)
def test_parse_date_iso_date_returns_it(day: date, zone: str, now: datetime) -> None:
    assert parse_date(day.isoformat(), zone=zone, now=now) == day
    year, week, weekday = day.isocalendar()
    if year in range(1, 10_000):
        assert parse_date(f"{year:04}-W{week:02}-{weekday}", zone=zone, now=now) == day


@settings(max_examples=200, deadline=None)
@given(instants, zones, instants)
def test_parse_date_iso_instant_returns_it(moment: datetime, zone: str, now: datetime) -> None:
    moment = moment.replace(second=0, microsecond=0)
    found = parse_date(moment.isoformat(), zone=zone, now=now)
    assert isinstance(found, datetime)
    assert found.astimezone(UTC) == moment.astimezone(UTC)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["fri", "jan", "the 30th", "29 feb", "24 dec", "9am", "3h", "2w", "1mo"]), zones, instants)
def test_parse_date_future_form_returns_no_past(words: str, zone: str, now: datetime) -> None:
    found, here = parse_date(words, zone=zone, now=now), now.astimezone(ZoneInfo(zone))
    if isinstance(found, datetime):
        assert found.astimezone(UTC) >= now.astimezone(UTC).replace(second=0, microsecond=0)
    else:
        assert found >= here.date()


@settings(max_examples=200, deadline=None)
@given(st.dates(dates.EARLIEST, dates.LATEST - timedelta(days=1)), st.sampled_from(ZONES))
def test_day_bounds_consecutive_days_have_no_gap(day: date, zone: str) -> None:
    start, end = day_bounds(day, zone)
    assert start.tzinfo is end.tzinfo is UTC
    assert start <= end == day_bounds(day + timedelta(days=1), zone)[0]


@pytest.mark.parametrize(
    ("day", "zone", "start", "hours"),
    [
        ("2026-11-25", BERLIN, "2026-11-24T23:00", 24),
        ("2026-03-29", BERLIN, "2026-03-28T23:00", 23),
        ("2026-10-25", BERLIN, "2026-10-24T22:00", 25),
        ("2026-03-08", NEW_YORK, "2026-03-08T05:00", 23),
        ("2026-11-01", NEW_YORK, "2026-11-01T04:00", 25),
        ("2026-04-05", LORD_HOWE, "2026-04-04T13:00", 24.5),
        ("2026-10-04", LORD_HOWE, "2026-10-03T13:30", 23.5),
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00", 23),  # its midnight is skipped
        ("2018-02-17", "America/Sao_Paulo", "2018-02-17T02:00", 25),  # its last hour comes twice
        ("2011-12-30", "Pacific/Apia", "2011-12-30T10:00", 0),  # never was: the date line moved
    ],
)
def test_day_bounds_day_returns_its_start_and_end(day: str, zone: str, start: str, hours: float) -> None:
    first = datetime.fromisoformat(f"{start}+00:00")
    assert day_bounds(date.fromisoformat(day), zone) == (first, first + timedelta(hours=hours))


@pytest.mark.parametrize("day", [date.min, date.max])
def test_day_bounds_end_of_calendar_raises_invalid(day: date) -> None:
    with pytest.raises(Invalid, match="no bounds"):
        day_bounds(day, BERLIN)


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [("berlin", BERLIN), ("Europe/Berlim", BERLIN), ("new york", NEW_YORK), ("america/new_york", NEW_YORK)],
)
def test_zone_of_unknown_name_suggests_a_similar_one(name: str, suggestion: str) -> None:
    with pytest.raises(Invalid, match="unknown time zone") as refusal:
        zone_of(name)
    assert suggestion in refusal.value.hint


@pytest.mark.parametrize(
    "name",
    ["", "Europe", "x" * 5000, "../../etc/passwd", "/etc/passwd", "localtime", "right/UTC", "a\0b", "\ud800"],
)
def test_parse_date_invalid_zone_raises_invalid(name: str) -> None:
    with pytest.raises(Invalid):
        parse_date("today", zone=name, now=datetime.now(UTC))


def test_zone_of_iana_name_returns_the_zone() -> None:
    assert zone_of("Asia/Kathmandu").key == "Asia/Kathmandu"


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        (BERLIN, BERLIN),
        (f":{BERLIN}", BERLIN),
        ("/usr/share/zoneinfo/America/Argentina/Salta", "America/Argentina/Salta"),
        ("Etc/GMT+5", "Etc/GMT+5"),
        ("UTC", "UTC"),
        ("EST5EDT", "EST5EDT"),
        ("", "UTC"),
        ("CET-1CEST", "UTC"),
        ("<+03>-3", "UTC"),
        ("/etc/elsewhere", "UTC"),
    ],
)
def test_system_zone_with_tz_returns_its_name(monkeypatch: pytest.MonkeyPatch, setting: str, name: str) -> None:
    monkeypatch.setenv("TZ", setting)
    assert system_zone() == name


@pytest.mark.parametrize(
    ("link", "file", "name"),
    [
        ("/usr/share/zoneinfo/Asia/Tokyo", None, "Asia/Tokyo"),
        ("../usr/share/zoneinfo/Asia/Tokyo", "Europe/Paris", "Asia/Tokyo"),
        ("/var/db/timezone/zoneinfo/Asia/Tokyo", None, "Asia/Tokyo"),
        (None, "Europe/Paris\n", "Europe/Paris"),
        (None, "no zone at all\n", "UTC"),
        (None, None, "UTC"),
    ],
)
def test_system_zone_without_tz_reads_the_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, link: str | None, file: str | None, name: str
) -> None:
    monkeypatch.delenv("TZ", raising=False)
    monkeypatch.setattr(machine, "LOCALTIME_PATH", str(tmp_path / "localtime"))
    monkeypatch.setattr(machine, "TIMEZONE_PATH", str(tmp_path / "timezone"))
    if link:
        (tmp_path / "localtime").symlink_to(link)
    if file:
        (tmp_path / "timezone").write_text(file)
    assert system_zone() == name


def test_dates_import_loads_no_heavy_module() -> None:
    code = "import sys, todo_cli.parsing.dates; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"TZ": "UTC"},
    )
    heavy = {"dateutil", "dateparser", "zoneinfo", "difflib"}
    assert not heavy & set(run.stdout.split())

"""Any text, any day and any instant: the date parser returns a moment or refuses, soon."""

import time as stopwatch
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.date_examples import MAX_CPU_SECONDS, ZONES
from todo_cli.errors import Invalid
from todo_cli.parsing import dates
from todo_cli.parsing.dates import day_bounds, parse_date

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

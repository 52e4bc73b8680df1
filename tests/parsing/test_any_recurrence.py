"""Any rule agrees with dateutil, and any words parse back to the same rule."""

import time as stopwatch
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.support.recurrence_examples import APIA, BERLIN, LORD_HOWE, SAO_PAULO, WEDNESDAY, WORDS, read
from todo_cli.errors import Invalid
from todo_cli.parsing.recurrence import first_occurrence, move_time_to_rule, next_occurrence, parse_recurrence
from todo_cli.parsing.recurrence_format import describe_recurrence

MAX_CPU_SECONDS = 5.0  # no rule takes as long, however busy the machine is


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY",
        "FREQ=WEEKLY;BYDAY=MO",
        "FREQ=MONTHLY",
        "FREQ=YEARLY",
        "FREQ=DAILY;COUNT=10000",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYYEARDAY=40;BYMONTHDAY=31",
        "FREQ=WEEKLY;INTERVAL=1000",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
    ],
)
def test_next_occurrence_old_anchor_takes_little_time(rule: str) -> None:
    start = stopwatch.process_time()
    for _ in range(5):
        next_occurrence(rule, anchor=date(1990, 1, 31), after=date(2026, 11, 25), zone=BERLIN)
    assert stopwatch.process_time() - start < MAX_CPU_SECONDS


# Rules where both follow RFC 5545; the anchor is made to fit, for dateutil drops one that does not.
weekdays = st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"])
parts = st.one_of(
    st.just("FREQ=DAILY"),
    st.builds("FREQ=DAILY;BYMONTH={}".format, st.integers(1, 12)),
    st.builds("FREQ=WEEKLY;BYDAY={},{}".format, weekdays, weekdays),
    st.builds("FREQ=WEEKLY;BYDAY={};WKST={}".format, weekdays, weekdays),
    st.builds("FREQ=MONTHLY;BYMONTHDAY={}".format, st.integers(-31, 31).filter(bool)),
    st.builds("FREQ=MONTHLY;BYDAY={}{}".format, st.sampled_from([1, 2, 4, 5, -1, -2]), weekdays),
    st.builds("FREQ=MONTHLY;BYDAY={},{};BYSETPOS={}".format, weekdays, weekdays, st.sampled_from([1, 3, -1, -2])),
    st.builds("FREQ=MONTHLY;BYMONTHDAY={};BYDAY={}".format, st.integers(1, 31), weekdays),
    st.builds("FREQ=YEARLY;BYMONTH={};BYMONTHDAY={}".format, st.integers(1, 12), st.integers(-28, 28).filter(bool)),
    st.builds("FREQ=YEARLY;BYMONTH={};BYDAY={}{}".format, st.integers(1, 12), st.sampled_from([1, 4, -1]), weekdays),
    st.builds("FREQ=YEARLY;BYDAY={}{}".format, st.sampled_from([1, 20, 52, -1, -30]), weekdays),
    st.builds("FREQ=YEARLY;BYYEARDAY={}".format, st.integers(-365, 365).filter(bool)),
    st.builds("FREQ=YEARLY;BYWEEKNO={};BYDAY={}".format, st.integers(2, 51), weekdays),
)
days = st.dates(date(1990, 1, 1), date(2090, 1, 1))


@settings(max_examples=120, deadline=None)
@given(parts, st.integers(1, 5), days, st.integers(0, 4_000))
def test_next_occurrence_any_rule_agrees_with_dateutil(rule: str, interval: int, around: date, later: int) -> None:
    start = datetime.combine(around, datetime.min.time())
    anchor = next(iter(rrulestr(rule, dtstart=start)), None)
    assume(anchor is not None and anchor.year < 2200)
    assert anchor
    rule = f"{rule};INTERVAL={interval}"
    after = anchor + timedelta(days=later)
    bound = rrulestr(f"{rule};UNTIL={after.year + 60}0101", dtstart=anchor)
    theirs = next((found for found in islice(bound.xafter(after), 1)), None)
    assume(theirs is not None)
    ours = next_occurrence(rule, anchor=anchor.date(), after=after.date(), zone="UTC")
    assert theirs
    assert ours == theirs.date()


spoken = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(
        [
            words
            for words, rule, _ in WORDS
            if not any(part in rule for part in ("HOUR", "COUNT", "UNTIL")) and "=" not in words and ":" not in words
        ]
    ),
    st.sampled_from(["", " at 9am", " at 17:30", " at noon"]),
    st.sampled_from(["", " for 12 times", " until 2030-05-05", " until 2030-05-05T08:00Z"]),
    st.sampled_from(["", " after done", " starting 2027-01-31"]),
)


@settings(max_examples=120, deadline=None)
@given(
    spoken,
    st.sampled_from([BERLIN, LORD_HOWE, "UTC"]),
    st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC)),
)
def test_describe_recurrence_any_words_parse_back_to_the_same_rule(words: str, zone: str, now: datetime) -> None:
    found = parse_recurrence(words, zone=zone, now=now)
    assert parse_recurrence(describe_recurrence(*found), zone=zone, now=now) == found
    assert not describe_recurrence(*found).startswith("FREQ")


@settings(max_examples=120, deadline=None)
@given(
    spoken,
    st.sampled_from([BERLIN, LORD_HOWE, SAO_PAULO, APIA, "UTC"]),
    st.datetimes(datetime(2000, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC)),
    st.integers(0, 3_000),
)
def test_next_occurrence_any_rule_returns_the_nearest_later_instant(
    words: str, zone: str, anchor: datetime, later: int
) -> None:
    rule = parse_recurrence(words, zone=zone, now=anchor).rule
    after = anchor + timedelta(hours=later)
    found = next_occurrence(rule, anchor=anchor, after=after, zone=zone)
    if found is None:
        assert "COUNT" in rule or "UNTIL" in rule
        return
    assert isinstance(found, datetime)
    assert found.tzinfo == ZoneInfo(zone)
    assert found.astimezone(UTC) > after
    assert next_occurrence(rule, anchor=anchor, after=found.astimezone(UTC) - timedelta(seconds=1), zone=zone) == found


fragments = st.sampled_from(
    [
        "every",
        "!",
        "3",
        "2nd",
        "last",
        "day",
        "week",
        "mon",
        "mon-",
        ",",
        "and",
        "on",
        "the",
        "at",
        "9am",
        "until",
        "fri",
        "for",
        "times",
        "after",
        "done",
        "starting",
        "FREQ=DAILY",
        ";",
        "COUNT=2",
        "BYDAY=MO",
        "jan",
        "31",
        "other",
        "-",
    ]
)


@settings(max_examples=120, deadline=None)
@given(
    st.text(max_size=60) | st.lists(fragments, max_size=9).map(" ".join) | st.lists(fragments, max_size=9).map("".join)
)
def test_parse_recurrence_any_text_returns_a_rule_or_raises_invalid(words: str) -> None:
    try:
        found = read(words)
    except Invalid:
        return
    assert read(describe_recurrence(*found)) == found
    first_occurrence(found.rule, zone=BERLIN, now=WEDNESDAY, start=found.start)


@pytest.mark.parametrize(
    ("words", "rule", "zone", "description"),
    [
        ("every day at 9am EST", "FREQ=DAILY;BYHOUR=9;BYMINUTE=0", "Etc/GMT+5", "every day at 09:00 EST"),
        (
            "every monday at 10:00 America/New_York for 3 times",
            "FREQ=WEEKLY;COUNT=3;BYDAY=MO;BYHOUR=10;BYMINUTE=0",
            "America/New_York",
            "every monday at 10:00 America/New_York for 3 times",
        ),
        (
            "every morning ET",
            "FREQ=DAILY;BYHOUR=9;BYMINUTE=0",
            "America/New_York",
            "every day at 09:00 America/New_York",
        ),
        ("daily at 9am utc until 2027-01-01", "", "UTC", "every day at 09:00 UTC until 2027-01-01"),
    ],
)
def test_recurrence_with_a_zone_names_it_and_parses_back(words: str, rule: str, zone: str, description: str) -> None:
    found = read(words)
    assert (found.zone, found.rule if rule else "") == (zone, rule)
    assert describe_recurrence(*found) == description
    assert read(description) == found


@pytest.mark.parametrize(
    ("due", "every", "moved"),
    [
        ("10:00 America/New_York", "every monday", "every monday at 10:00 America/New_York"),
        ("at 6pm EST", "every sunday", "every sunday at 6pm EST"),
    ],
)
def test_time_with_a_zone_belongs_to_the_rule_beside_it(due: str, every: str, moved: str) -> None:
    assert move_time_to_rule(due, every) == (None, moved)

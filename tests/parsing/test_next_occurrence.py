"""The next date of each rule: month ends, leap years and daylight saving."""

from datetime import datetime, timedelta

import pytest

from tests.support.recurrence_examples import APIA, BERLIN, LORD_HOWE, SAO_PAULO, when
from todo_cli.parsing.recurrence import next_occurrence


def list_series(rule: str, anchor: str, most: int = 5, zone: str = BERLIN) -> list[str]:
    """Return the occurrences after the anchor, at most so many."""
    found, last = [], when(anchor)
    while (
        len(found) < most and (later := next_occurrence(rule, anchor=when(anchor), after=last, zone=zone)) is not None
    ):
        found.append(later.isoformat())
        last = later
    return found


def test_next_occurrence_hourly_rule_counts_elapsed_hours() -> None:
    assert list_series("FREQ=HOURLY;INTERVAL=12", "2026-03-28T18:00+01:00", 3) == [
        "2026-03-29T07:00:00+02:00", "2026-03-29T19:00:00+02:00", "2026-03-30T07:00:00+02:00",
    ]  # fmt: skip  # one line
    done = datetime.fromisoformat("2026-11-25T11:20:00+01:00")
    later = next_occurrence(
        "FREQ=HOURLY;INTERVAL=4", anchor=when("2026-11-20"), after=done, zone=BERLIN, from_done=True
    )
    assert later == done + timedelta(hours=4)


@pytest.mark.parametrize(
    ("rule", "anchor", "expected"),
    [
        # the anchor's day, or a shorter month's last
        ("FREQ=MONTHLY", "2026-01-31", ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        ("FREQ=MONTHLY", "2028-01-30", ["2028-02-29", "2028-03-30", "2028-04-30"]),
        ("FREQ=MONTHLY;INTERVAL=3", "2026-11-30", ["2027-02-28", "2027-05-30", "2027-08-30"]),
        ("FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", "2026-01-31", ["2026-02-28", "2026-03-31", "2026-04-30"]),
        (
            "FREQ=MONTHLY;BYMONTHDAY=15,28,29,30;BYSETPOS=-1,1",
            "2026-01-15",
            ["2026-01-30", "2026-02-15", "2026-02-28", "2026-03-15"],
        ),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-01-31", ["2026-02-28", "2026-03-31"]),
        # as RFC 5545 says, where the rule itself names the day
        ("FREQ=MONTHLY;BYMONTHDAY=31", "2026-01-31", ["2026-03-31", "2026-05-31", "2026-07-31"]),
        ("FREQ=YEARLY", "2024-02-29", ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
        ("FREQ=YEARLY;BYMONTH=2,8", "2026-08-31", ["2027-02-28", "2027-08-31", "2028-02-29"]),
        ("FREQ=YEARLY;INTERVAL=4", "2096-02-29", ["2100-02-28", "2104-02-29"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2096-02-29", ["2104-02-29", "2108-02-29"]),
        ("FREQ=YEARLY;BYWEEKNO=53", "2026-12-31", ["2032-12-30", "2037-12-31"]),
        ("FREQ=YEARLY;BYYEARDAY=-1", "2026-12-31", ["2027-12-31", "2028-12-31"]),
        # weeks
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", "2026-11-26", ["2026-12-07", "2026-12-10", "2026-12-21"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU", "2026-11-22", ["2026-11-23", "2026-12-06", "2026-12-07"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", "2026-11-27", ["2026-12-25", "2027-01-29"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-11-30", ["2026-12-31", "2027-01-29"]),
        # the anchor need not fit, and counts all the same
        ("FREQ=WEEKLY;BYDAY=MO;COUNT=3", "2026-11-25", ["2026-11-30", "2026-12-07"]),
        ("FREQ=DAILY;COUNT=1", "2026-11-25", []),
        ("FREQ=DAILY;UNTIL=20261127", "2026-11-25", ["2026-11-26", "2026-11-27"]),
        (
            "FREQ=DAILY;UNTIL=20261127",
            "2026-11-25T23:00+01:00",
            ["2026-11-26T23:00:00+01:00", "2026-11-27T23:00:00+01:00"],
        ),
        ("FREQ=DAILY;UNTIL=20261126T220000Z", "2026-11-25T23:00+01:00", ["2026-11-26T23:00:00+01:00"]),
        # a date becomes an instant where the rule names a time
        (
            "FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0",
            "2026-11-25T09:00+01:00",
            ["2026-11-25T17:00:00+01:00", "2026-11-26T09:00:00+01:00"],
        ),
        ("FREQ=DAILY", "9999-12-29", ["9999-12-30"]),
    ],
)
def test_next_occurrence_rule_returns_the_series(rule: str, anchor: str, expected: list[str]) -> None:
    ends = len(expected) < 2 or "UNTIL" in rule or "COUNT" in rule
    assert list_series(rule, anchor, most=len(expected) + ends) == expected


@pytest.mark.parametrize(
    ("zone", "anchor", "expected"),
    [
        (BERLIN, "2026-03-28T09:00+01:00", ["2026-03-29T09:00:00+02:00", "2026-03-30T09:00:00+02:00"]),
        (BERLIN, "2026-03-28T02:30+01:00", ["2026-03-29T03:30:00+02:00", "2026-03-30T02:30:00+02:00"]),
        (BERLIN, "2026-10-24T02:30+02:00", ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]),
        (BERLIN, "2026-10-24T09:00+02:00", ["2026-10-25T09:00:00+01:00"]),
        (LORD_HOWE, "2026-10-03T02:10+10:30", ["2026-10-04T02:40:00+11:00", "2026-10-05T02:10:00+11:00"]),
        (LORD_HOWE, "2026-04-04T01:45+11:00", ["2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30"]),
        (
            SAO_PAULO,
            "2018-11-03T00:00-03:00",
            ["2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"],
        ),  # no midnight
        (APIA, "2011-12-29T09:00-10:00", ["2011-12-31T09:00:00+14:00", "2012-01-01T09:00:00+14:00"]),  # no 30 December
    ],
)
def test_next_occurrence_across_daylight_saving_keeps_the_wall_clock(
    zone: str, anchor: str, expected: list[str]
) -> None:
    assert list_series("FREQ=DAILY", anchor, most=len(expected), zone=zone) == expected


@pytest.mark.parametrize(
    ("rule", "anchor", "done", "expected"),
    [
        ("FREQ=DAILY;INTERVAL=3", "2026-11-20", "2026-11-25T08:00+01:00", "2026-11-28"),
        ("FREQ=DAILY;INTERVAL=3", "2026-11-20T09:00+01:00", "2026-11-25T07:00+01:00", "2026-11-28T09:00:00+01:00"),
        ("FREQ=DAILY", "2026-11-20T09:00+01:00", "2026-11-24T23:30+00:00", "2026-11-26T09:00:00+01:00"),
        ("FREQ=MONTHLY", "2026-01-15", "2026-01-31", "2026-02-28"),
        ("FREQ=WEEKLY;BYDAY=MO", "2026-11-02", "2026-11-25", "2026-11-30"),
        ("FREQ=DAILY;BYHOUR=7;BYMINUTE=0", "2026-11-20", "2026-11-25T06:00+01:00", "2026-11-26T07:00:00+01:00"),
    ],
)
def test_next_occurrence_from_done_counts_from_completion(rule: str, anchor: str, done: str, expected: str) -> None:
    found = next_occurrence(rule, anchor=when(anchor), after=when(done), zone=BERLIN, from_done=True)
    assert found is not None
    assert found.isoformat() == expected


@pytest.mark.parametrize(
    ("occurrence", "from_done", "ends"),
    [(1, False, False), (2, False, False), (3, False, True), (2, True, False), (3, True, True)],
)
def test_next_occurrence_with_count_ends_by_the_number_of_the_occurrence(
    occurrence: int, from_done: bool, ends: bool
) -> None:
    found = next_occurrence(
        "FREQ=DAILY;COUNT=3",
        anchor=when("2026-01-01"),
        after=when("2026-11-25"),
        zone=BERLIN,
        from_done=from_done,
        occurrence=occurrence,
    )
    assert found == (None if ends else when("2026-11-26"))


def test_next_occurrence_before_the_anchor_returns_the_anchor() -> None:
    assert next_occurrence(
        "FREQ=WEEKLY;BYDAY=MO", anchor=when("2026-12-02"), after=when("2026-11-25"), zone=BERLIN
    ) == when("2026-12-02")

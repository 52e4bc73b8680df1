"""Texts that are no dates are refused with examples."""

import time as stopwatch

import pytest

from tests.support.date_examples import MAX_CPU_SECONDS, parse_text
from todo_cli.errors import Invalid
from todo_cli.parsing import dates

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
        ("31 february", "is not a date: the month has no such day$"),
        ("25:00", "an hour is a number from 0 to 23"),
        ("2026-13-01", "a month is a number from 1 to 12"),
        ("2026-w60", "the year has no such week"),
        ("0000-01-01", "years are 1 to 9999"),
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

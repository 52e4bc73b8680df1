"""Texts that are no recurrences, first occurrences, and times beside a rule."""

from datetime import datetime

import pytest

from tests.support.recurrence_examples import read
from todo_cli.errors import Invalid
from todo_cli.parsing.recurrence import EXAMPLES, first_occurrence, move_time_to_rule, parse_recurrence

REFUSED = [
    ("", "nothing says how often"),
    ("every", "nothing says"),
    ("often", "not understood"),
    ("every feb 30", "no such day"),
    ("every 0 days", "interval"),
    ("every 1001 days", "interval"),
    ("every 32nd", "not understood"),
    ("every 6th monday", "not understood"),
    ("every 5 minutes", "hourly at most"),
    ("every 1001 hours", "interval"),
    ("every hour at 9am", "no time of day"),
    ("every day at 25:00", "an hour is a number"),
    ("every day at nine", "not a time"),
    ("every day at 9am and 5:30pm", "same minute"),
    ("every day at", "not understood"),
    ("every day until 2020-01-01", "before its end"),
    ("every day until someday", "not a date"),
    ("every day for 0 times", "1 to 10000"),
    ("every day until fri for 3 times", "cannot be combined"),
    ("every day until fri until sat", "repeats an earlier part"),
    ("every year on the 15th", "not days of a year"),
    ("every day on monday", "not days of a day"),
    ("every 30th and 31st", "only one"),
    ("every other 15th", "every other month"),
    ("FREQ=HOURLY;BYHOUR=3", "excludes every BY"),
    ("FREQ=SECONDLY;INTERVAL=5", "hourly at most"),
    ("FREQ=OFTEN", "must be HOURLY, DAILY"),
    ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "no day before its end"),
    ("FREQ=DAILY;BYMONTH=4;BYMONTHDAY=31", "no day before its end"),
    ("FREQ=YEARLY;BYYEARDAY=40;BYMONTHDAY=31", "no day before its end"),
    ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6", "no day before its end"),
    ("FREQ=DAILY;COUNT=3;UNTIL=20300101", "exclude"),
    ("FREQ=DAILY;FREQ=DAILY", "twice"),
    ("FREQ=DAILY;BYDAYS=MO", "known are"),
    ("FREQ=WEEKLY;BYDAY=2MO", "needs FREQ"),
    ("FREQ=WEEKLY;BYMONTHDAY=3", "excludes FREQ=WEEKLY"),
    ("FREQ=DAILY;INTERVAL=0", "1 to 1000"),
    ("FREQ=DAILY;BYHOUR=24", "0 to 23"),
    ("FREQ=DAILY;BYHOUR=-1", "negative"),
    ("FREQ=MONTHLY;BYMONTHDAY=0", "1 to 31"),
    ("FREQ=DAILY;BYSETPOS=1", "needs another"),
    ("FREQ=DAILY;COUNT=99999", "1 to 10000"),
    ("FREQ=DAILY at 9am", "has its own time"),
    ("FREQ=DAILY;UNTIL=20261399", "a month is a number"),
    ("FREQ=DAILY;BYHOUR=0,1,2,3;BYMINUTE=0,1,2,3,4,5,6", "24 times"),
    ("every " + "9" * 300 + " days", "interval"),
    ("x" * 601, "longer"),
    ("every \ud800", "not understood"),
]


@pytest.mark.parametrize(("words", "reason"), REFUSED, ids=[ascii(row[0])[:40] for row in REFUSED])
def test_parse_recurrence_other_text_raises_invalid_with_examples(words: str, reason: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read(words)
    assert reason in refusal.value.detail
    assert EXAMPLES in refusal.value.hint
    assert len(refusal.value.detail) < 500


@pytest.mark.parametrize(
    ("words", "near"),
    [
        ("every wekday", "weekday"),
        ("every tuseday", "tuesday"),
        ("FREQ=DAILY;INTERVL=2", "INTERVAL="),
        ("montly", "monthly"),
    ],
)
def test_parse_recurrence_typo_suggests_the_word(words: str, near: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read(words)
    assert f"did you mean {near}?" in refusal.value.hint


def test_examples_each_is_a_recurrence() -> None:
    for example in EXAMPLES.removeprefix("try: ").split(", "):
        assert read(example)


NOW = datetime.fromisoformat("2026-11-27T22:00:00+00:00")  # a Friday


@pytest.mark.parametrize(
    ("words", "due"),
    [
        ("every sunday at 6pm", "2026-11-29T18:00:00+00:00"),
        ("every weekday at 9am", "2026-11-30T09:00:00+00:00"),
        ("every last friday at 17:00", "2026-12-25T17:00:00+00:00"),
        ("every 3rd monday starting dec 2 at 18:30", "2026-12-21T18:30:00+00:00"),
        ("every hour", "2026-11-27T23:00:00+00:00"),
        ("every 4 hours", "2026-11-28T02:00:00+00:00"),
        ("every 4 hours starting 9am", "2026-11-28T09:00:00+00:00"),
        ("every 4th thursday of november", "2027-11-25"),
        ("every monday morning", "2026-11-30T09:00:00+00:00"),
    ],
)
def test_first_occurrence_words_return_the_expected_moment(words: str, due: str) -> None:
    found = parse_recurrence(words, zone="UTC", now=NOW)
    assert first_occurrence(found.rule, zone="UTC", now=NOW, start=found.start).isoformat() == due


@pytest.mark.parametrize(
    ("due", "every", "expected"),
    [
        ("at 6pm", "every sunday", (None, "every sunday at 6pm")),
        ("9:30", "weekly", (None, "weekly at 9:30")),
        ("9am", "FREQ=WEEKLY;BYDAY=SU", (None, "FREQ=WEEKLY;BYDAY=SU;BYHOUR=9;BYMINUTE=0")),
        ("9am", "FREQ=DAILY;BYHOUR=8", ("9am", "FREQ=DAILY;BYHOUR=8")),
        ("9am", "every day at 8am", ("9am", "every day at 8am")),
        ("9am", "every 4 hours", (None, "every 4 hours starting 9am")),
        ("fri 9am", "every friday", ("fri 9am", "every friday")),
        ("tomorrow", "every week", ("tomorrow", "every week")),
        (None, "every week", (None, "every week")),
        ("9am", None, ("9am", None)),
        ("9am", "never", ("9am", "never")),
    ],
)
def test_move_time_to_rule_time_without_day_belongs_to_the_rule(
    due: str | None, every: str | None, expected: tuple[str | None, str | None]
) -> None:
    assert move_time_to_rule(due, every) == expected

"""The words of recurrences, and the rule of each."""

import pytest

from tests.support.recurrence_examples import BERLIN, WEDNESDAY, WORDS, read, when
from todo_cli.parsing.recurrence import Recurrence, first_occurrence
from todo_cli.parsing.recurrence_format import describe_recurrence


@pytest.mark.parametrize(("words", "rule", "said"), WORDS, ids=[row[0] for row in WORDS])
def test_parse_recurrence_words_return_the_rule_and_its_description(words: str, rule: str, said: str) -> None:
    found = read(words)
    assert found == Recurrence(rule)
    assert describe_recurrence(found.rule) == said
    assert read(said) == found


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("every! 3 days", "every 3 days after done"),
        ("3 days after done", "every 3 days after done"),
        ("every 2 weeks after completion at 9am", "every 2 weeks at 09:00 after done"),
        ("every! month on the 31st for 3 times", "every month on the 31st for 3 times after done"),
    ],
)
def test_parse_recurrence_after_done_counts_from_completion(words: str, said: str) -> None:
    found = read(words)
    assert found.from_done
    assert describe_recurrence(*found) == said
    assert read(said) == found


@pytest.mark.parametrize(
    ("words", "start", "due"),
    [
        ("every 3 days starting monday", "2026-11-30", "2026-11-30"),
        ("every monday from 2026-12-02", "2026-12-02", "2026-12-07"),
        ("every day at 9am starting tomorrow", "2026-11-26", "2026-11-26T09:00:00+01:00"),
        ("every day starting 2026-12-24T08:00Z", "2026-12-24T08:00:00+00:00", "2026-12-24T09:00:00+01:00"),
    ],
)
def test_parse_recurrence_named_start_is_kept(words: str, start: str, due: str) -> None:
    found = read(words)
    assert found.start == when(start)
    assert read(describe_recurrence(*found)) == found
    assert first_occurrence(found.rule, zone=BERLIN, now=WEDNESDAY, start=found.start).isoformat() == due


@pytest.mark.parametrize(
    ("words", "due"),
    [
        ("every day", "2026-11-25"),
        ("every month", "2026-11-25"),
        ("every 2 weeks on monday", "2026-11-30"),
        ("every wednesday", "2026-11-25"),
        ("every day at noon", "2026-11-25T12:00:00+01:00"),
        ("every day at 9am", "2026-11-26T09:00:00+01:00"),
        ("every 31st", "2026-11-30"),
        ("every 4 years on 29 feb", "2027-02-28"),
    ],
)
def test_first_occurrence_rule_returns_the_next_day_that_fits(words: str, due: str) -> None:
    assert first_occurrence(read(words).rule, zone=BERLIN, now=WEDNESDAY).isoformat() == due

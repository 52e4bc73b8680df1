"""Tests of every documented form: each has the expected meaning, and each pattern of the parser is documented."""

import re
from datetime import UTC, datetime

import pytest

from tests.parsing.date_tables import DATE_GROUPS, NOW, RECURRENCE_GROUPS, REFUSED, format_moment
from todo_cli.errors import Invalid
from todo_cli.parsing.date_forms import ALONE, DAYS, PARTS, TIMES, WEEK_FORMS
from todo_cli.parsing.dates import parse_date
from todo_cli.parsing.recurrence import first_occurrence, next_occurrence, parse_recurrence

DATES = [tuple(form) for group in DATE_GROUPS for form in group["forms"]]
RECURRENCES = [(words, days) for group in RECURRENCE_GROUPS for words, *days in group["forms"]]
REFUSED_FORMS = [tuple(form) for forms in REFUSED.values() for form in forms]


@pytest.mark.parametrize(("words", "meaning"), DATES)
def test_parse_date_documented_form_has_its_meaning(words: str, meaning: str) -> None:
    assert format_moment(parse_date(words, zone="UTC", now=NOW)) == meaning


@pytest.mark.parametrize(("words", "reason"), REFUSED_FORMS)
def test_parse_date_refused_form_names_the_reason(words: str, reason: str) -> None:
    with pytest.raises(Invalid, match=re.escape(f"'{words}' is not a date: {reason}")):
        parse_date(words, zone="UTC", now=NOW)


@pytest.mark.parametrize(("words", "days"), RECURRENCES)
def test_next_occurrence_documented_form_has_its_days(words: str, days: list[str]) -> None:
    found = parse_recurrence(words, zone="UTC", now=NOW)
    zone = found.zone or "UTC"
    first = first_occurrence(found.rule, zone=zone, now=NOW, start=found.start)
    moments = [first]
    while len(moments) < len(days):
        later = next_occurrence(found.rule, anchor=first, after=moments[-1], zone=zone, occurrence=len(moments))
        assert later
        moments.append(later)
    in_utc = [moment.astimezone(UTC) if isinstance(moment, datetime) else moment for moment in moments]
    assert [format_moment(moment) for moment in in_utc] == days


def test_date_forms_each_pattern_has_a_documented_example() -> None:
    texts = [words.lower().replace(", ", " ").removeprefix("on ") for words, _ in (*DATES, *REFUSED_FORMS)]
    parts = {" ".join(text.split()[start:end]) for text in texts for start in range(9) for end in range(start + 1, 10)}
    for table in (DAYS, WEEK_FORMS, TIMES, PARTS, ALONE):
        for pattern, _ in table:
            assert any(re.fullmatch(pattern, part) for part in parts), pattern

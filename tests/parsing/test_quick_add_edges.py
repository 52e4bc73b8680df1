"""Quick add at its edges: several dates, bad values, long texts and unusual characters."""

import subprocess
import sys
import time as stopwatch

import pytest

from tests.support.quick_add_texts import FRIDAY, remove_spaces, text_outside
from todo_cli.errors import Invalid
from todo_cli.parsing.dates import EXAMPLES as DATE_EXAMPLES
from todo_cli.parsing.quick_add import QuickAdd, parse_quick_add, read_quick_add

MAX_CPU_SECONDS = 5.0  # no text takes as long, however busy the machine is


@pytest.mark.parametrize(
    ("text", "title", "due"),
    [
        ("Call friday or not, by monday", "Call friday or not,", "monday"),
        ("Call tomorrow, mail on friday", "Call, mail on friday", "tomorrow"),
        ("Call tomorrow due:fri", "Call tomorrow", "fri"),
        ("Call due:fri due:mon", "Call due:mon", "fri"),
    ],
)
def test_parse_quick_add_several_dates_takes_one(text: str, title: str, due: str) -> None:
    assert parse_quick_add(text) == QuickAdd(title, due=due)


@pytest.mark.parametrize("words", DATE_EXAMPLES.removeprefix("try: ").split(", "))
def test_parse_quick_add_each_example_of_the_date_error_is_read(words: str) -> None:
    assert parse_quick_add(f"Report {words}", FRIDAY) == QuickAdd("Report", due=words)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("Fix pri:urgent", "'urgent' is not a priority"),
        ("Fix parent:none2", "'none2' is not the number of a task"),
        ("Read the after:party plan", "'party' is not a list of task numbers"),
        ("Fix dep:0", "'0' is not a list of task numbers"),
        ("Fix status:done", "'done' is not the status of a new task"),
        ('Fix tag:"two words"', "'two words' is not a tag"),
    ],
)
def test_parse_quick_add_bad_value_behind_a_key_raises_invalid(text: str, part: str) -> None:
    with pytest.raises(Invalid, match=part) as error:
        parse_quick_add(text)
    assert "backslash" in error.value.hint


@pytest.mark.parametrize(
    ("text", "cleared"),
    [
        ("Fix p4", ("priority",)),
        ("Fix due:none every:none", ("due", "every")),
        ("Fix project:none", ("project",)),
        ("Fix remind:none", ("remind",)),
    ],
)
def test_read_quick_add_none_clears_the_field(text: str, cleared: tuple[str, ...]) -> None:
    assert read_quick_add(text).cleared == cleared
    assert read_quick_add(text).fields == QuickAdd("Fix")


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("Pay rent due:fri remind:1h", QuickAdd("Pay rent", due="fri", remind=("1h",))),
        ("Pay rent remind:1h before, fri", QuickAdd("Pay rent", due="fri", remind=("1h before",))),
        ("Call remind:30 min before Bob tomorrow", QuickAdd("Call Bob", due="tomorrow", remind=("30 min before",))),
        ("Call remind:1h tomorrow 9am", QuickAdd("Call", due="tomorrow 9am", remind=("1h",))),
        ("Call remind:tomorrow 9am", QuickAdd("Call", remind=("tomorrow 9am",))),
        ('Call fri remind:"at due" remind:1d', QuickAdd("Call", due="fri", remind=("at due", "1d"))),
        ("Remind: call Bob", QuickAdd("Remind: call Bob")),
        ("Call \\remind:1h", QuickAdd("Call remind:1h")),
    ],
)
def test_parse_quick_add_remind_takes_a_time_before_or_a_date(text: str, fields: QuickAdd) -> None:
    assert parse_quick_add(text, FRIDAY) == fields


def test_read_quick_add_without_title_returns_fields_alone() -> None:
    assert read_quick_add("due:tomorrow #home", has_title=False).fields == QuickAdd("", due="tomorrow", project="home")
    assert read_quick_add("due:tomorrow #home").fields == QuickAdd("due:tomorrow #home")


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("Watch Friday the 13th", ("Friday the 13th",)),
        ("Party sat 4 dec 2026", ("sat 4 dec 2026",)),
        ("Gym tomorrow and every thursday", ("tomorrow and every thursday",)),
        ("Pay the bill 2026-11-31", ("2026-11-31",)),
        ("Report for january 30th", ()),
        ("Buy milk tomorrow", ()),
    ],
)
def test_read_quick_add_phrase_that_stays_whole_is_refused(text: str, refused: tuple[str, ...]) -> None:
    assert read_quick_add(text, FRIDAY).refused == refused


@pytest.mark.parametrize(
    "text",
    [
        "a " * 50_000, "#a " * 33_000, "@a" * 50_000, '"' * 100_000, '" ' * 50_000, '"\\' * 50_000, "\\" * 100_000,
        "every " * 17_000, "every 1st " * 10_000, "due:1 " * 17_000, "fri " * 25_000, "1 2 3 in on at " * 7_000,
        '"1 2 3 4 5" ' * 9_000, "3 x after done " * 7_000, "x" * 100_000, "tomorrow to friday " * 5_000,
        "\u202e\u0301" * 50_000, "9am to " * 14_000, 'due:"fri ' * 11_000, "1" * 100_000, "every " + "1" * 100_000,
        " ".join(f"at {n} due:{n}x" for n in range(8_000)), " ".join(f"every {n} mon" for n in range(8_000)),
        "on the of " * 10_000 + "friday", "daily " * 17_000, "tomorrow " + "and " * 25_000 + "friday",
    ],
    ids=range(26),
)  # fmt: skip  # a word list
def test_read_quick_add_long_text_takes_little_time(text: str) -> None:
    start = stopwatch.process_time()
    reading = read_quick_add(text)
    assert stopwatch.process_time() - start < MAX_CPU_SECONDS
    assert remove_spaces(reading.fields.title) == remove_spaces(text_outside(text, reading.tokens))


def test_parse_quick_add_many_tags_returns_all() -> None:
    fields = parse_quick_add("Sort " + " ".join(f"@t{n}" for n in range(10_000)))
    assert fields == QuickAdd("Sort", tags=tuple(f"t{n}" for n in range(10_000)))


@pytest.mark.parametrize("title", ["קנה חלב\u200f", "e\u0301tude", "a\u200bb", "\u202efri", "x\u00a0y", "a  b"])
def test_parse_quick_add_unusual_characters_stay_in_the_title(title: str) -> None:
    assert parse_quick_add(f"{title} #home").title == parse_quick_add(title).title == title


def test_quick_add_import_loads_no_heavy_module() -> None:
    code = "import sys, todo_cli.parsing.quick_add, todo_cli.parsing.recurrence; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"dateutil", "zoneinfo", "difflib", "dataclasses"} & set(run.stdout.split())

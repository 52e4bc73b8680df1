"""Tests of quick add: no text is lost, no phrase is read in part, keys are promises, and formatting inverts parsing."""

import re
import subprocess
import sys
import time as stopwatch
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from todo_cli.errors import Invalid
from todo_cli.parsing.dates import EXAMPLES as DATE_EXAMPLES
from todo_cli.parsing.quick_add import QuickAdd, QuickAddReading, parse_quick_add, read_quick_add
from todo_cli.parsing.quick_add_format import format_quick_add
from todo_cli.parsing.quick_add_title import QuickAddToken
from todo_cli.parsing.recurrence import move_time_to_rule

MAX_CPU_SECONDS = 5.0  # no text takes as long, however busy the machine is
FRIDAY = date(2026, 11, 27)

PIECES = [
    "Pay", "rent", "the", "tomorrow", "friday", "on", "by", "due", "at", "9am", "17:00", "in", "3", "days", "#home", "@phone",
    "#12", "@5", "p1", "p4", "!high", "!2", "every", "every!", "month", "mon,wed", "after", "done", "due:fri", "due:", "defer:mon",
    "wait:", "scheduled:eom", "remind:1h", "remind:fri", "assign:bob", "assign:me", "parent:12", "under:#3", "after:7,9", "after:", "project:x", "tag:y", "pri:H", "every:weekly",
    '"', '"sat', 'x"', '"tomorrow"', '"a #b"', '#"a b"', 'due:"next fri"', "\\", "\\#x", '\\"', '\\\\"', "sat", "Sun", "may", "5",
    ",", ".", ";", "!", "-", "to", "next", "week", "24/7", "the", "15th", "\u200f", "e\u0301", "👩‍👩‍👧", "\u00a0", "\t", "  ", "\x00", "\ud800",
]  # fmt: skip  # a word list
DATE_PIECES = [
    "call", "Bob", "tomorrow", "tonight", "today", "monday", "friday", "fri", "dec", "january", "4", "30th", "the", "13th", "9am",
    "5pm", "17:00", "at", "on", "by", "due", "in", "2", "weeks", "days", "and", "or", "to", "through", "from", "of", "every", "daily",
    "month", "week", "starting", "until", "morning", "evening", "next", "last", "first", "a", "7pm-9pm", "EST", "2026-12-24", "for",
]  # fmt: skip  # a word list
pieced_texts = st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join) | st.lists(
    st.sampled_from([*PIECES, " ", " "]), max_size=14
).map("".join)
texts = st.one_of(st.text(max_size=80), pieced_texts)
dated_texts = st.lists(st.sampled_from(DATE_PIECES), max_size=9).map(" ".join)

DATES = ["fri", "tomorrow 9am", "2026-12-24", "next week", "24.12.", "in 3 days", "now", "Dec 24, 2026", "9 a.m.", "at 9:30"]  # fmt: skip  # a word list
RULES = ["every day", "weekly", "every! 3 days", "3 days after done", "every mon, wed and fri at 9am", "2 weeks"]
names = st.text(min_size=1, max_size=20).map(str.strip).filter(bool) | st.sampled_from(
    ["home", "a b", 'a"b', "#x", "ff0000", "12", "\\"]
)
tags = names.filter(lambda name: not any(char.isspace() or char == "," for char in name))
numbers = st.integers(1, 2**63 - 1)
quick_adds = st.builds(
    QuickAdd,
    title=texts.map(str.strip).filter(bool),
    due=st.none() | st.sampled_from(DATES),
    project=st.none() | names,
    tags=st.lists(tags, unique=True, max_size=3).map(tuple),
    priority=st.none() | st.integers(1, 3),
    every=st.none() | st.sampled_from(RULES),
    defer=st.none() | st.sampled_from(DATES),
    scheduled=st.none() | st.sampled_from(DATES),
    parent=st.none() | numbers,
    after=st.lists(numbers, unique=True, max_size=3).map(tuple),
    assigned_to=st.none() | names.filter(lambda name: name.lower() != "none"),
    remind=st.lists(st.sampled_from([*DATES, "1h", "30 min before", "at due"]), unique=True, max_size=2).map(tuple),
)


def read_or_skip(text: str) -> QuickAddReading:
    """Read the text, and skip the example if a key in it has a bad value."""
    try:
        return read_quick_add(text, FRIDAY)
    except Invalid:
        assume(False)
        raise


def remove_spaces(text: str) -> str:
    return "".join(text.split())


def text_outside(text: str, tokens: tuple[QuickAddToken, ...]) -> str:
    inside = {place for token in tokens for place in range(token.start, token.end)}
    return "".join(char for place, char in enumerate(text) if place not in inside)


@settings(max_examples=120, deadline=None)
@given(texts | dated_texts)
@example("Tomorrow, call #home, and every day. p1!")
@example('"\\"a #b\\"" due:fri')
@example("Dinner sat 7pm-9pm")
def test_read_quick_add_any_text_keeps_every_character_in_the_title_or_in_a_token(text: str) -> None:
    reading = read_or_skip(text)
    assert reading.fields == parse_quick_add(text, FRIDAY)
    assert remove_spaces(reading.fields.title) == remove_spaces(text_outside(text, reading.tokens))
    assert sorted(reading.tokens) == list(reading.tokens)
    assert all(first.end <= second.start for first, second in pairwise(reading.tokens))
    assert bool(reading.fields.title) == bool(text.strip())


# The date vocabulary that issue and documentation name, written down independently of the parser.
DAY_WORD = re.compile(
    r"(?i)(mon|tues?|wed(nes)?|thu(rs)?|fri|sat(ur)?|sun)(day)?s?|today|tonight|tomorrow|tmrw|yesterday"
    r"|jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?|nov(ember)?|dec(ember)?"
    r"|[0-9]{1,2}(st|nd|rd|th)|[0-9]{1,2}(am|pm)|[0-9]{1,2}:[0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{2}"
)
DAY_PART = re.compile("(?i)morning|noon|afternoon|evening|night")
UNIT = re.compile("(?i)days?|weeks?|months?|hours?|min|minutes?")
CONNECTORS = ("and", "or", "to", "through")


def begins_date_vocabulary(words: list[str]) -> bool:
    first, second = ([word.strip(",.;:!") for word in words] + ["", ""])[:2]
    is_length = first.isdigit() and bool(UNIT.fullmatch(second))
    is_joined = first.lower() in CONNECTORS and bool(DAY_WORD.fullmatch(second))
    return bool(DAY_WORD.fullmatch(first) or DAY_PART.fullmatch(first)) or is_length or is_joined


@settings(max_examples=600, deadline=None)
@given(dated_texts)
@example("Report for january 30th")
@example("Prepare slides for dec 5 at 3pm")
@example("Read from may 3rd to may 9th")
@example("Backup every day at 9am or 5pm")
@example("Watch Friday the 13th")
@example("sunday every 1st due tonight")
@example("daily friday due sunday")
@example("june 4 at evening 5pm daily january")
def test_read_quick_add_any_phrase_has_no_date_vocabulary_beside_it(text: str) -> None:
    reading = read_or_skip(text)
    tokens = [token for token in reading.tokens if token.field in ("due", "every")]
    starts, ends = {token.start for token in tokens}, {token.end for token in tokens}
    for token in tokens:
        before, behind = text[: token.start].split(), text[token.end :].split()
        is_range = bool(behind) and "-" in behind[0]  # `sat 7pm-9pm`: the length stays in the title
        if token.end + 1 not in starts and not is_range:
            assert not begins_date_vocabulary(behind[:2]), token
        if token.start - 1 not in ends and before:
            assert not DAY_WORD.fullmatch(before[-1].strip(",.;:!")), token


@settings(max_examples=120, deadline=None)
@given(texts)
def test_read_quick_add_text_without_tokens_returns_the_text_as_title(text: str) -> None:
    reading = read_or_skip(text)
    if not reading.tokens:
        assert reading.fields == QuickAdd(text.strip())


@settings(max_examples=120, deadline=None)
@given(quick_adds)
@example(QuickAdd('"#a" #b'))
@example(QuickAdd("tomorrow", tags=("x",)))
@example(QuickAdd("0", tags=("@",)))
@example(QuickAdd("a , b", due="fri"))
@example(QuickAdd('a\\" \\', project='"'))
def test_format_quick_add_any_fields_parse_back_to_the_same_fields(fields: QuickAdd) -> None:
    due, every = move_time_to_rule(fields.due, fields.every)
    assume((due, every) == (fields.due, fields.every))
    assert parse_quick_add(format_quick_add(fields)) == fields


@settings(max_examples=120, deadline=None)
@given(texts | dated_texts)
def test_format_quick_add_parsed_text_parses_back_to_the_same_fields(text: str) -> None:
    fields = read_or_skip(text).fields
    if fields.title:
        assert parse_quick_add(format_quick_add(fields), FRIDAY) == fields


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Pay rent tomorrow #home", {"tomorrow": "due", "#home": "project"}),
        ("Pay rent due on friday, p1!", {"due on friday,": "due", "p1": "priority"}),
        ('Read "Tomorrow" @home', {'"': "quotes", "@home": "tags"}),
        ("Lunch 12:30 with Bob on friday", {"12:30": "due", "on friday": "due"}),
        ("Dinner sat 7pm-9pm", {"sat": "due"}),
    ],
)
def test_read_quick_add_tokens_name_their_places(text: str, kinds: dict[str, str]) -> None:
    assert {text[token.start : token.end]: token.field for token in read_quick_add(text).tokens} == kinds


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

"""Quick capture keeps every character: in the title or in a token; and what it writes it reads again."""

import subprocess
import sys
import time as stopwatch
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from todo_cli.parsing.quick_add import QuickAdd, QuickAddToken, format_quick_add, parse_quick_add, read

HANGS = 5.0  # seconds of CPU that no text takes, however busy the machine

PIECES = [
    "Pay", "rent", "the", "tomorrow", "friday", "on", "by", "due", "at", "9am", "17:00", "in", "3", "days", "#home", "@phone",
    "#12", "@5", "p1", "!high", "!2", "every", "every!", "month", "mon,wed", "after", "done", "due:fri", "due:", "defer:mon",
    "wait:", "scheduled:eom", "parent:12", "under:#3", "after:7,9", "after:", "project:x", "tag:y", "pri:H", "every:weekly",
    '"', '"sat', 'x"', '"tomorrow"', '"a #b"', '#"a b"', 'due:"next fri"', "\\", "\\#x", '\\"', '\\\\"', "sat", "Sun", "may", "5",
    ",", ".", ";", "!", "-", "to", "next", "week", "24/7", "the", "15th", "\u200f", "e\u0301", "👩‍👩‍👧", "\u00a0", "\t", "  ", "\x00", "\ud800",
]  # fmt: skip
made_texts = st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join) | st.lists(
    st.sampled_from([*PIECES, " ", " "]), max_size=14
).map("".join)
texts = st.one_of(st.text(max_size=80), made_texts)

DATES = [
    "fri",
    "tomorrow 9am",
    "2026-12-24",
    "next week",
    "24.12.",
    "in 3 days",
    "now",
    "Dec 24, 2026",
    "9 a.m.",
    "at 9:30",
]
REPEATS = ["every day", "weekly", "every! 3 days", "3 days after done", "every mon, wed and fri at 9am", "2 weeks"]
names = st.text(min_size=1, max_size=20).map(str.strip).filter(bool) | st.sampled_from(
    ["home", "a b", 'a"b', "#x", "ff0000", "12", "\\"]
)
tags = names.filter(lambda name: not any(char.isspace() or char == "," for char in name))
numbers = st.integers(1, 2**63 - 1)
captures = st.builds(
    QuickAdd,
    title=texts.map(str.strip).filter(bool),
    due=st.none() | st.sampled_from(DATES),
    project=st.none() | names,
    tags=st.lists(tags, unique=True, max_size=3).map(tuple),
    priority=st.none() | st.integers(1, 3),
    every=st.none() | st.sampled_from(REPEATS),
    defer=st.none() | st.sampled_from(DATES),
    scheduled=st.none() | st.sampled_from(DATES),
    parent=st.none() | numbers,
    after=st.lists(numbers, unique=True, max_size=3).map(tuple),
)


def solid(text: str) -> str:
    return "".join(text.split())


def outside(text: str, tokens: tuple[QuickAddToken, ...]) -> str:
    gone = {place for token in tokens for place in range(token.start, token.end)}
    return "".join(char for place, char in enumerate(text) if place not in gone)


@settings(max_examples=120, deadline=None)
@given(texts)
@example("Tomorrow, call #home, and every day. p1!")
@example('"\\"a #b\\"" due:fri')
def test_every_character_is_in_the_title_or_in_a_token(text: str) -> None:
    found, tokens = read(text)
    assert found == parse_quick_add(text)
    assert solid(found.title) == solid(outside(text, tokens))
    assert sorted(tokens) == list(tokens)
    assert all(one.end <= two.start for one, two in pairwise(tokens))
    assert bool(found.title) == bool(text.strip())


@settings(max_examples=120, deadline=None)
@given(texts)
def test_a_text_without_tokens_stays_as_it_is(text: str) -> None:
    found, tokens = read(text)
    if not tokens:
        assert found == QuickAdd(text.strip())


@settings(max_examples=120, deadline=None)
@given(captures)
@example(QuickAdd('"#a" #b'))
@example(QuickAdd("tomorrow", tags=("x",)))
@example(QuickAdd("a , b", due="fri"))
@example(QuickAdd('a\\" \\', project='"'))
def test_what_is_written_is_read_again(captured: QuickAdd) -> None:
    assert parse_quick_add(format_quick_add(captured)) == captured


@settings(max_examples=120, deadline=None)
@given(texts)
def test_what_is_read_is_written_and_read_again(text: str) -> None:
    found = parse_quick_add(text)
    if found.title:
        assert parse_quick_add(format_quick_add(found)) == found


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Pay rent tomorrow #home", {"tomorrow": "due", "#home": "project"}),
        ("Pay rent due on friday, p1!", {"due on friday,": "due", "p1": "priority"}),
        ('Read "Tomorrow" @home', {'"': "quotes", "@home": "tags"}),
        ("Lunch 12:30 with Bob on friday", {"12:30": "due", "on friday": "due"}),
    ],
)
def test_tokens_name_their_places(text: str, kinds: dict[str, str]) -> None:
    assert {text[token.start : token.end]: token.field for token in read(text)[1]} == kinds


@pytest.mark.parametrize(
    ("text", "title", "due"),
    [
        ("Call friday or not, by monday", "Call friday or not,", "monday"),
        ("Call tomorrow, mail on friday", "Call, mail on friday", "tomorrow"),
        ("Call tomorrow due:fri", "Call tomorrow", "fri"),
        ("Call due:fri due:mon", "Call due:mon", "fri"),
    ],
)
def test_one_due_date_is_taken(text: str, title: str, due: str) -> None:
    assert parse_quick_add(text) == QuickAdd(title, due=due)


@pytest.mark.parametrize(
    "text",
    [
        "a " * 50_000, "#a " * 33_000, "@a" * 50_000, '"' * 100_000, '" ' * 50_000, '"\\' * 50_000, "\\" * 100_000,
        "every " * 17_000, "every 1st " * 10_000, "due:1 " * 17_000, "fri " * 25_000, "1 2 3 in on at " * 7_000,
        '"1 2 3 4 5" ' * 9_000, "3 x after done " * 7_000, "x" * 100_000, "tomorrow to friday " * 5_000,
        "\u202e\u0301" * 50_000, "9am to " * 14_000, 'due:"fri ' * 11_000, "1" * 100_000, "every " + "1" * 100_000,
        " ".join(f"at {n} due:{n}x" for n in range(8_000)), " ".join(f"every {n} mon" for n in range(8_000)),
    ],
    ids=range(23),
)  # fmt: skip
def test_a_long_text_is_read_soon(text: str) -> None:
    start = stopwatch.process_time()
    found, tokens = read(text)
    assert stopwatch.process_time() - start < HANGS
    assert solid(found.title) == solid(outside(text, tokens))


def test_many_tags_are_all_there() -> None:
    found = parse_quick_add("Sort " + " ".join(f"@t{n}" for n in range(10_000)))
    assert found == QuickAdd("Sort", tags=tuple(f"t{n}" for n in range(10_000)))


@pytest.mark.parametrize("title", ["קנה חלב\u200f", "e\u0301tude", "a\u200bb", "\u202efri", "x\u00a0y", "a  b"])
def test_letters_stay_as_they_are(title: str) -> None:
    assert parse_quick_add(f"{title} #home").title == parse_quick_add(title).title == title


def test_importing_it_is_light() -> None:
    code = "import sys, todo_cli.parsing.quick_add, todo_cli.parsing.recurrence; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"dateutil", "zoneinfo", "difflib", "dataclasses"} & set(run.stdout.split())

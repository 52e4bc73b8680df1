"""Tests of quick add: no text is lost, no phrase is read in part, keys are promises, and formatting inverts parsing."""

import re
from itertools import pairwise

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.support.quick_add_format import format_quick_add
from tests.support.quick_add_texts import FRIDAY, remove_spaces, text_outside
from todo_cli.errors import Invalid
from todo_cli.parsing.quick_add import QuickAdd, QuickAddReading, parse_quick_add, read_quick_add
from todo_cli.parsing.recurrence import move_time_to_rule

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

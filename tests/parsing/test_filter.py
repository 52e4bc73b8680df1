"""Tests of the filter parser: accepted filters, the position of errors, and formatting as the inverse of parsing."""

from __future__ import annotations

import sys
from contextlib import suppress
from time import process_time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from todo_cli.errors import Invalid
from todo_cli.parsing.filter_ast import (
    And,
    FieldTerm,
    Node,
    Numbers,
    TextTerm,
    ViewTerm,
    make_and,
    make_not,
    make_numbers,
    make_or,
    walk_terms,
)
from todo_cli.parsing.filter_parser import format_filter, parse_filter
from todo_cli.parsing.filter_vocabulary import CHOICES, DATE, FIELDS
from todo_cli.parsing.quick_add_fields import FIELDS as FIELDS_OF_KEYS

ACCEPTED = {  # text -> the same filter in its plainest form; None: refused
    "": "",
    "  \t\n": "",
    "3": "3",
    "3 7-9 #12": "3,7-9,12",
    "1,2,3": "1-3",
    "3,7-9,": "3,7-9",
    "#7-#9": "7-9",
    "id:3-5": "3-5",
    "3 @x 7": "3,7 tag:x",
    "3 and 7": "3 and 7",
    "3 or 7 or 4": "3-4,7",
    "-3": "not 3",
    "project:home": "project:home",
    "#home": "project:home",
    "#'my project'": "project:'my project'",
    "pro:home.*": "project:home.*",
    "Project:Home": "project:Home",
    "project!=home": "not project:home",
    "project.not:home": "not project:home",
    "project:none": "project:none",
    "@phone tag:phone +phone tags:@phone": "tag:phone tag:phone tag:phone tag:phone",
    "-@work": "not tag:work",
    "+OVERDUE -+BLOCKED": "is:overdue not is:blocked",
    "p1": "priority:1",
    "P1,p2": "priority:1 or priority:2",
    "priority:H": "priority:1",
    "pri:high,low": "priority:1 or priority:3",
    "p4": "priority:none",
    "priority<=2": "priority<=2",
    "due:today": "due:today",
    "due<fri": "due<fri",
    "due >= x": None,
    "due<'next friday'": "due<'next friday'",
    'due<="next friday"': "due<='next friday'",
    "due.before:eom due.after:sow due.by:fri": "due<eom due>sow due<=fri",
    "due.none: wait.any:": "due:none defer:any",
    "entry>-1w end:today": "created>-1w done:today",
    "status:open,done": "status:open or status:done",
    "status:pending": "status:open",
    "IS:Blocked": "is:blocked",
    "has:labels": "has:tags",
    "parent:12 after:#3": "parent:12 after:3",
    "depends:3,4": "after:3 or after:4",
    "dep:3 under:12 t:fri sched:mon": "after:3 parent:12 defer:fri scheduled:mon",
    "rec:weekly recur:any -every:none": "every:weekly every:any not every:none",
    "every:'2 weeks'": "every:'2 weeks'",
    "claimed:me": "claimed:me",
    "title:word note:'two words'": "title:word note:'two words'",
    "desc.contains:x": "title:x",
    "milk bread": "milk bread",
    "'free words'": "'free words'",
    "don't": "'don\\'t'",
    "'it\\'s' \"a 'b'\"": "'it\\'s' 'a \\'b\\''",
    "'http://x'": "'http://x'",
    ":work and @x": ":work tag:x",
    "a b or c": "a b or c",
    "a and (b or c)": "a (b or c)",
    "a && b || !c": "a b or not c",
    "a & b | c": "a b or c",
    "NOT a AND b": "not a b",
    "not (a b)": "not (a b)",
    "!!a !!!b": "a not b",
    "((a))": "a",
    "(p1|p2)": None,
    "call(mum)": "call mum",
    "Milch über 牛乳": "Milch über 牛乳",
}


@pytest.mark.parametrize("text", [text for text, plain in ACCEPTED.items() if plain is not None])
def test_parse_filter_valid_text_returns_its_plain_form(text: str) -> None:
    assert format_filter(parse_filter(text)) == ACCEPTED[text]
    assert parse_filter(ACCEPTED[text] or "") == parse_filter(text)


REFUSED = {  # text -> the position of the error, a part of the message or hint
    "prioritiy:1": (1, "priority:"),
    "a prioject:home": (3, "project:"),
    "http://x": (1, "quote"),
    "at 9:30": (4, "quote"),
    "a=b": (1, "quote"),
    "is:xyz": (4, "it can be: open"),
    "is:bloked": (4, "is:blocked"),
    "has:nots": (5, "has:note"),
    "status:opne": (8, "status:open"),
    "priority:9": (10, "priorities are"),
    "priority<none": (10, "priority:none"),
    "due: today": (5, "without a space"),
    "@ phone": (2, "without a space"),
    "due<none": (5, "due:none"),
    "project<x": (1, "no order"),
    "due.befor:x": (5, ".before:"),
    "due.none:x": (10, "takes no value"),
    "every<weekly": (1, "no order"),
    "parent:x": (8, "number"),
    "parent:1-2": (8, "single"),
    "0": (1, "no tasks 0"),
    "9-7": (1, "no tasks 9-7"),
    "1,99999999999999999999": (3, "no tasks"),
    "(a": (1, "not closed"),
    "a)": (2, "no '(' matches"),
    "()": (2, "missing"),
    "a or": (5, "missing before the end"),
    "and a": (1, "missing before 'and'"),
    "a and or b": (7, "missing before 'or'"),
    "not": (4, "missing"),
    "a xor b": (3, "xor"),
    "a -": (3, "minus"),
    "'a": (1, "not closed"),
    "x:'": (3, "not closed"),
    "''": (1, "quotes are empty"),
    "'a'b": (4, "closing quote"),
    "p1|p2": (3, "inside a word"),
    "#R&D": (3, "inside a word"),
    "(" * 31 + "a" + ")" * 31: (31, "30 deep"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_parse_filter_error_names_its_character_and_a_remedy(text: str) -> None:
    position, part = REFUSED[text]
    with pytest.raises(Invalid) as refused:
        parse_filter(text)
    assert refused.value.extra == {"position": position}
    assert f"at character {position}:" in refused.value.detail
    assert part in f"{refused.value.detail} {refused.value.hint}"


def test_parse_filter_beyond_a_limit_raises_invalid() -> None:
    with pytest.raises(Invalid, match="longer than 10,000"):
        parse_filter("x" * 10_001)
    with pytest.raises(Invalid, match="more than 200 terms"):
        parse_filter("a " * 201)
    assert len(list(walk_terms(parse_filter("@a " * 200)))) == 200
    assert parse_filter(" ".join(map(str, range(1, 2_000)))) == Numbers(((1, 1_999),))
    assert parse_filter(" or ".join(map(str, range(1, 1_000)))) == Numbers(((1, 999),))
    assert format_filter(parse_filter("(" * 30 + "a" + ")" * 30)) == "a"


PLAIN = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).map(str.strip).filter(bool)
DATES = st.sampled_from(["today", "fri", "2026-01-01", "next friday", "in 3 days", "31 feb"])


def _field_terms() -> st.SearchStrategy[Node]:
    date_fields = [name for name, kind in FIELDS.items() if kind == DATE]
    signs = st.sampled_from([":", "<", "<=", ">", ">="])
    words = PLAIN.filter(lambda text: text.lower() not in ("none", "any") and text[0] not in "#@")
    return st.one_of(
        st.builds(FieldTerm, st.sampled_from(["project", "tag", "title", "note", "claimed"]), st.just(":"), words),
        st.builds(FieldTerm, st.sampled_from(date_fields), signs, DATES),
        st.builds(
            FieldTerm, st.sampled_from(["project", "due", "defer"]), st.just(":"), st.sampled_from(["none", "any"])
        ),
        st.builds(FieldTerm, st.just("priority"), signs, st.sampled_from("123")),
        st.builds(FieldTerm, st.sampled_from(["parent", "after"]), st.just(":"), st.integers(1, 2**63 - 1).map(str)),
        *(st.builds(FieldTerm, st.just(name), st.just(":"), st.sampled_from(words)) for name, words in CHOICES.items()),
    )


RANGE = st.tuples(st.integers(1, 60), st.integers(0, 9)).map(lambda pair: (pair[0], pair[0] + pair[1]))
LEAF = st.one_of(
    _field_terms(),
    st.builds(TextTerm, PLAIN),
    st.builds(ViewTerm, PLAIN),
    st.lists(RANGE, min_size=1, max_size=4).map(make_numbers),
)
NODE = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map(make_and),
        st.lists(inner, min_size=1, max_size=4).map(make_or),
        inner.map(make_not),
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(NODE)
def test_format_filter_any_tree_parses_back_to_the_same_tree(node: Node) -> None:
    assert parse_filter(format_filter(node)) == node


@settings(max_examples=150, deadline=None)
@example("+@0")
@given(st.text(st.sampled_from("""ab13 '"()!-&|<>=:#@+.,\\\t""") | st.characters(), max_size=60))
def test_parse_filter_any_text_returns_a_tree_or_raises_invalid(text: str) -> None:
    """An accepted text means the same in its plain form."""
    try:
        node = parse_filter(text)
    except Invalid as error:
        refused = error
    else:
        assert parse_filter(format_filter(node)) == node
        assert node != And() or not text.strip()
        return
    assert 1 <= refused.extra.get("position", 1) <= len(text) + 1
    assert len(refused.detail) + len(refused.hint) < 700


HOSTILE_PIECES = (
    "(",
    ")",
    "!",
    "-",
    "a ",
    "'a' ",
    "@a ",
    "a:",
    "a.b:",
    "1,",
    "1-2,",
    "1 or ",
    "<",
    "=",
    "\\'",
    "((a)",
    "a(",
    ":a",
    "p1,",
    "a" * 50,
    "é=",
)


@pytest.mark.parametrize("piece", HOSTILE_PIECES)
def test_parse_filter_hostile_text_takes_linear_time(piece: str) -> None:
    """Quadratic time would take minutes here, and recursion would exceed the stack limit."""
    limit, start = sys.getrecursionlimit(), process_time()
    try:
        sys.setrecursionlimit(400)
        for text in (piece * 10_000)[:10_000], "'" + piece * 5_000, piece * 5_000 + "'":
            with suppress(Invalid):
                format_filter(parse_filter(text[:10_000]))
    finally:
        sys.setrecursionlimit(limit)
    assert process_time() - start < 30


@pytest.mark.parametrize("key", [key for key in FIELDS_OF_KEYS if key != "remind"])
def test_parse_filter_every_key_of_quick_add_is_a_field(key: str) -> None:
    field = {"tags": "tag", "assigned_to": "assigned"}.get(FIELDS_OF_KEYS[key], FIELDS_OF_KEYS[key])
    value = {"priority": "1", "parent": "3", "after": "3", "status": "open"}.get(field, "x")
    assert parse_filter(f"{key}:{value}") == FieldTerm(field, ":", value)

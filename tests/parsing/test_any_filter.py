"""Filters beyond a limit, and any filter: its text parses back to the same tree."""

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

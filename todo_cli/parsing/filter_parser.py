"""The filter language: one for lists, search, bulk changes, saved views, tools, tokens and the API. Pure.

    project:home @phone due<fri p1 -@work is:blocked 'free words'

- Numbers: `3 7-9 #12`, `1,2,3`; side by side they name tasks together, all other terms narrow down.
- Fields: `project:home` = `#home` (`project:home.*` with all below it, divided by . or /), `tag:phone` = `@phone` =
  `+phone`, `priority:1` = `p1`, `due:today due<fri due>=2026-01-01 due:none due:any`, likewise defer, scheduled,
  created, updated and done; `status:`, `is:`, `has:` with their lists in `filter_words`; `parent:12`, `after:12`,
  `title:word`, `note:'two words'`, `claimed:me`; `:name` is a saved view. What is quoted may have
  spaces: `due<'next friday'`.
- All else is full text: words, 'quoted phrases'. A word with a colon, < or > whose left side is no field is a
  mistake, so that a slip never becomes a search.
- `not`, `!`, `-` bind most; then a space, `and`, `&&`; then `or`, `||`; parentheses. Numbers with `and` between
  them are what both name.
- Taskwarrior's `due.before:eom`, `project.not:home` and `+OVERDUE` are read too.

A mistake is an Invalid that names its character, counted from 1, in its detail and as `position`.
"""

from __future__ import annotations

import re

from todo_cli.errors import Invalid
from todo_cli.parsing.filter_ast import (
    And,
    FieldTerm,
    Node,
    Not,
    Numbers,
    Or,
    TextTerm,
    ViewTerm,
    join_adjacent,
    make_and,
    make_not,
    make_or,
    walk_terms,
)
from todo_cli.parsing.filter_lexer import FilterToken, tokenize
from todo_cli.parsing.filter_vocabulary import OPERATORS, filter_error

MAX_FILTER_CHARS = 10_000  # characters
MAX_PARENTHESES_DEPTH = 30  # parentheses in parentheses
MAX_FILTER_TERMS = 200  # terms, where all numbers together are one

_BARE = re.compile(r"[\w./*-]+")
_LETTERS = re.compile(r"[^\W\d_]+")


def parse_filter(text: str) -> Node:
    """The filter's meaning; an empty one is every task. Raises Invalid, and nothing else."""
    if len(text) > MAX_FILTER_CHARS:
        raise Invalid(f"the filter is longer than {MAX_FILTER_CHARS:,} characters", hint="save parts of it as views")
    found = tokenize(text)
    if not found:
        return And()
    reader = _Reader(found, len(text))
    node = reader.either()
    if (rest := reader.next()).kind != "end":
        raise filter_error(rest.at, "there is no '(' to this ')'", "remove it, or quote it")
    if sum(1 for _ in walk_terms(node)) > MAX_FILTER_TERMS:
        raise Invalid(f"the filter has more than {MAX_FILTER_TERMS} terms", hint="numbers count as one: 1,2,3 or 7-900")
    return node


class _Reader:
    """Reads the tokens once, from left to right."""

    def __init__(self, found: list[FilterToken], end: int) -> None:
        self._tokens, self._place, self._depth = found, 0, 0
        self._end = FilterToken("end", end)

    def next(self) -> FilterToken:
        """The token that comes."""
        return self._tokens[self._place] if self._place < len(self._tokens) else self._end

    def _take(self, kind: str) -> bool:
        taken = self.next().kind == kind
        self._place += taken
        return taken

    def either(self) -> Node:
        """Parts with `or` between them."""
        parts = [self._every()]
        while self._take("or"):
            parts.append(self._every())
        return make_or(parts)

    def _every(self) -> Node:
        parts = [self._beside()]
        while self._take("and"):
            parts.append(self._beside())
        return make_and(parts)

    def _beside(self) -> Node:
        parts = [self._one()]
        while self.next().kind in ("term", "not", "("):
            parts.append(self._one())
        return join_adjacent(parts)

    def _one(self) -> Node:
        turned = False
        while self._take("not"):
            turned = not turned
        token = self.next()
        self._place += 1
        node = self._inside(token) if token.kind == "(" else token.node
        if node is None:
            raise filter_error(token.at, *_missing(token))
        return make_not(node) if turned else node

    def _inside(self, opened: FilterToken) -> Node:
        self._depth += 1
        if self._depth > MAX_PARENTHESES_DEPTH:
            message = f"parentheses are nested more than {MAX_PARENTHESES_DEPTH} deep"
            raise filter_error(opened.at, message, "save parts of the filter as views")
        node = self.either()
        if not self._take(")"):
            raise filter_error(opened.at, "this '(' is not closed", "put a ) behind it, or quote it")
        self._depth -= 1
        return node


def _missing(token: FilterToken) -> tuple[str, str]:
    if token.kind in ("and", "or"):
        return f"a term is missing before {token.kind!r}", f"a word that is meant as text is quoted: '{token.kind}'"
    said = "the end of the filter" if token.kind == "end" else f"{token.kind!r}"
    return f"a term is missing before {said}", ""


def format_filter(node: Node) -> str:
    """The filter in its plainest form: `parse(written(node)) == node`."""
    match node:
        case And(parts):
            # side by side, numbers would name tasks together
            between = " and " if sum(isinstance(part, Numbers) for part in parts) > 1 else " "
            return between.join(_closed(part, (Or,)) for part in parts)
        case Or(parts):
            return " or ".join(format_filter(part) for part in parts)
        case Not(part):
            return f"not {_closed(part, (And, Or))}"
        case Numbers(ranges):
            return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)
        case FieldTerm(name, sign, value):
            return f"{name}{sign}{value if _BARE.fullmatch(value) else _quotes(value)}"
        case ViewTerm(name):
            return f":{name if _BARE.fullmatch(name) else _quotes(name)}"
        case TextTerm(text):
            plain = _LETTERS.fullmatch(text) and text.lower() not in (*OPERATORS, "not", "xor")
            return text if plain else _quotes(text)


def _closed(node: Node, kinds: tuple[type, ...]) -> str:
    return f"({format_filter(node)})" if isinstance(node, kinds) else format_filter(node)


def _quotes(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

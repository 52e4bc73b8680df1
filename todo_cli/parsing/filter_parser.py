"""The filter language of lists, search, bulk changes, saved views, tools, tokens and the API.

    project:home @phone due<fri p1 -@work is:blocked 'free words'

- Numbers: `3 7-9 #12`, `1,2,3`. Adjacent numbers name tasks together; all other terms narrow the result.
- Fields: `project:home` = `#home` (`project:home.*` includes the projects below it, separated by . or /),
  `tag:phone` = `@phone` = `+phone`, `priority:1` = `p1`, `due:today due<fri due>=2026-01-01 due:none due:any`,
  and likewise defer, scheduled, created, updated and done; `status:`, `is:` and `has:` with the values in
  `filter_vocabulary`; `parent:12`, `after:12`, `title:word`, `note:'two words'`, `claimed:me`, `assigned:me`;
  `:name` is a saved view. Values with spaces are quoted: `due<'next friday'`.
- Everything else is full text: words and 'quoted phrases'. A word with a colon, < or > whose left side is not a
  field is an error, so that a typo never becomes a search.
- `not`, `!` and `-` bind most tightly, then a space, `and` and `&&`, then `or` and `||`; parentheses group.
  Numbers joined by `and` match the tasks that both name.
- Taskwarrior's `due.before:eom`, `project.not:home` and `+OVERDUE` are accepted.

An error is an Invalid that names its character, counted from 1, in its detail and as `position`.
"""

from __future__ import annotations

import re
from functools import lru_cache

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
from todo_cli.parsing.filter_vocabulary import OPERATORS, SIGILS, filter_error

MAX_FILTER_CHARS = 10_000
MAX_PARENTHESES_DEPTH = 30
MAX_FILTER_TERMS = 200  # all numbers together count as one term

_BARE = re.compile(r"[\w./*-]+")
_LETTERS = re.compile(r"[^\W\d_]+")


@lru_cache(256)
def parse_filter(text: str) -> Node:
    """Return the tree of the filter. An empty filter matches every task. Raise Invalid, and nothing else."""
    if len(text) > MAX_FILTER_CHARS:
        raise Invalid(f"the filter is longer than {MAX_FILTER_CHARS:,} characters", hint="save parts of it as views")
    tokens = tokenize(text)
    if not tokens:
        return And()
    parser = _Parser(tokens, len(text))
    node = parser.parse_or()
    if (rest := parser.peek()).kind != "end":
        raise filter_error(rest.at, "no '(' matches this ')'", "remove it, or quote it")
    if sum(1 for _ in walk_terms(node)) > MAX_FILTER_TERMS:
        hint = "numbers count as one term: 1,2,3 or 7-900"
        raise Invalid(f"the filter has more than {MAX_FILTER_TERMS} terms", hint=hint)
    return node


class _Parser:
    """A recursive-descent parser that reads the tokens once, from left to right."""

    def __init__(self, tokens: list[FilterToken], end: int) -> None:
        self._tokens, self._place, self._depth = tokens, 0, 0
        self._end = FilterToken("end", end)

    def peek(self) -> FilterToken:
        """Return the next token without consuming it."""
        return self._tokens[self._place] if self._place < len(self._tokens) else self._end

    def parse_or(self) -> Node:
        """Parse parts joined by `or`."""
        parts = [self._parse_and()]
        while self._accept("or"):
            parts.append(self._parse_and())
        return make_or(parts)

    def _accept(self, kind: str) -> bool:
        """Consume the next token if it is of this kind."""
        accepted = self.peek().kind == kind
        self._place += accepted
        return accepted

    def _parse_and(self) -> Node:
        parts = [self._parse_adjacent()]
        while self._accept("and"):
            parts.append(self._parse_adjacent())
        return make_and(parts)

    def _parse_adjacent(self) -> Node:
        parts = [self._parse_not()]
        while self.peek().kind in ("term", "not", "("):
            parts.append(self._parse_not())
        return join_adjacent(parts)

    def _parse_not(self) -> Node:
        negated = False
        while self._accept("not"):
            negated = not negated
        token = self.peek()
        self._place += 1
        node = self._parse_group(token) if token.kind == "(" else token.node
        if node is None:
            raise _missing_term(token)
        return make_not(node) if negated else node

    def _parse_group(self, opening: FilterToken) -> Node:
        self._depth += 1
        if self._depth > MAX_PARENTHESES_DEPTH:
            reason = f"parentheses are nested more than {MAX_PARENTHESES_DEPTH} deep"
            raise filter_error(opening.at, reason, "save parts of the filter as views")
        node = self.parse_or()
        if not self._accept(")"):
            raise filter_error(opening.at, "this '(' is not closed", "add a ), or quote it")
        self._depth -= 1
        return node


def _missing_term(token: FilterToken) -> Invalid:
    if token.kind in ("and", "or"):
        hint = f"quote a word that is meant as text: '{token.kind}'"
        return filter_error(token.at, f"a term is missing before {token.kind!r}", hint)
    place = "the end of the filter" if token.kind == "end" else f"{token.kind!r}"
    return filter_error(token.at, f"a term is missing before {place}")


def format_filter(node: Node) -> str:
    """Return the filter in its plainest form: `parse_filter(format_filter(node)) == node`."""
    match node:
        case And(parts):
            # Adjacent numbers would name tasks together.
            operator = " and " if sum(isinstance(part, Numbers) for part in parts) > 1 else " "
            return operator.join(_parenthesize(part, (Or,)) for part in parts)
        case Or(parts):
            return " or ".join(format_filter(part) for part in parts)
        case Not(part):
            return f"not {_parenthesize(part, (And, Or))}"
        case Numbers(ranges):
            return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)
        case FieldTerm(name, sign, value):
            sigil = SIGILS.get(name, "")
            value = sigil + value if sigil and value.startswith(sigil) else value  # the parser removes one
            return f"{name}{sign}{value if _BARE.fullmatch(value) else _quote(value)}"
        case ViewTerm(name):
            return f":{name if _BARE.fullmatch(name) else _quote(name)}"
        case TextTerm(text):
            is_plain = _LETTERS.fullmatch(text) and text.lower() not in (*OPERATORS, "not", "xor")
            return text if is_plain else _quote(text)


def _parenthesize(node: Node, kinds: tuple[type, ...]) -> str:
    return f"({format_filter(node)})" if isinstance(node, kinds) else format_filter(node)


def _quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

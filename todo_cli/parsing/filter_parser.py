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
    either,
    every,
    leaves,
    negated,
    side_by_side,
)
from todo_cli.parsing.filter_lexer import Token, tokens
from todo_cli.parsing.filter_vocabulary import JOINS, mistake

LONGEST = 10_000  # characters
DEEPEST = 30  # parentheses in parentheses
MOST = 200  # terms, where all numbers together are one

_BARE = re.compile(r"[\w./*-]+")
_LETTERS = re.compile(r"[^\W\d_]+")


def parse(text: str) -> Node:
    """The filter's meaning; an empty one is every task. Raises Invalid, and nothing else."""
    if len(text) > LONGEST:
        raise Invalid(f"the filter is longer than {LONGEST:,} characters", hint="save parts of it as views")
    found = tokens(text)
    if not found:
        return And()
    reader = _Reader(found, len(text))
    node = reader.either()
    if (rest := reader.next()).kind != "end":
        raise mistake(rest.at, "there is no '(' to this ')'", "remove it, or quote it")
    if sum(1 for _ in leaves(node)) > MOST:
        raise Invalid(f"the filter has more than {MOST} terms", hint="numbers count as one: 1,2,3 or 7-900")
    return node


class _Reader:
    """Reads the tokens once, from left to right."""

    def __init__(self, found: list[Token], end: int) -> None:
        self._tokens, self._place, self._depth = found, 0, 0
        self._end = Token("end", end)

    def next(self) -> Token:
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
        return either(parts)

    def _every(self) -> Node:
        parts = [self._beside()]
        while self._take("and"):
            parts.append(self._beside())
        return every(parts)

    def _beside(self) -> Node:
        parts = [self._one()]
        while self.next().kind in ("term", "not", "("):
            parts.append(self._one())
        return side_by_side(parts)

    def _one(self) -> Node:
        turned = False
        while self._take("not"):
            turned = not turned
        token = self.next()
        self._place += 1
        node = self._inside(token) if token.kind == "(" else token.node
        if node is None:
            raise mistake(token.at, *_missing(token))
        return negated(node) if turned else node

    def _inside(self, opened: Token) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise mistake(opened.at, f"more than {DEEPEST} parentheses in each other", "save parts of it as views")
        node = self.either()
        if not self._take(")"):
            raise mistake(opened.at, "this '(' is not closed", "put a ) behind it, or quote it")
        self._depth -= 1
        return node


def _missing(token: Token) -> tuple[str, str]:
    if token.kind in ("and", "or"):
        return f"a term is missing before {token.kind!r}", f"a word that is meant as text is quoted: '{token.kind}'"
    said = "the end of the filter" if token.kind == "end" else f"{token.kind!r}"
    return f"a term is missing before {said}", ""


def written(node: Node) -> str:
    """The filter in its plainest form: `parse(written(node)) == node`."""
    match node:
        case And(parts):
            # side by side, numbers would name tasks together
            between = " and " if sum(isinstance(part, Numbers) for part in parts) > 1 else " "
            return between.join(_closed(part, (Or,)) for part in parts)
        case Or(parts):
            return " or ".join(written(part) for part in parts)
        case Not(part):
            return f"not {_closed(part, (And, Or))}"
        case Numbers(ranges):
            return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)
        case FieldTerm(name, sign, value):
            return f"{name}{sign}{value if _BARE.fullmatch(value) else _quotes(value)}"
        case ViewTerm(name):
            return f":{name if _BARE.fullmatch(name) else _quotes(name)}"
        case TextTerm(text):
            plain = _LETTERS.fullmatch(text) and text.lower() not in (*JOINS, "not", "xor")
            return text if plain else _quotes(text)


def _closed(node: Node, kinds: tuple[type, ...]) -> str:
    return f"({written(node)})" if isinstance(node, kinds) else written(node)


def _quotes(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

"""A text as words, some of them literal: quoted, or behind a backslash."""

from __future__ import annotations

import re
from typing import NamedTuple

_WORD = re.compile(r"\S+")
_ESCAPED = re.compile(r'\\+[#@!"]')
_VALUE = re.compile(r'(?:[A-Za-z]{1,12}:|[#@])(?=")')
_QUOTE = re.compile(r'\\*"')
ENDING = ",.;:!"  # what may follow a token directly, and stays in the title


class Word(NamedTuple):
    """One word by its place. `literal` ones are never read; `value` is a key's quoted value, without its quotes."""

    start: int
    end: int
    text: str
    literal: bool = False
    value: str | None = None
    inside: str | None = None
    drops: tuple[int, ...] = ()  # the places of the quotes and backslashes that go when `inside` needed them


def words_in(text: str) -> list[Word]:
    """All words in order; a quoted phrase is one."""
    found, at, quotes = [], 0, True
    while match := _WORD.search(text, at):
        word = _plain(match)
        if quotes and '"' in match[0]:
            value = _VALUE.match(text, match.start())
            opening = value.end() if value else match.start()
            if text[opening] == '"':
                closing, drops = _closing(text, opening)
                quotes = closing >= 0
                word = _quoted(text, match, opening, closing, drops) if quotes else word
        found.append(word)
        at = word.end
    return found


def _plain(match: re.Match[str]) -> Word:
    start, end = match.span()
    return Word(start, end, match[0], drops=(start,), literal=True) if _ESCAPED.match(match[0]) else Word(
        start, end, match[0])  # fmt: skip


def _closing(text: str, opening: int) -> tuple[int, tuple[int, ...]]:
    """Where the quotes end, and the backslashes inside that stand before a quote; -1 when they do not end.

    A quote inside is written \\", and a backslash before a quote twice.
    """
    drops: list[int] = []
    for match in _QUOTE.finditer(text, opening + 1):
        slashes = len(match[0]) - 1
        drops += range(match.start(), match.start() + (slashes + 1) // 2)
        if slashes % 2 == 0:
            return match.end() - 1, tuple(drops)
    return -1, ()


def _quoted(text: str, match: re.Match[str], opening: int, closing: int, drops: tuple[int, ...]) -> Word:
    tail = _WORD.match(text, closing + 1)
    end = tail.end() if tail else closing + 1
    gone = set(drops)
    inside = "".join(text[at] for at in range(opening + 1, closing) if at not in gone)
    word = Word(match.start(), end, text[match.start() : end], literal=True)
    if opening == match.start():
        return word._replace(inside=inside, drops=(opening, *drops, closing))
    if text[closing + 1 : end].strip(ENDING):
        return word
    return word._replace(end=closing + 1, text=text[match.start() : opening], literal=False, value=inside)


def quoted(text: str) -> str:
    """The text in quotes, as `words_in` reads them."""
    doubled = re.sub(r'(\\*)("|$)', lambda request: request[1] * 2 + ("\\" + request[2] if request[2] else ""), text)
    return f'"{doubled}"'

"""Split a quick-add text into words. A word may be literal: quoted, or behind a backslash."""

from __future__ import annotations

import re
from typing import NamedTuple

_WORD = re.compile(r"\S+")
_ESCAPED = re.compile(r'\\+(?:[#@+!"]|[A-Za-z]{1,12}:\S)')
_VALUE = re.compile(r'(?:[A-Za-z]{1,12}:|[#@+])(?=")')
_QUOTE = re.compile(r'\\*"')
PUNCTUATION = ",.;:!"  # may follow a token directly, and stays in the title


class Word(NamedTuple):
    """One word and its place in the text.

    literal: the word is never read. value: the quoted value of a key, without its quotes. inside: the text of a quoted
    phrase. drops: the places of the quotes and backslashes to remove if they kept the word from being read.
    """

    start: int
    end: int
    text: str
    literal: bool = False
    value: str | None = None
    inside: str | None = None
    drops: tuple[int, ...] = ()

    @property
    def core(self) -> str:
        """The word in lower case, without the punctuation at its end; empty if the word is literal."""
        return "" if self.literal or self.value is not None else self.text.lower().rstrip(PUNCTUATION)


def split_words(text: str) -> list[Word]:
    """Return all words in order. A quoted phrase is one word."""
    words, at, has_quotes = [], 0, True
    while match := _WORD.search(text, at):
        word = _make_word(match)
        if has_quotes and '"' in match[0]:
            value = _VALUE.match(text, match.start())
            opening = value.end() if value else match.start()
            if text[opening] == '"':
                closing, drops = _find_closing_quote(text, opening)
                has_quotes = closing >= 0
                word = _make_quoted_word(text, match, opening, closing, drops) if has_quotes else word
        words.append(word)
        at = word.end
    return words


def _make_word(match: re.Match[str]) -> Word:
    start, end = match.span()
    if _ESCAPED.match(match[0]):
        return Word(start, end, match[0], literal=True, drops=(start,))
    return Word(start, end, match[0])


def _find_closing_quote(text: str, opening: int) -> tuple[int, tuple[int, ...]]:
    """Return the place of the closing quote (-1: there is none), and the places of the backslashes before quotes.

    A quote inside is written \\", and a backslash before a quote twice.
    """
    drops: list[int] = []
    for match in _QUOTE.finditer(text, opening + 1):
        slashes = len(match[0]) - 1
        drops += range(match.start(), match.start() + (slashes + 1) // 2)
        if slashes % 2 == 0:
            return match.end() - 1, tuple(drops)
    return -1, ()


def _make_quoted_word(text: str, match: re.Match[str], opening: int, closing: int, drops: tuple[int, ...]) -> Word:
    tail = _WORD.match(text, closing + 1)
    end = tail.end() if tail else closing + 1
    dropped = set(drops)
    inside = "".join(text[at] for at in range(opening + 1, closing) if at not in dropped)
    word = Word(match.start(), end, text[match.start() : end], literal=True)
    if opening == match.start():
        return word._replace(inside=inside, drops=(opening, *drops, closing))
    if text[closing + 1 : end].strip(PUNCTUATION):
        return word
    return word._replace(end=closing + 1, text=text[match.start() : opening], literal=False, value=inside)


def quote(text: str) -> str:
    """Return the text in quotes, as `split_words` reads them."""
    escaped = re.sub(r'(\\*)("|$)', lambda match: match[1] * 2 + ("\\" + match[2] if match[2] else ""), text)
    return f'"{escaped}"'

"""Cut the tokens of a quick-add text out of its title."""

from __future__ import annotations

import re
from typing import NamedTuple

from todo_cli.parsing.quick_add_lexer import PUNCTUATION, Word

_MARK = re.compile(r"[,.;:!](?:\s|$)")


class QuickAddToken(NamedTuple):
    """A part of the text that is not title, from `start` to `end` (exclusive), with its field, or `quotes`."""

    start: int
    end: int
    field: str


def include_punctuation(
    text: str, tokens: list[QuickAddToken], words: list[Word], taken: list[bool]
) -> list[QuickAddToken]:
    """Extend a token at either end of the title by the punctuation behind it, as in `Tomorrow, call`."""
    left = [word for word, gone in zip(words, taken, strict=True) if not gone]
    first, last = (left[0].start, left[-1].end) if left else (len(text), 0)

    def has_mark(token: QuickAddToken) -> bool:
        mark = text[token.end : token.end + 1]
        is_at_start, is_at_end = token.end < first, token.start >= last
        marks = PUNCTUATION if is_at_start else ",;:" if is_at_end else ""
        return bool(mark) and token.field != "quotes" and mark in marks

    return [token._replace(end=token.end + 1) if has_mark(token) else token for token in tokens]


def join_title(text: str, tokens: list[QuickAddToken]) -> str:
    """Return the text without its tokens, with one space for each, none before a comma, and no gap for quotes."""
    parts: list[str] = []
    pieces: list[str] = []
    at = 0
    for token in [*tokens, QuickAddToken(len(text), len(text), "")]:
        pieces.append(text[at : token.start])
        at = token.end
        if token.field != "quotes" and (part := "".join(pieces).strip()):
            parts.append(part if not parts or _MARK.match(part) else f" {part}")
        pieces = pieces if token.field == "quotes" else []
    return "".join(parts)

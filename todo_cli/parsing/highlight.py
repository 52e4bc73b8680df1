"""Find the words of a search in a text, as the functions of the database match them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from todo_cli.parsing.spelling import is_one_letter_apart
from todo_cli.parsing.stems import STOP_WORDS, stem_word
from todo_cli.parsing.words import TOKEN, fold

Span = tuple[int, int]


def find_matches(text: str, query: str, *, by_stem: bool = False) -> tuple[Span, ...]:
    """Return the spans of the text that the query's words match, in order and without overlaps.

    With `by_stem` words with the same stem match too, and stop words beside other words do not match.
    """
    folded, origins = fold(text)
    tokens = [(token[1], token[2]) for token in TOKEN.finditer(fold(query)[0])]
    words = sorted({word for word, _ in tokens if word}, key=len, reverse=True)
    if by_stem:
        words = [word for word in words if word not in STOP_WORDS] or words
    stems = {stem_word(word) for word in words} if by_stem else set()
    runs = sorted({run for _, run in tokens if run}, key=len, reverse=True)
    spans: list[Span] = []
    for token in TOKEN.finditer(folded):
        found = _match_word(token[1], words, stems) if token[1] else _match_run(token[2], runs)
        spans += [(token.start() + start, token.start() + end) for start, end in found]
    return tuple(_merge((origins[start], _end_of_letter(text, origins[end - 1])) for start, end in sorted(spans)))


def _match_word(token: str, words: list[str], stems: set[str]) -> list[Span]:
    """Match a word of the text: by its beginning, by its stem, by its middle, or with one typo."""
    for word in words:
        if token.startswith(word) and (len(word) > 1 or len(token) == 1 or not word.isascii()):
            return [(0, len(word))]
    if stems and stem_word(token) in stems:
        return [(0, len(token))]
    for word in words:
        if len(word) >= 3 and not word.isdigit() and (at := token.find(word)) >= 0:
            return [(at, at + len(word))]
    return [(0, len(token))] if any(is_one_letter_apart(token, word) for word in words) else []


def _match_run(token: str, runs: list[str]) -> list[Span]:
    """Match a run of unspaced characters: as a whole, or by pairs of characters."""
    for run in runs:
        pieces = [run] if run in token else [run[i : i + 2] for i in range(len(run) - 1)]
        if spans := [match.span() for piece in pieces for match in re.finditer(re.escape(piece), token)]:
            return spans
    return []


def _end_of_letter(text: str, index: int) -> int:
    """Return the end of the letter at this index, its combining marks included."""
    end = index + 1
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    return end


def _merge(spans: Iterator[Span]) -> Iterator[Span]:
    """Join spans that overlap or touch."""
    pending: Span | None = None
    for start, end in spans:
        if pending and start <= pending[1]:
            pending = pending[0], max(pending[1], end)
            continue
        if pending:
            yield pending
        pending = start, end
    if pending:
        yield pending

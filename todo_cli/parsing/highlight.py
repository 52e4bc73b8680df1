"""Find the words of a search in a text. It splits and folds as `todo.search_words` does in the database."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from todo_cli.parsing.spelling import is_one_letter_apart

Span = tuple[int, int]

# Scripts that put no spaces between words, and pictographs: these are searched character by character.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff\U0001f000-\U0001faff\u2600-\u27bf"
)
_SEPARATORS = (
    "\x00-\x2f\x3a-\x60\x7b-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\xd7\xf7\u055a-\u055f\u0589\u05be\u05c0\u05c3\u05c6\u05f3"
    "\u05f4\u060c\u061b\u061f\u066a-\u066d\u06d4\u0964\u0965\u2000-\u25ff\u27c0-\u2bff\u3000-\u303f\uff00-\uff0f"
)
_TOKEN = re.compile(f"([^{_UNSPACED}{_SEPARATORS}]+)|([{_UNSPACED}]+)")
_IGNORED = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670\u0640\u00ad\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3099\u309a\ufe00-\ufe0f\ufeff]"
)
_EQUIVALENTS = str.maketrans("ςøłđıħŧæœ", "σoldihtao") | {ord("ß"): "ss"}


def fold(text: str) -> tuple[str, list[int]]:
    """Return the text without case, accents and vowel points, and for each of its characters the original index."""
    if text.isascii():
        return text.lower(), list(range(len(text)))
    folded: list[str] = []
    origins: list[int] = []
    for index, character in enumerate(text):
        plain = _IGNORED.sub("", unicodedata.normalize("NFKD", character).lower().translate(_EQUIVALENTS))
        folded.append(plain)
        origins += [index] * len(plain)
    return "".join(folded), origins


def split_words(text: str) -> frozenset[str]:
    """Return the folded words of the text; a run of characters of a script without spaces is one word."""
    return frozenset(token[0] for token in _TOKEN.finditer(fold(text)[0]))


def find_matches(text: str, query: str) -> tuple[Span, ...]:
    """Return the spans of the text that the query's words match, in order and without overlaps."""
    folded, origins = fold(text)
    tokens = [(token[1], token[2]) for token in _TOKEN.finditer(fold(query)[0])]
    words = sorted({word for word, _ in tokens if word}, key=len, reverse=True)
    runs = sorted({run for _, run in tokens if run}, key=len, reverse=True)
    spans: list[Span] = []
    for token in _TOKEN.finditer(folded):
        found = _match_word(token[1], words) if token[1] else _match_run(token[2], runs)
        spans += [(token.start() + start, token.start() + end) for start, end in found]
    return tuple(_merge((origins[start], _end_of_letter(text, origins[end - 1])) for start, end in sorted(spans)))


def _match_word(token: str, words: list[str]) -> list[Span]:
    """Match a word of the text: by its beginning, by its middle, or with one typo."""
    for word in words:
        if token.startswith(word) and (len(word) > 1 or len(token) == 1 or not word.isascii()):
            return [(0, len(word))]
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

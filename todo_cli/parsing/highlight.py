"""Where the words of a search stand in a text. Words are made as the database makes them: see `todo.words_of`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

Span = tuple[int, int]

# scripts without spaces between words, and pictures: sought character by character
_JOINED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff\U0001f000-\U0001faff\u2600-\u27bf"
)
_BREAKS = (
    "\x00-\x2f\x3a-\x60\x7b-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\xd7\xf7\u055a-\u055f\u0589\u05be\u05c0\u05c3\u05c6\u05f3"
    "\u05f4\u060c\u061b\u061f\u066a-\u066d\u06d4\u0964\u0965\u2000-\u25ff\u27c0-\u2bff\u3000-\u303f\uff00-\uff0f"
)
_TOKEN = re.compile(f"([^{_JOINED}{_BREAKS}]+)|([{_JOINED}]+)")
_DROPPED = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670\u0640\u00ad\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3099\u309a\ufe00-\ufe0f\ufeff]"
)
_SAME = str.maketrans("ςøłđıħŧæœ", "σoldihtao") | {ord("ß"): "ss"}
MAX_FUZZY_WORD_CHARS = 24  # of a word in which a mistake is forgiven


def fold(text: str) -> tuple[str, list[int]]:
    """The text without case, accents and vowel points, and for each of its characters where it came from."""
    if text.isascii():
        return text.lower(), list(range(len(text)))
    made: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text):
        plain = _DROPPED.sub("", unicodedata.normalize("NFKD", character).lower().translate(_SAME))
        made.append(plain)
        origin += [index] * len(plain)
    return "".join(made), origin


def find_matches(text: str, words: str) -> tuple[Span, ...]:
    """The places of a text that a search for these words means, in order, none within another."""
    plain, origin = fold(text)
    sought = [(found[1], found[2]) for found in _TOKEN.finditer(fold(words)[0])]
    alone = sorted({word for word, _ in sought if word}, key=len, reverse=True)
    joined = sorted({run for _, run in sought if run}, key=len, reverse=True)
    marked: list[Span] = []
    for token in _TOKEN.finditer(plain):
        places = _within(token[1], alone) if token[1] else _runs(token[2], joined)
        marked += [(token.start() + start, token.start() + end) for start, end in places]
    return tuple(_joined((origin[start], _end(text, origin[end - 1])) for start, end in sorted(marked)))


def _within(token: str, words: list[str]) -> list[Span]:
    for word in words:
        if token.startswith(word) and (len(word) > 1 or len(token) == 1 or not word.isascii()):
            return [(0, len(word))]
    for word in words:
        if len(word) >= 3 and not word.isdigit() and (at := token.find(word)) >= 0:
            return [(at, at + len(word))]
    return [(0, len(token))] if any(is_one_letter_apart(token, word) for word in words) else []


def _runs(token: str, runs: list[str]) -> list[Span]:
    for run in runs:
        pieces = [run] if run in token else [run[i : i + 2] for i in range(len(run) - 1)]
        if found := [(m.start(), m.end()) for piece in pieces for m in re.finditer(re.escape(piece), token)]:
            return found
    return []


def is_one_letter_apart(one: str, other: str) -> bool:
    """They differ by one letter: wrong, missing, too many, or swapped with its neighbour."""
    if one == other or not 4 <= max(len(one), len(other)) <= MAX_FUZZY_WORD_CHARS or min(len(one), len(other)) < 3:
        return False
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1 or one.isdigit() or other.isdigit():
        return False
    start = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(long) > len(short):
        return short[start:] == long[start + 1 :]
    swapped = long[start + 1 : start + 2] + long[start : start + 1] + long[start + 2 :]
    return short[start + 1 :] == long[start + 1 :] or short[start:] == swapped


def _end(text: str, last: int) -> int:
    # marks belong to their letter
    end = last + 1
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    return end


def _joined(places: Iterator[Span]) -> Iterator[Span]:
    held: Span | None = None
    for start, end in places:
        if held and start <= held[1]:
            held = held[0], max(held[1], end)
            continue
        if held:
            yield held
        held = start, end
    if held:
        yield held

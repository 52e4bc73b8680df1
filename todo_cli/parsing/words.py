"""Split a text into words without case and accents, as `todo.search_words` does in the database."""

from __future__ import annotations

import re
import unicodedata

# Scripts that put no spaces between words, and pictographs: these are searched character by character.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff\U0001f000-\U0001faff\u2600-\u27bf"
)
_SEPARATORS = (
    "\x00-\x2f\x3a-\x60\x7b-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\xd7\xf7\u055a-\u055f\u0589\u05be\u05c0\u05c3\u05c6\u05f3"
    "\u05f4\u060c\u061b\u061f\u066a-\u066d\u06d4\u0964\u0965\u2000-\u25ff\u27c0-\u2bff\u3000-\u303f\uff00-\uff0f"
)
TOKEN = re.compile(f"([^{_UNSPACED}{_SEPARATORS}]+)|([{_UNSPACED}]+)")
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
    return frozenset(token[0] for token in TOKEN.finditer(fold(text)[0]))

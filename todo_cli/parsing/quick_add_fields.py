"""The words of a captured text that are a field by themselves: `#home`, `@phone`, `p1`, `parent:12`, `after:7,9`."""

from __future__ import annotations

import re
from collections.abc import Callable

from todo_cli.parsing.quick_add_lexer import ENDING, Word

LONGEST_NAME = 100
LARGEST = 2**63 - 1
PRIORITIES = {
    **{"p1": 1, "p2": 2, "p3": 3, "!1": 1, "!2": 2, "!3": 3},
    **{"!high": 1, "!h": 1, "!medium": 2, "!med": 2, "!m": 2, "!low": 3, "!l": 3},
}
FIELDS = {
    "due": "due", "defer": "defer", "wait": "defer", "scheduled": "scheduled", "every": "every", "recur": "every",
    "project": "project", "tag": "tags", "priority": "priority", "pri": "priority",
    "parent": "parent", "under": "parent", "after": "after", "depends": "after",
}  # fmt: skip
COLOUR = re.compile("(?i)(?=[a-f]*[0-9])(?:[0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})")
_KEY = re.compile(f"(?i)({'|'.join(FIELDS)}):")
_NAME = re.compile(r'[^\s#@",;()!]+')


def named(word: Word) -> tuple[str, str]:
    """The field that a word is about, and its text without the sign or key."""
    text = word.text
    if match := _KEY.match(text):
        return FIELDS[match[1].lower()], text[match.end() :] if word.value is None else word.value
    if text[:1] in ("#", "@"):
        return "project" if text[0] == "#" else "tags", text[1:] if word.value is None else word.value
    if text.lower().rstrip(ENDING) in PRIORITIES:
        return "priority", text
    return "", text


def value_of(field: str, text: str, in_quotes: bool) -> object:
    """The value of a field that is one word; None when it is none."""
    readers: dict[str, Callable[[str], object]] = {
        "priority": lambda request: PRIORITIES.get(request.lower(), PRIORITIES.get("!" + request.lower())),
        "parent": _number,
        "after": _numbers,
        "project": lambda request: _name(request, in_quotes),
        "tags": lambda request: (
            (_name(request, in_quotes),) if _name(request, in_quotes) and not re.search(r"[\s,]", request) else None
        ),
    }
    return readers[field](text)


def _name(text: str, in_quotes: bool) -> str | None:
    if not text or len(text) > LONGEST_NAME or text != text.strip():
        return None
    if in_quotes:
        return text
    lettered = any(not char.isdigit() and (char.isalnum() or ord(char) > 127) for char in text)
    begins = text[0].isalnum() or text[0] == "_" or ord(text[0]) > 127
    return text if begins and lettered and _NAME.fullmatch(text) and not COLOUR.fullmatch(text) else None


def _number(text: str) -> int | None:
    match = re.fullmatch("#?([0-9]{1,19})", text)
    return int(match[1]) if match and 1 <= int(match[1]) <= LARGEST else None


def _numbers(text: str) -> tuple[int, ...] | None:
    found = [_number(part) for part in text.split(",")]
    return None if None in found else tuple(number for number in found if number)

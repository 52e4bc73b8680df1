"""Parse the words of quick add that are a field by themselves: `#home`, `@phone`, `p1`, `parent:12`, `after:7,9`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from todo_cli.errors import Invalid
from todo_cli.parsing.quick_add_lexer import PUNCTUATION, Word

MAX_NAME_CHARS = 100
MAX_TASK_NUMBER = 2**63 - 1
NO_PRIORITY = 4  # p4 means no priority
PRIORITIES = {
    **{"p1": 1, "p2": 2, "p3": 3, "p4": NO_PRIORITY, "!1": 1, "!2": 2, "!3": 3},
    **{"!high": 1, "!h": 1, "!medium": 2, "!med": 2, "!m": 2, "!low": 3, "!l": 3},
}
# Field -> its keys. The filter language accepts the same keys, `remind` aside.
KEYS = {
    "due": "due",
    "defer": "defer wait t",
    "scheduled": "scheduled sched",
    "every": "every recur rec",
    "project": "project proj pro",
    "tags": "tag tags",
    "priority": "priority pri prio",
    "parent": "parent under",
    "after": "after depends dep",
    "remind": "remind",
    "assigned_to": "assign assigned assignee",
    "status": "status",
}
FIELDS = {key: field for field, keys in KEYS.items() for key in keys.split()}
SIGILS = {"#": "project", "@": "tags", "+": "tags"}
PHRASE_FIELDS = ("due", "defer", "scheduled", "every", "remind")  # their value may be several words
SET_FIELDS = ("tags", "after", "remind")  # they may be given several times
CLEARABLE_FIELDS = tuple(field for field in KEYS if field not in ("tags", "after"))  # by `none`
COLOUR = "(?i)(?=[a-f]*[0-9])(?:[0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})"
_KEY = re.compile("([A-Za-z]+):")
_NAME = re.compile(r'[^\s#@",;()!]+')
_ESCAPE_HINT = "to keep the word in the title, put a backslash before it: \\{word}"


class FieldWord(NamedTuple):
    """A word that names a field. `key` is empty for a sigil or a priority; a key is a promise that must be read."""

    field: str
    value: str
    key: str = ""


def split_field(word: Word) -> FieldWord | None:
    """Return the field that the word names and its value, or None if it names no field."""
    text = word.text
    if (match := _KEY.match(text)) and (key := match[1].lower()) in FIELDS:
        value = text[match.end() :] if word.value is None else word.value
        return FieldWord(FIELDS[key], value, key)
    if text[:1] in SIGILS:
        return FieldWord(SIGILS[text[0]], text[1:] if word.value is None else word.value)
    if text.lower().rstrip(PUNCTUATION) in PRIORITIES:
        return FieldWord("priority", text)
    return None


def parse_field_value(named: FieldWord, text: str, in_quotes: bool) -> object:
    """Return the value of a field, or None if the word is not this field after all. Raise Invalid behind a key."""
    readers: dict[str, Callable[[str], object]] = {
        "priority": lambda value: PRIORITIES.get(value.lower(), PRIORITIES.get("!" + value.lower())),
        "parent": _parse_number,
        "after": _parse_numbers,
        "project": lambda value: _parse_name(
            value.removeprefix("#") if named.key and not in_quotes else value, in_quotes, named.key
        ),
        "tags": lambda value: _parse_tags(value, in_quotes, named.key),
        "assigned_to": lambda value: _parse_name(value, in_quotes, named.key),
        "status": lambda value: value if value.lower() in ("open", "pending") else None,
    }
    value = readers[named.field](text)
    if value is None and named.key and text:
        raise _field_error(named, text)
    return value


def _field_error(named: FieldWord, text: str) -> Invalid:
    reasons = {
        "priority": "is not a priority: 1 (most urgent), 2, 3 or none",
        "parent": "is not the number of a task",
        "after": "is not a list of task numbers such as 7,9",
        "status": "is not the status of a new task, which is open",
        "project": "is not the name of a project",
        "tags": "is not a tag, which is one word",
        "assigned_to": "is not the name of a member",
    }
    hint = _ESCAPE_HINT.format(word=f"{named.key}:{text[:60]}")
    return Invalid(f"{named.key}:{text[:60]}: {text[:60]!r} {reasons[named.field]}", hint=hint)


def _parse_name(text: str, in_quotes: bool, key: str) -> str | None:
    if not text or len(text) > MAX_NAME_CHARS or text != text.strip():
        return None
    if in_quotes or key:
        return text
    has_letter = any(not char.isdigit() and (char.isalnum() or ord(char) > 127) for char in text)
    has_start = text[0].isalnum() or text[0] == "_" or ord(text[0]) > 127
    return text if has_start and has_letter and _NAME.fullmatch(text) and not re.fullmatch(COLOUR, text) else None


def _parse_tags(text: str, in_quotes: bool, key: str) -> tuple[str, ...] | None:
    names = [item.removeprefix("@") for item in text.split(",")] if key and not in_quotes else [text]
    tags = tuple(name for item in names if (name := _parse_name(item, in_quotes, key)))
    return tags if tags and len(tags) == len(names) and not any(re.search(r"[\s,]", tag) for tag in tags) else None


def _parse_number(text: str) -> int | None:
    match = re.fullmatch("#?([0-9]{1,19})", text)
    return int(match[1]) if match and 1 <= int(match[1]) <= MAX_TASK_NUMBER else None


def _parse_numbers(text: str) -> tuple[int, ...] | None:
    numbers = [_parse_number(part) for part in text.split(",")]
    return None if None in numbers else tuple(number for number in numbers if number)

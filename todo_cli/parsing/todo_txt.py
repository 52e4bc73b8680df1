"""Parse a line of todo.txt: `(A) 2026-11-02 Call mom +Family @phone due:2026-12-05`, `x 2026-11-05 Pay the bill`.

A line is in this form if it begins with a priority, with a date, or with an `x` and a blank, or if it has a rule such
as `rec:1w` or `rec:+2m`.

- `(A)` is priority 1, `(B)` 2, and every later letter 3. The dates at the start are those of completion and creation.
- `+name` is the project and `@name` a tag; `due:`, `t:` (defer) and `rec:` are fields, and so is `pri:` in an `x` line.
- Fields leave the title where they are its last words. Inside a sentence they count and stay.
- Other `key:value` words stay in the title. So do a second project, a rule in business days (`rec:5b`), and the rule of
  an `x` line, since a done task has no next occurrence. A title is never emptied.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any, NamedTuple

LOWEST_PRIORITY = 3
_DONE = re.compile(r"x\s+(?=\S)")
_PRIORITY = re.compile(r"\(([A-Z])\)\s+(?=\S)")
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)\s+(?=\S)")
_WORD = re.compile(r"\S+")
SIGNED_NAME = re.compile(r"([+@])([^\s,]+)")
KEY_VALUE = re.compile(r"([A-Za-z][^\s:]*):(?!//)([^\s:]+)")
_RULE = re.compile(r"(\+?)(\d{1,4})([dwmy])")
_ANY_RULE = re.compile(r"(?:^|\s)rec:\+?\d{1,4}[dwmyb](?!\S)")
_BUSINESS_DAYS = re.compile(r"\+?\d+b")
_UNITS = {"d": "days", "w": "weeks", "m": "months", "y": "years"}
_KEYS = {"due": "due", "t": "defer", "rec": "every", "pri": "priority"}


class TodoTxtLine(NamedTuple):
    """The fields of a line. `due`, `defer` and `every` are words, which no time zone has read yet."""

    title: str
    done: bool
    completed: date | None
    created: date | None
    priority: int | None = None
    project: str | None = None
    tags: tuple[str, ...] = ()
    due: str | None = None
    defer: str | None = None
    every: str | None = None


def parse_todo_txt(text: str) -> TodoTxtLine | None:
    """Return the fields of a line in the form of todo.txt, None for any other text."""
    head = split_head(text)
    if not (head.done or head.letter or head.created or _ANY_RULE.search(text)):
        return None
    priority = read_letter(head.letter) if head.letter else None
    title, fields = _read_body(head.body, done=head.done)
    return TodoTxtLine(title, head.done, head.completed, head.created, **({"priority": priority} | fields))


class TodoTxtHead(NamedTuple):
    """The beginning of a line: its `x`, its priority's letter and its dates. The rest is the `body`."""

    done: bool
    letter: str | None
    completed: date | None
    created: date | None
    body: str


def split_head(text: str) -> TodoTxtHead:
    """Split off the beginning of a line. A day that does not exist begins the body."""
    head = _DONE.match(text) or _PRIORITY.match(text)
    done = bool(head) and text[0] == "x"
    place = head.end() if head else 0
    days: list[date] = []
    while len(days) < (2 if done else 1) and (day := _read_day(text, place)):
        days.append(day)
        place = _skip_day(text, place)
    completed = days.pop(0) if done and days else None
    letter = head[1] if head and not done else None
    return TodoTxtHead(done, letter, completed, days[0] if days else None, text[place:])


def split_body(body: str) -> tuple[str, list[str], list[str]]:
    """Return the sentence of a body, the words of it, and the last words that are all fields."""
    words = list(_WORD.finditer(body))
    run = len(words)
    while run and _is_token(words[run - 1][0]):
        run -= 1
    sentence = body[: words[run - 1].end()] if run else ""
    return sentence, [word[0] for word in words[:run]], [word[0] for word in words[run:]]


def name_projects(text: str) -> str:
    """Return another line of a todo.txt with `#name` for `+name`: it is quick add, where a plus means a tag."""
    if "+" not in text:
        return text
    from todo_cli.parsing.quick_add_lexer import split_words

    for word in split_words(text):
        if not word.literal and word.text[0] == "+" and word.text[1:2].isalpha():
            text = f"{text[: word.start]}#{text[word.start + 1 :]}"
    return text


def _read_day(text: str, place: int) -> date | None:
    match = _DAY.match(text, place)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:  # a day that does not exist begins the title
        return None


def _skip_day(text: str, place: int) -> int:
    match = _DAY.match(text, place)
    return match.end() if match else place


def read_letter(letter: str) -> int:
    """Return the priority that a letter means."""
    return min(ord(letter) - ord("A") + 1, LOWEST_PRIORITY)


def _read_body(body: str, *, done: bool) -> tuple[str, dict[str, Any]]:
    """Return the title and the fields of the text behind the dates."""
    sentence, words, run = split_body(body)
    fields: dict[str, Any] = {}
    for word in words:
        _take_field(fields, word, done=done)
    kept = [word for word in run if not _take_field(fields, word, done=done)]
    return " ".join([*([sentence] if sentence else []), *kept]) or body, fields


def _is_token(word: str) -> bool:
    return bool(SIGNED_NAME.fullmatch(word) or KEY_VALUE.fullmatch(word))


def _take_field(fields: dict[str, Any], word: str, *, done: bool) -> bool:
    """Set the field that the word names and return True; of all but tags the first counts."""
    if match := SIGNED_NAME.fullmatch(word):
        if match[1] == "@":
            fields["tags"] = tuple(dict.fromkeys((*fields.get("tags", ()), match[2])))
            return True
        return _set_first(fields, "project", match[2])
    match = KEY_VALUE.fullmatch(word)
    name = _KEYS.get(match[1]) if match else None
    value = _read_value(name, match[2], done=done) if match and name else None
    return name is not None and value is not None and _set_first(fields, name, value)


def _set_first(fields: dict[str, Any], name: str, value: int | str) -> bool:
    if name in fields:
        return False
    fields[name] = value
    return True


def _read_value(name: str, text: str, *, done: bool) -> int | str | None:
    """Return the value behind a key, None where the word is none of our fields."""
    match name:
        case "priority":
            return read_letter(text) if done and re.fullmatch("[A-Z]", text) else None
        case "every":
            return None if done or _BUSINESS_DAYS.fullmatch(text) else _read_rule(text)
        case _:
            return text


def _read_rule(text: str) -> str:
    """Return a rule in our words. Without a plus it counts from the day of completion, as topydo does."""
    match = _RULE.fullmatch(text)
    return f"every{'' if match[1] else '!'} {int(match[2])} {_UNITS[match[3]]}" if match else text

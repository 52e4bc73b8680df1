"""todo.txt: one line per task, with the keys `due:`, `t:`, `rec:`, `pri:`, `id:` and `p:` as topydo writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any, BinaryIO

from todo_cli.formats.moments import format_day
from todo_cli.formats.records import (
    IMPOSSIBLE,
    LIKELY,
    POSSIBLE,
    FileRecord,
    ImportedRepeat,
    ImportedSeries,
    ImportedTask,
    NotATask,
    ReadOptions,
    ReadTask,
)
from todo_cli.formats.rules import make_rule
from todo_cli.formats.text_lines import TextLines
from todo_cli.formats.todo_txt_writer import LETTERS, RULE_UNITS, write_tasks
from todo_cli.parsing.todo_txt import KEY_VALUE, SIGNED_NAME, read_letter, split_body, split_head

__all__ = ["EXTENSIONS", "NAME", "looks_like", "read_tasks", "write_tasks"]

NAME = "todo.txt"
EXTENSIONS = (".txt",)

_RULE = re.compile(r"(\+?)(\d{1,3})([dwmy])")
_REPORTED_KEYS = ("due", "t", "rec")
"""Keys whose values the report names where they cannot be read."""
_DATES = {"due": "due", "t": "defer"}
_SIGNS = re.compile(r"(?m)^(x \d{4}-\d\d-\d\d |\([A-Z]\) )|(^|\s)\+\S+.*\s@\S+|\s(due|t|rec):\S+\s*$")


def looks_like(head: str, name: str) -> int:
    """Any lines of text are possibly todo.txt; priorities, projects beside contexts, and its keys make it likely."""
    if head.lstrip()[:1] in ("{", "["):
        return IMPOSSIBLE
    return LIKELY if _SIGNS.search(head) else POSSIBLE


def read_tasks(file: BinaryIO, options: ReadOptions) -> Iterator[FileRecord]:
    """Read the lines. A first reading finds the ids to which `p:` refers, also in later lines."""
    ids = _find_ids(file, options)
    lines = TextLines(file, options)
    for line in lines:
        if isinstance(line, NotATask):
            yield line
        elif not line.text.strip():
            yield NotATask(place=f"line:{line.number}", reason="empty")
        else:
            yield ReadTask(
                task=_LineReader(f"line:{line.number}", ids).read(line.text.strip()), place=f"line {line.number}"
            )
    yield from lines.notices()


def _find_ids(file: BinaryIO, options: ReadOptions) -> dict[str, str]:
    ids: dict[str, str] = {}
    for line in TextLines(file, options):
        if isinstance(line, NotATask) or "id:" not in line.text:
            continue
        _, words, run = split_body(split_head(line.text.strip()).body)
        for word in (*words, *run):
            match = KEY_VALUE.fullmatch(word)
            if match and match[1] == "id":
                ids.setdefault(match[2], f"line:{line.number}")
    return ids


class _LineReader:
    """One line that is being read: its fields so far."""

    def __init__(self, source_id: str, ids: dict[str, str]) -> None:
        self._source_id, self._ids = source_id, ids
        self._fields: dict[str, Any] = {}
        self._tags: list[str] = []
        self._kept: dict[str, Any] = {}
        self._lost: list[str] = []

    def read(self, text: str) -> ImportedTask:
        """Return the task of the line."""
        head = split_head(text)
        sentence, words, run = split_body(head.body)
        if head.letter:
            self._set_priority(head.letter)
        for word in words:
            self._take(word, done=head.done)
        left = [word for word in run if not self._take(word, done=head.done)]
        return ImportedTask(
            source_id=self._source_id,
            title=" ".join([*([sentence] if sentence else []), *left]) or head.body,
            status="done" if head.done else "open",
            created_at=head.created.isoformat() if head.created else None,
            completed_at=head.completed.isoformat() if head.completed else None,
            tags=tuple(dict.fromkeys(self._tags)),
            kept=self._kept,
            lost=tuple(self._lost),
            **self._fields,
        )

    def _set_priority(self, letter: str) -> None:
        self._fields["priority"] = read_letter(letter)
        if letter not in LETTERS:
            self._kept["pri"] = letter

    def _take(self, word: str, *, done: bool) -> bool:
        """Set the field that a word names and return True, False for a word of the title."""
        if match := SIGNED_NAME.fullmatch(word):
            if match[1] == "@":
                self._tags.append(match[2])
            else:
                self._take_project(match[2])
            return True
        match = KEY_VALUE.fullmatch(word)
        return match is not None and self._take_pair(match[1], match[2], done=done)

    def _take_project(self, name: str) -> None:
        if self._fields.setdefault("project", name) != name:
            self._kept.setdefault("projects", []).append(name)
            self._lost = list(dict.fromkeys([*self._lost, "project"]))

    def _take_pair(self, key: str, value: str, *, done: bool) -> bool:
        if key in _DATES:
            day = _read_day(value)
            if day and _DATES[key] not in self._fields:
                self._fields[_DATES[key]] = day
                return True
        elif key == "rec" and "series" not in self._fields and self._take_rule(value, done=done):
            return True
        elif key == "pri":
            if done and re.fullmatch("[A-Z]", value) and "priority" not in self._fields:
                self._set_priority(value)
                return True
        elif key == "id" and self._ids.get(value) == self._source_id:
            self._kept["id"] = value
            return True
        elif key == "p" and value in self._ids and "parent" not in self._fields:
            self._fields["parent"] = self._ids[value]
            return True
        if key in _REPORTED_KEYS:
            self._lost.append(key)
        return False

    def _take_rule(self, value: str, *, done: bool) -> bool:
        match = _RULE.fullmatch(value)
        rule = make_rule(RULE_UNITS[match[3]], int(match[2])) if match else None
        if not match or not rule:
            return False
        self._fields["series"] = ImportedSeries(id=self._source_id, occurrence=1)
        if done:
            self._kept["rec"] = value
        else:
            self._fields["every"] = ImportedRepeat(rule=rule, from_done=not match[1])
        return True


def _read_day(text: str) -> str | None:
    try:
        return format_day(date.fromisoformat(text)) if len(text) == len("2026-12-04") else None
    except ValueError:
        return None

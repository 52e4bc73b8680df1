"""todo.txt: one line per task, with the keys `due:`, `t:`, `rec:`, `pri:`, `id:` and `p:` as topydo writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, BinaryIO, TextIO

from todo_cli.formats.moments import format_day, local_day
from todo_cli.formats.records import (
    IMPOSSIBLE,
    LIKELY,
    POSSIBLE,
    ExportedTask,
    FileRecord,
    ImportedRepeat,
    ImportedSeries,
    ImportedTask,
    NotATask,
    ReadOptions,
    ReadTask,
    TaskReference,
    WriteLoss,
    WriteOptions,
)
from todo_cli.formats.rules import make_rule, split_rule
from todo_cli.formats.text_lines import TextLines
from todo_cli.parsing.todo_txt import KEY_VALUE, LOWEST_PRIORITY, SIGNED_NAME, read_letter, split_body, split_head

NAME = "todo.txt"
EXTENSIONS = (".txt",)

_LETTERS = "ABC"
_RULE = re.compile(r"(\+?)(\d{1,3})([dwmy])")
_UNITS = {"d": "DAILY", "w": "WEEKLY", "m": "MONTHLY", "y": "YEARLY"}
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
            yield ReadTask(task=_Line(f"line:{line.number}", ids).read(line.text.strip()), place=f"line {line.number}")
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


class _Line:
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
        if letter not in _LETTERS:
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
        rule = make_rule(_UNITS[match[3]], int(match[2])) if match else None
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


def write_tasks(tasks: Iterable[ExportedTask], file: TextIO, options: WriteOptions) -> Iterator[WriteLoss]:
    """Write a line per task. A task in the trash has no line."""
    for task in tasks:
        if task.status == "deleted":
            yield WriteLoss(number=task.number, word="a task in the trash")
            continue
        writer = _LineWriter(task, options)
        file.write(f"{writer.write()}\n")
        for word in writer.lost:
            yield WriteLoss(number=task.number, word=word)


class _LineWriter:
    """A task as a line, and what the line cannot say."""

    def __init__(self, task: ExportedTask, options: WriteOptions) -> None:
        self._task, self._zone = task, options.zone
        self._words = set(split_body(task.title)[1])
        losses = {
            "note": task.note,
            "scheduled": task.scheduled,
            "after": task.after,
            "comments": task.comments,
            "tracked": task.tracked,
            "started_at": task.started_at,
            "attachments": task.attachments,
        }
        self.lost = [name for name, value in losses.items() if value]

    def write(self) -> str:
        """Return the line."""
        task = self._task
        run = [token for token in self._list_tokens() if token not in self._words]
        body = " ".join([task.title, *run])
        head = [*self._list_head()]
        if not head and split_head(body).body != body:  # the title would be read as a date or a priority
            head = [local_day(task.created_at or task.updated_at, self._zone)]
        return " ".join([*head, body])

    def _list_head(self) -> Iterator[str]:
        task = self._task
        created = local_day(task.created_at, self._zone) if task.created_at else None
        if task.status == "done":
            yield "x"
            if task.completed_at:
                yield local_day(task.completed_at, self._zone)
            elif created:
                self.lost.append("created_at")
                created = None
        elif task.priority:
            yield f"({self._letter})"
        if created:
            yield created

    @property
    def _letter(self) -> str:
        priority, kept = self._task.priority or 0, self._task.kept.get("pri")
        return str(kept) if kept and priority == LOWEST_PRIORITY else _LETTERS[priority - 1]

    def _list_tokens(self) -> Iterator[str]:
        task = self._task
        if task.project:
            yield f"+{self._name(task.project, 'project')}"
        yield from (f"+{name}" for name in task.kept.get("projects", ()))
        yield from (f"@{tag}" for tag in task.tags)
        if task.status == "done" and task.priority:
            yield f"pri:{self._letter}"
        for key, moment in (("due", task.due), ("t", task.defer)):
            if moment:
                yield f"{key}:{local_day(moment, self._zone)}"
                self.lost += [f"time of {key}"] if "T" in moment else []
        yield from self._list_rule()
        if task.has_subtasks or "id" in task.kept:
            yield f"id:{task.kept.get('id', task.number)}"
        if task.parent:
            yield f"p:{_reference(task.parent)}"

    def _list_rule(self) -> Iterator[str]:
        task = self._task
        if task.status == "done":
            yield from [f"rec:{task.kept['rec']}"] if "rec" in task.kept else []
        elif task.every:
            unit, interval = split_rule(task.every.rule) or ("", 0)
            letter = next((letter for letter, name in _UNITS.items() if name == unit), None)
            if letter:
                yield f"rec:{'' if task.every.from_done else '+'}{interval}{letter}"
            else:
                self.lost.append("every")

    def _name(self, name: str, word: str) -> str:
        """Return a name without blanks and commas."""
        changed = re.sub(r"[\s,]+", "-", name)
        if changed != name:
            self.lost.append(word)
        return changed


def _reference(task: TaskReference) -> str:
    return task.kept_id or str(task.number)

"""Write tasks as lines of todo.txt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TextIO

from todo_cli.formats.moments import local_day
from todo_cli.formats.records import ExportedTask, TaskReference, WriteLoss, WriteOptions
from todo_cli.formats.rules import split_rule
from todo_cli.parsing.todo_txt import LOWEST_PRIORITY, split_head

LETTERS = "ABC"
"""The letters of our priorities. Later letters are the lowest one."""
RULE_UNITS = {"d": "DAILY", "w": "WEEKLY", "m": "MONTHLY", "y": "YEARLY"}


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
        self._words = set(task.title.split())
        losses = {
            "note": task.note,
            "scheduled": task.scheduled,
            "after": task.after,
            "comments": task.comments,
            "tracked": task.tracked,
            "assigned_to": task.assigned_to,
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
        return str(kept) if kept and priority == LOWEST_PRIORITY else LETTERS[priority - 1]

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
            letter = next((letter for letter, name in RULE_UNITS.items() if name == unit), None)
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

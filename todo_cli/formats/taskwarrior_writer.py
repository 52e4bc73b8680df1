"""Write tasks as Taskwarrior's JSON: an array with an object per line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, TextIO
from uuid import UUID
from zoneinfo import ZoneInfo

from todo_cli.formats.records import ExportedTask, TaskReference, WriteLoss, WriteOptions
from todo_cli.formats.taskwarrior_values import due_after, read_rule, write_period, write_stamp

_STATUSES = {"open": "pending", "done": "completed", "deleted": "deleted"}
_LETTERS = {1: "H", 2: "M", 3: "L"}
_SERIES = ("recur", "rtype", "parent", "imask", "mask", "template")


def write_tasks(tasks: Iterable[ExportedTask], file: TextIO, options: WriteOptions) -> Iterator[WriteLoss]:
    """Write the array. The template of a series stands before the occurrence that carries it."""
    separator = "[\n"
    for task in tasks:
        writer = _RecordWriter(task, options.zone)
        for record in writer.write():
            file.write(separator + json.dumps(record, ensure_ascii=False, separators=(",", ":")))
            separator = ",\n"
        for word in writer.lost:
            yield WriteLoss(number=task.number, word=word)
    file.write("[\n]\n" if separator == "[\n" else "\n]\n")


class _RecordWriter:
    """A task as objects, and what they cannot say."""

    def __init__(self, task: ExportedTask, zone: ZoneInfo) -> None:
        self._task, self._zone = task, zone
        self._kept = dict(task.kept)
        losses: dict[str, object] = {
            "parent": task.parent,
            "tracked": task.tracked,
            "assigned_to": task.assigned_to,
            "attachments": task.attachments,
            "author of a comment": any(comment.by for comment in task.comments),
        }
        self.lost = [name for name, value in losses.items() if value]

    def write(self) -> list[dict[str, Any]]:
        """Return the task's object, behind that of its template where it has one."""
        task = self._task
        template = self._kept.get("template")
        if template and task.status == "open" and self._rule_of(template) != (task.every.rule if task.every else None):
            template = None  # the recurrence was changed here
            self._kept = {name: value for name, value in self._kept.items() if name not in _SERIES}
        record: dict[str, Any] = {
            "description": task.title,
            "status": self._status(),
            "uuid": _uuid(task.identity, task.id),
        }
        record |= self._dates() | self._words() | self._lists()
        if task.every and not template and "recur" not in self._kept:
            record |= self._recurring(task.every.rule)
        kept = {name: value for name, value in self._kept.items() if name not in (*record, "status", "template")}
        if task.note:
            record["note"] = task.note
            self.lost.append("note (written as an attribute of that name)")
        return [*([template] if template else []), record | kept]

    def _rule_of(self, record: dict[str, Any]) -> str | None:
        return read_rule(record, self._zone)

    def _status(self) -> str:
        """Return the status; one of the source's own stays while the task is open."""
        kept = self._kept.get("status")
        return str(kept) if kept and self._task.status == "open" else _STATUSES[self._task.status]

    def _dates(self) -> dict[str, str]:
        task = self._task
        ends = {"done": task.completed_at, "deleted": task.deleted_at}
        moments = {
            "due": task.due,
            "scheduled": task.scheduled,
            "wait": task.defer,
            "entry": task.created_at,
            "start": task.started_at,
            "end": ends.get(task.status),
            "modified": None if "modified" in self._kept else task.updated_at,
        }
        dates = {name: write_stamp(moment, self._zone) for name, moment in moments.items() if moment}
        if "due" in self._kept and self._is_due_of_template():
            dates["due"] = self._kept["due"]
        return dates

    def _is_due_of_template(self) -> bool:
        """Return whether the task is due where the next occurrence of the kept template is."""
        series, template = self._task.series, self._kept
        if template.get("status") != "recurring" or series is None:
            return False
        return due_after(template, series.occurrence - 1, self._zone) == self._task.due

    def _words(self) -> dict[str, str]:
        task = self._task
        words = {"project": task.project, "priority": _LETTERS.get(task.priority or 0)}
        return {name: word for name, word in words.items() if word}

    def _lists(self) -> dict[str, list[Any]]:
        task = self._task
        tags = self._kept.get("tags")
        is_kept = isinstance(tags, list) and {re.sub(r"[\s,]+", "-", str(tag).strip()) for tag in tags} == {*task.tags}
        annotations = [
            {"entry": write_stamp(comment.at or task.updated_at, self._zone), "description": comment.text}
            for comment in task.comments
        ]
        lists = {
            "tags": tags if is_kept else list(task.tags),
            "depends": [*(_name(reference) for reference in task.after), *self._task.left_out.get("after", ())],
            "annotations": annotations,
        }
        return {name: values for name, values in lists.items() if values}

    def _recurring(self, rule: str) -> dict[str, str]:
        """Return what makes the object a template without occurrences, of which Taskwarrior makes the first one."""
        period = write_period(rule)
        if period is None:
            self.lost.append("every")
            return {}
        end = re.search(r"UNTIL=(\d{4})(\d\d)(\d\d)", rule)
        until = {"until": write_stamp("-".join(end.groups()), self._zone)} if end else {}
        return {"status": "recurring", "recur": period, "rtype": "periodic", **until}


def _name(reference: TaskReference) -> str:
    return _uuid(reference.identity, reference.id)


def _uuid(identity: str, id: str) -> str:
    """Return the id of the source if it is a UUID, else our own."""
    try:
        return str(UUID(identity))
    except ValueError:
        return id

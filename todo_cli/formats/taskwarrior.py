"""Taskwarrior's JSON: an array or an object per line, as `task export` of 2.6 and 3 writes it, and older forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO
from uuid import UUID

from todo_cli.formats.json_items import JsonItems
from todo_cli.formats.records import (
    CERTAIN,
    IMPOSSIBLE,
    FileRecord,
    ImportedComment,
    ImportedRepeat,
    ImportedSeries,
    ImportedTask,
    NotATask,
    ReadOptions,
    ReadTask,
)
from todo_cli.formats.taskwarrior_series import (
    DERIVED,
    STATUSES,
    NewestOccurrence,
    SeriesOfFile,
    find_series,
    read_place,
)
from todo_cli.formats.taskwarrior_values import due_after, read_date, read_instant, read_rule
from todo_cli.formats.taskwarrior_writer import write_tasks

__all__ = ["EXTENSIONS", "NAME", "looks_like", "read_tasks", "write_tasks"]

NAME = "taskwarrior"
EXTENSIONS = (".json",)

_PRIORITIES = {"H": 1, "M": 2, "L": 3}
_DAYS = {"due": "due", "scheduled": "scheduled", "wait": "defer"}
_CARRIED = {"uuid", "description", "project", "tags", "depends", "annotations", "entry", "end", "start"}


def looks_like(head: str, name: str) -> int:
    """Objects with a description, and a status or an entry of Taskwarrior, are certain; an empty list is possible."""
    if not re.match(r"\s*[\[{]", head):
        return IMPOSSIBLE
    if re.match(r"\s*\[\s*\]\s*$", head):
        return 1
    first = re.match(r"\s*\[?\s*\{[^{}\[\]]*", head)
    keys = set(re.findall(r'"(\w+)"\s*:', head[: 4 * 1024])) if first else set()
    return (
        CERTAIN if "description" in keys and keys & {"status", "entry", "uuid"} and "_type" not in keys else IMPOSSIBLE
    )


def read_tasks(file: BinaryIO, options: ReadOptions) -> Iterator[FileRecord]:
    """Read the records. A first reading finds the templates and the newest occurrence of each."""
    series = find_series(file, options)
    items = JsonItems(file, options)
    for number, item in enumerate(items, 1):
        yield _RecordReader(item.value, f"row:{number}", item.place, options, series).read()
    yield from items.notices()


class _RecordRefusal(Exception):
    """A record that cannot be a task; the text is the reason."""


class _RecordReader:
    """One record that is being read: its fields, and what is kept and lost of it."""

    def __init__(self, value: Any, row: str, place: str, options: ReadOptions, series: SeriesOfFile) -> None:
        self._record: dict[str, Any] = value if isinstance(value, dict) else {}
        self._is_object, self._row, self._place = isinstance(value, dict), row, place
        self._zone, self._series = options.zone, series
        self._kept: dict[str, Any] = {}
        self._lost: list[str] = []

    def read(self) -> FileRecord:
        """Return the task, or the reason why it is none."""
        record = self._record
        try:
            if not self._is_object:
                raise _RecordRefusal("no object")
            source_id = self._read_uuid()
            newest = self._series.newest.get(source_id)
            if record.get("status") == "recurring" and newest and newest.is_open:
                reason = "template; its newest open occurrence carries the rule"
                return NotATask(place=source_id, reason=reason, title=self._read_title())
            return ReadTask(task=self._read_task(source_id, newest), place=self._place)
        except _RecordRefusal as refusal:
            title = record.get("description")
            return NotATask(
                place=self._place, reason=str(refusal), title=title if isinstance(title, str) else None, refused=True
            )

    def _read_uuid(self) -> str:
        value = self._record.get("uuid")
        if value is None:
            return self._row
        try:
            return str(UUID(value))
        except (ValueError, AttributeError, TypeError):
            raise _RecordRefusal(f"the uuid {str(value)[:40]!r} is none") from None

    def _read_title(self) -> str:
        value = self._record.get("description")
        title = str(value) if isinstance(value, str | int | float) else ""
        if not title.strip():
            raise _RecordRefusal("no description")
        return title

    def _read_task(self, source_id: str, newest: NewestOccurrence | None) -> ImportedTask:
        record = self._record
        status = self._read_status()
        fields: dict[str, Any] = {field: self._read_day(name) for name, field in _DAYS.items()}
        fields |= {"status": status, "created_at": self._read_instant("entry")}
        end = self._read_instant("end")
        if status == "open":
            fields["started_at"] = self._read_instant("start")
        else:
            self._keep("start")
        fields |= {"completed_at": end if status == "done" else None}
        fields |= {"deleted_at": end if status == "deleted" else None}
        fields |= {"priority": self._read_priority(), "project": self._read_project(), "tags": self._read_tags()}
        fields |= {"after": self._read_depends(), "comments": self._read_annotations()}
        title = self._read_title()
        others = (name for name in record if name not in {*_CARRIED, *_DAYS, *DERIVED, "status", "priority"})
        self._kept |= {name: record[name] for name in others}
        fields |= self._read_series(source_id, newest)
        if "until" in record and "series" not in fields:
            self._lost.append("until")
        return ImportedTask(
            source_id=source_id, title=title, kept=self._kept, lost=tuple(dict.fromkeys(self._lost)), **fields
        )

    def _keep(self, name: str, *, lost: bool = False) -> None:
        """Keep a value that its field cannot take."""
        if self._record.get(name) not in (None, ""):
            self._kept[name] = self._record[name]
            self._lost += [name] if lost else []

    def _read_status(self) -> str:
        status = self._record.get("status", "pending")
        if status not in ("pending", "completed", "deleted"):
            self._keep("status", lost=status not in STATUSES)
        return STATUSES.get(status if isinstance(status, str) else "", "open")

    def _read_day(self, name: str) -> str | None:
        date = read_date(self._record.get(name), self._zone)
        if date is None:
            self._keep(name, lost=True)
        return date

    def _read_instant(self, name: str) -> str | None:
        instant = read_instant(self._record.get(name))
        if instant is None:
            self._keep(name, lost=True)
        return instant

    def _read_priority(self) -> int | None:
        value = self._record.get("priority")
        priority = _PRIORITIES.get(value) if isinstance(value, str) else None
        if priority is None:
            self._keep("priority", lost=True)
        return priority

    def _read_project(self) -> str | None:
        value = self._record.get("project")
        if isinstance(value, str) and value.strip():
            return value
        self._keep("project", lost=True)
        return None

    def _read_tags(self) -> tuple[str, ...]:
        value = self._record.get("tags") or []
        words = [value] if isinstance(value, str) else value
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            self._keep("tags", lost=True)
            return ()
        tags = tuple(dict.fromkeys(re.sub(r"[\s,]+", "-", word.strip()) for word in words if word.strip()))
        if list(tags) != words and not isinstance(value, str):
            self._kept["tags"] = words
        return tags

    def _read_depends(self) -> tuple[str, ...]:
        value = self._record.get("depends") or []
        ids = value.split(",") if isinstance(value, str) else value
        if not isinstance(ids, list) or not all(isinstance(id, str) for id in ids):
            self._keep("depends", lost=True)
            return ()
        return tuple(dict.fromkeys(id.strip() for id in ids if id.strip()))

    def _read_annotations(self) -> tuple[ImportedComment, ...]:
        value = self._record.get("annotations") or []
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise _RecordRefusal("the annotations are not a list of objects")
        found = [(read_instant(each.get("entry")), str(each.get("description") or "")) for each in value]
        return tuple(ImportedComment(at=at, text=text) for at, text in found if text.strip())

    def _read_series(self, source_id: str, newest: NewestOccurrence | None) -> dict[str, Any]:
        """Return the series, and the rule where this task must make the next occurrence."""
        record = self._record
        if record.get("status") == "recurring":
            return self._read_template(source_id, newest)
        parent, place = record.get("parent"), read_place(record)
        if not isinstance(parent, str) or place is None:
            return {}
        series: dict[str, Any] = {"series": ImportedSeries(id=parent, occurrence=place + 1)}
        template, last = self._series.templates.get(parent), self._series.newest.get(parent)
        if template is None or last is None or last.uuid != source_id or not last.is_open:
            return series
        self._kept["template"] = template
        rule = read_rule(template, self._zone)
        self._lost += [] if rule else ["recur"]
        return series | ({"every": ImportedRepeat(rule=rule)} if rule else {})

    def _read_template(self, source_id: str, newest: NewestOccurrence | None) -> dict[str, Any]:
        """Return the fields of a template that is a task: its first occurrence, or the next after a finished one."""
        rule = read_rule(self._record, self._zone)
        self._lost += [] if rule else ["recur"]
        occurrence = newest.place + 2 if newest else 1
        fields: dict[str, Any] = {"series": ImportedSeries(id=source_id, occurrence=occurrence)}
        if newest:
            fields["due"] = due_after(self._record, newest.place + 1, self._zone)
            self._keep("due")
        return fields | ({"every": ImportedRepeat(rule=rule)} if rule else {})

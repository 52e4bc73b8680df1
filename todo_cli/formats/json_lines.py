"""Our own JSON Lines: everything of a task, so that another server gets it back equal.

The first line is `{"_type":"todo","version":1}`, each task is `{"_type":"task",…}`. Lines of the journal are
`{"_type":"change",…}`: they are a record, which an import counts and does not apply.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, TextIO

import msgspec

from todo_cli.contract.exports import ExportedTask, TaskSource
from todo_cli.contract.imported_tasks import (
    DayOrInstant,
    ImportedComment,
    ImportedRepeat,
    ImportedSeries,
    ImportedTask,
)
from todo_cli.contract.task_types import Reminder
from todo_cli.errors import Invalid
from todo_cli.formats.json_items import JsonItem, JsonItems
from todo_cli.formats.records import (
    CERTAIN,
    IMPOSSIBLE,
    FileRecord,
    NotATask,
    OwnFields,
    ReadOptions,
    ReadTask,
    WriteLoss,
    WriteOptions,
)

NAME = "jsonl"
EXTENSIONS = (".jsonl", ".ndjson")
VERSION = 1
ATTACHMENT_TYPE = "attachment"
OTHER_LINES = {"change": "a change of the journal", ATTACHMENT_TYPE: "an attached file"}
"""What lines of other types are; they are no tasks."""


class TaskLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task as a line. `parent` and `after` are ids of tasks of the file, `series.id` is a UUID."""

    type: str = msgspec.field(default="", name="_type")
    id: str
    title: str
    note: str | None = None
    status: str = "open"
    due: DayOrInstant | None = None
    scheduled: DayOrInstant | None = None
    defer: DayOrInstant | None = None
    priority: int | None = None
    project: str | None = None
    tags: tuple[str, ...] = ()
    parent: str | None = None
    after: tuple[str, ...] = ()
    series: ImportedSeries | None = None
    repeat: dict[str, Any] | None = None
    started_at: DayOrInstant | None = None
    tracked: int = 0
    assigned_to: str | None = None
    created_at: DayOrInstant | None = None
    completed_at: DayOrInstant | None = None
    deleted_at: DayOrInstant | None = None
    remind: tuple[Reminder, ...] = ()
    moved: str | None = None
    comments: tuple[ImportedComment, ...] = ()
    source: TaskSource | None = None


def looks_like(head: str, name: str) -> int:
    """The first line names the program."""
    return CERTAIN if re.match(r'\s*\{\s*"_type"\s*:\s*"(todo|task)"', head) else IMPOSSIBLE


def read_tasks(file: BinaryIO, options: ReadOptions) -> Iterator[FileRecord]:
    """Read the lines; raises Invalid for a file of a newer version."""
    items = JsonItems(file, options)
    for item in items:
        kind = item.value.get("_type") if isinstance(item.value, dict) else None
        if kind == "task":
            yield _read_task(item)
        elif kind == "todo":
            version = item.value.get("version")
            if version != VERSION:
                raise Invalid(f"the file has version {version}, this todo knows {VERSION}", hint="upgrade todo")
        else:
            reason = OTHER_LINES.get(kind) if isinstance(kind, str) else None
            yield NotATask(place=item.place, reason=reason or "no task", refused=reason is None)
    yield from items.notices()


def _read_task(item: JsonItem) -> FileRecord:
    try:
        line = msgspec.convert(item.value, TaskLine)
        repeat = line.repeat
        task = ImportedTask(
            source_id=line.id,
            every=ImportedRepeat(rule=repeat["rule"], from_done=repeat.get("from_done") is True) if repeat else None,
            kept=line.source.kept if line.source else {},
            **{name: getattr(line, name) for name in _SHARED},
        )
        msgspec.convert(msgspec.to_builtins(task), ImportedTask)
    except (msgspec.ValidationError, KeyError) as error:
        title = item.value.get("title")
        return NotATask(
            place=item.place, reason=str(error), title=title if isinstance(title, str) else None, refused=True
        )
    return ReadTask(
        task=task,
        place=item.place,
        own=OwnFields(repeat=repeat, remind=line.remind, moved=line.moved, source=line.source),
    )


_SHARED = tuple(name for name in ImportedTask.__struct_fields__ if name in TaskLine.__struct_fields__)


def write_tasks(tasks: Iterable[ExportedTask], file: TextIO, options: WriteOptions) -> Iterator[WriteLoss]:
    """Write the head and a line per task. Attachments are files of their own: the caller exports them if wanted."""
    write_line(file, {"_type": "todo", "version": VERSION})
    for task in tasks:
        fields = {name: getattr(task, name) for name in _SHARED if name not in ("parent", "after", "series")}
        series = task.series
        if series and task.source_series and not task.source:
            series = ImportedSeries(id=task.source_series, occurrence=series.occurrence)
        line = TaskLine(
            type="task",
            id=task.identity,
            parent=task.parent.identity if task.parent else None,
            after=tuple(reference.identity for reference in task.after),
            series=series,
            repeat=task.repeat,
            remind=task.remind,
            moved=task.moved,
            source=task.source,
            **fields,
        )
        write_line(file, line)
        if task.attachments:
            yield WriteLoss(number=task.number, word="attachments")


def write_line(file: TextIO, value: Any) -> None:
    """Write a value as a line of JSON."""
    file.write(msgspec.json.encode(value).decode() + "\n")

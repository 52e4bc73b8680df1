"""What a reader makes of a file of another tool, and a writer of tasks."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from tests.support.samples import NOW, ZONE
from todo_cli.formats.detect import find_format, find_writable_format
from todo_cli.formats.records import (
    BrokenFile,
    ExportedTask,
    FileRecord,
    ImportedTask,
    ReadOptions,
    ReadTask,
    TaskReference,
    WriteLoss,
    WriteOptions,
)

CREATED = "2026-11-20T08:00:00Z"
"""When every exported task was created and changed that does not know better."""


def read_records(format_name: str, data: bytes, name: str = "a file") -> list[FileRecord]:
    """Return the records of a file in a format."""
    options = ReadOptions(zone=ZONE, now=NOW, name=name)
    return list(find_format(format_name).read_tasks(io.BytesIO(data), options))


def read_tasks(format_name: str, data: bytes, name: str = "a file") -> list[ImportedTask]:
    """Return the tasks of a file in a format."""
    return [record.task for record in read_records(format_name, data, name) if isinstance(record, ReadTask)]


def export_tasks(tasks: Iterable[ImportedTask]) -> list[ExportedTask]:
    """Return imported tasks as an export in the same format has them."""
    tasks = list(tasks)
    numbers = {task.source_id: number for number, task in enumerate(tasks, 1)}

    def refer(source_id: str | None) -> TaskReference | None:
        if source_id not in numbers:
            return None
        number = numbers[source_id]
        return TaskReference(number=number, id=str(UUID(int=number)), source_id=source_id)

    parents = {task.parent for task in tasks}
    same = set(ImportedTask.__struct_fields__) & set(ExportedTask.__struct_fields__) - {"parent", "after", "created_at"}
    return [
        ExportedTask(
            number=number,
            id=str(UUID(int=number)),
            parent=refer(task.parent),
            after=tuple(filter(None, map(refer, task.after))),
            created_at=task.created_at or CREATED,
            updated_at=CREATED,
            has_subtasks=task.source_id in parents,
            source_series=task.series.id if task.series else None,
            **{name: getattr(task, name) for name in same},
        )
        for number, task in enumerate(tasks, 1)
    ]


def make_exported(
    number: int, *, parent: ExportedTask | None = None, after: Iterable[ExportedTask] = (), **fields: Any
) -> ExportedTask:
    """Return a task that was made here."""
    return ExportedTask(
        number=number,
        id=str(UUID(int=number)),
        parent=TaskReference(number=parent.number, id=parent.id) if parent else None,
        after=tuple(TaskReference(number=blocker.number, id=blocker.id) for blocker in after),
        **({"title": "Buy milk", "created_at": CREATED, "updated_at": CREATED} | fields),
    )


def read_until_broken(format_name: str, data: bytes) -> tuple[list[str], str | None]:
    """Return the titles that stand in front of the place where a file breaks, and that place."""
    titles = []
    options = ReadOptions(zone=ZONE, now=NOW, name="a file")
    try:
        for record in find_format(format_name).read_tasks(io.BytesIO(data), options):
            if isinstance(record, ReadTask):
                titles.append(record.task.title)
    except BrokenFile as error:
        return titles, str(error.extra["place"])
    return titles, None


def write_file(format_name: str, tasks: Iterable[ExportedTask]) -> tuple[str, list[WriteLoss]]:
    """Return the file with the tasks, and the values that the format could not take."""
    file = io.StringIO(newline="")
    options = WriteOptions(zone=ZONE, now=NOW)
    losses = list(find_writable_format(format_name).write_tasks(tasks, file, options))
    return file.getvalue(), losses

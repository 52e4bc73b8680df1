"""Update imported tasks from a newer version of their file: a merge of each field with what the file had before.

A field that only the file has changed takes the file's value, and one that was only changed here keeps ours. Where both
have changed, it is a conflict: ours stays, unless the file's is wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from todo_cli.contract.imports import ImportConflict, ImportTasks, SourceReferences, TaskToImport
from todo_cli.core.journal import read_rows
from todo_cli.core.journal_texts import has_reference, restore_texts
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.transfers.imported_rows import list_references, make_row, place_row
from todo_cli.core.transfers.load_import import ImportWanted, LoadedSources

MERGED_FIELDS: dict[str, tuple[str, ...]] = {
    "title": ("title",),
    "note": ("note",),
    "status": ("status", "completed_at", "deleted_at"),
    "started": ("started_at",),
    "due": ("due_on", "due_at"),
    "defer": ("defer_on", "defer_at"),
    "scheduled": ("scheduled_on", "scheduled_at"),
    "priority": ("priority",),
    "project": ("project",),
    "tags": ("tags",),
    "parent": ("parent",),
    "after": ("after",),
    "every": ("repeat", "series", "occurrence"),
    "worked": ("tracked",),
    "remind": ("remind",),
    "position": ("position",),
    "assigned": ("assigned_to",),
}
"""The columns of each field, which change together."""


class MergedTask(NamedTuple):
    """The row with the file's changes, and the fields that were changed on both sides."""

    row: TaskRow
    conflicts: tuple[str, ...]


def merge_task(ours: TaskRow, file: TaskRow, base: TaskRow | None, *, prefers_file: bool) -> MergedTask:
    """Return our row with what the file has changed since `base`, its version before; None is not known any more."""
    file = _keep_series(file, ours)
    taken: dict[str, Any] = {}
    conflicts = []
    for name, columns in MERGED_FIELDS.items():
        wanted, own, former = (_values(row, columns) for row in (file, ours, base))
        if wanted in (own, former):
            continue
        if own == former or prefers_file:
            taken |= zip(columns, wanted or (), strict=True)
        else:
            conflicts.append(name)
    return MergedTask(replace(ours, **taken), tuple(conflicts))


def name_conflict(merged: MergedTask) -> ImportConflict:
    """Return the conflict as the answer has it."""
    return ImportConflict(number=merged.row.number, title=merged.row.title, fields=merged.conflicts)


def _values(row: TaskRow | None, columns: Sequence[str]) -> tuple[Any, ...] | None:
    return tuple(getattr(row, column) for column in columns) if row else None


def _keep_series(file: TaskRow, ours: TaskRow) -> TaskRow:
    """Return the file's row in our series where the file names none: a new row begins one that has its own id."""
    if file.repeat is None or file.series != file.id:
        return file
    return replace(file, series=ours.series or ours.id, occurrence=ours.occurrence or 1)


def read_former_rows(changes: Sequence[Any], now: Sequence[TaskRow]) -> dict[int, TaskRow]:
    """Return the rows as the imports left them, by number, without those whose long texts are no longer kept."""
    former: dict[int, TaskRow] = {}
    for change in changes:
        rows = restore_texts(change.rows, change.texts, now)
        former |= {row.number: row for row in read_rows([row for row in rows if not has_reference(row)])}
    return former


class ImportUpdates(NamedTuple):
    """The tasks that take changes of the file, their rows, the sources to store, and the conflicts."""

    tasks: list[TaskToImport]
    rows: list[TaskRow]
    settled: list[tuple[TaskToImport, int]]  # with the change that the source names
    conflicts: list[ImportConflict]


def update_tasks(
    loaded: LoadedSources, wanted: ImportWanted, request: ImportTasks, numbers: dict[str, int]
) -> ImportUpdates:
    """Merge the changed records into their tasks. A task with a conflict stays known as the file had it before."""
    updates = ImportUpdates([], [], [], [])
    changed = {source.source_id: source for source in loaded.sources if source.is_changed}
    former = read_former_rows(loaded.former, loaded.rows) if changed else {}
    before = {row.number: row for row in loaded.rows}
    for task in request.tasks:
        if not (source := changed.get(task.source_id)) or not (ours := before.get(source.number)):
            continue
        file = make_row(task, loaded.clock, wanted.series[task.source_id])
        base = former.get(source.number)
        file = place_row(file, task, numbers, {})
        if task.links and base and _has_later_links(task.links, numbers):
            file = replace(file, parent=base.parent, after=base.after)
        merged = merge_task(ours, file, base, prefers_file=request.update == "theirs")
        if merged.row != ours:
            updates.rows.append(merged.row)
        if merged.conflicts:
            updates.conflicts.append(name_conflict(merged))
        else:
            updates.settled.append((task, loaded.seq + 1 if merged.row != ours else source.seq))
        if merged.row != ours or not merged.conflicts:
            updates.tasks.append(task)
    return updates


def _has_later_links(links: SourceReferences, numbers: dict[str, int]) -> bool:
    return any(source_id not in numbers for source_id in list_references(links))

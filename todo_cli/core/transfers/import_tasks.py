"""Import tasks of a file: one batch in two round trips, with the sources and the comments beside the rows."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from todo_cli.contract.clock import Clock
from todo_cli.contract.ids import new_id
from todo_cli.contract.imports import ImportedTasks, ImportTasks, SourceReferences, TaskToImport
from todo_cli.contract.limits import MAX_CHANGE_BYTES
from todo_cli.core.dispatch import handler
from todo_cli.core.journal import make_stamp
from todo_cli.core.tasks.assignees import drop_former_assignees
from todo_cli.core.tasks.change import prepare_change, writes
from todo_cli.core.tasks.dependencies import raise_for_cycles
from todo_cli.core.tasks.load import KnownChange
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.tasks.store import DecidedChange, Edits, too_large
from todo_cli.core.transfers.imported_rows import make_row, place_row, read_instant
from todo_cli.core.transfers.load_import import ImportWanted, KnownSource, LoadedSources, load_import_call, want_import
from todo_cli.core.transfers.sources_sql import STORE_COMMENTS, STORE_SOURCES
from todo_cli.core.transfers.update_imported import update_tasks
from todo_cli.core.validation import check_text
from todo_cli.db.sql import StatementCall
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid


class ImportEdits(Edits, kw_only=True):
    """The rows of a batch, and in the same order the records that they come from."""

    result: ImportedTasks
    sources: list[dict[str, Any]]
    comments: list[dict[str, Any]]


def answer_import(change: DecidedChange) -> ImportedTasks:
    """Answer with the counts of the batch."""
    assert isinstance(change.edits, ImportEdits)  # noqa: S101  # this module's rule made it
    return change.edits.result


def repeat_import(known: KnownChange) -> ImportedTasks:
    """Answer again: the journal keeps the rows alone, so every one counts as added."""
    return ImportedTasks(added=len(known.after), restored=0, known=0, changed=0, group="", new=False)


@writes(
    ImportTasks,
    wanted=want_import,
    load=load_import_call,
    kind=LoadedSources,
    answer=answer_import,
    repeat=repeat_import,
    has_own_handler=True,
)
def number_imported_tasks(loaded: LoadedSources, wanted: ImportWanted, request: ImportTasks) -> ImportEdits:
    """Number the tasks that are new, and restore those that an undo has removed; the others stay as they are."""
    if loaded.bytes > MAX_CHANGE_BYTES:
        raise too_large()
    known = {source.source_id: source for source in loaded.sources}
    fresh = [task for task in request.tasks if task.source_id not in known or known[task.source_id].is_undone]
    numbers = {source.source_id: source.number for source in loaded.sources}
    next_number = loaded.next_number
    for task in fresh:
        if task.source_id not in numbers:
            numbers[task.source_id], next_number = next_number, next_number + 1
    before = {row.number: row for row in loaded.rows}
    new_rows = [make_row(task, loaded.clock, wanted.series[task.source_id]) for task in fresh]
    rows = [place_row(row, task, numbers, before) for row, task in zip(new_rows, fresh, strict=True)]
    rows = _end_double_occurrences(rows, loaded.occurrences)
    updates = update_tasks(loaded, wanted, request, numbers)
    named = [*rows, *updates.rows]
    rows = drop_former_assignees(named, loaded)
    raise_for_cycles(loaded, rows, "imported")
    added = next_number - loaded.next_number
    result = ImportedTasks(
        added=added,
        restored=len(fresh) - added,
        known=len(request.tasks) - len(fresh),
        changed=sum(_has_changed(task, known.get(task.source_id)) for task in request.tasks),
        group=loaded.group or request.group,
        new=True,
        updated=len(updates.tasks),
        unassigned=sum(row.assigned_to != other.assigned_to for row, other in zip(rows, named, strict=True)),
        conflicts=tuple(updates.conflicts),
    )
    return ImportEdits(
        rows=rows,
        group=result.group,
        result=result,
        sources=[
            *(_make_source(task, numbers, loaded.seq + 1, request.format) for task in fresh),
            *(_make_source(task, numbers, seq, request.format) for task, seq in updates.settled),
        ],
        comments=[
            comment
            for task in (*fresh, *updates.tasks)
            for comment in _make_comments(task, numbers[task.source_id], loaded.clock)
        ],
    )


def _end_double_occurrences(rows: list[TaskRow], occurrences: list[tuple[str, int, int]]) -> list[TaskRow]:
    """Take a task out of its series where another one is this occurrence: completing a task here has made it."""
    taken = {(series, occurrence): number for series, occurrence, number in occurrences}
    result = []
    for row in rows:
        key = (row.series, row.occurrence)
        is_taken = row.series is not None and taken.setdefault(key, row.number) != row.number  # type: ignore[arg-type]
        result.append(replace(row, series=None, occurrence=None, repeat=None) if is_taken else row)
    return result


def _has_changed(task: TaskToImport, source: KnownSource | None) -> bool:
    return source is not None and not source.is_undone and source.digest not in ("", task.digest)


def _make_source(task: TaskToImport, numbers: dict[str, int], seq: int, format: str) -> dict[str, Any]:
    """Return the record's row; links to tasks that have no number yet are pending."""
    links = task.links or SourceReferences()
    pending = SourceReferences(
        parent=links.parent if links.parent not in numbers else None,
        after=tuple(source_id for source_id in links.after if source_id not in numbers),
    )
    left_out = task.left_out or SourceReferences()
    return {
        "source_id": task.source_id,
        "number": numbers[task.source_id],
        "seq": seq,
        "digest": task.digest,
        "kept_format": task.kept_format or format,
        "kept_id": task.kept_id or task.source_id,
        "kept": _read_kept(task),
        "series": task.series.id if task.series else None,
        "left_out": left_out if left_out != SourceReferences() else None,
        "pending": pending if pending != SourceReferences() else None,
        "has_created_at": task.created_at is not None,
    }


def _read_kept(task: TaskToImport) -> msgspec.Raw:
    """Return the kept values as JSON; raises Invalid unless they are an object that Postgres can store."""
    try:
        msgspec.json.decode(task.kept, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        raise Invalid(f"{task.source_id}: the kept values are not a JSON object") from None
    if "\\u0000" in task.kept:
        raise Invalid(f"{task.source_id}: the kept values have a NUL character, which cannot be stored")
    return msgspec.Raw(task.kept.encode())


def _make_comments(task: TaskToImport, number: int, clock: Clock) -> list[dict[str, Any]]:
    ids = sorted(new_id() for _ in task.comments)  # comments are listed by their ids
    return [
        {
            "number": number,
            "id": id,
            "text": check_text("comment", comment.text),
            "imported": {"at": read_instant("comment", comment.at, clock), "by": comment.by},
        }
        for id, comment in zip(ids, task.comments, strict=True)
    ]


@handler(ImportTasks)
async def import_tasks(tx: Transaction, request: ImportTasks) -> ImportedTasks:
    """Import one batch. Where all of its tasks are known, nothing is stored."""
    async with tx.steps() as steps:
        prepared = await prepare_change(tx, steps, request, make_stamp(tx, request))
        answer: ImportedTasks = prepared.answer
        edits = prepared.change.edits if prepared.change else None
        if prepared.change and isinstance(edits, ImportEdits) and not request.dry_run and (edits.sources or edits.rows):
            calls = prepared.calls if prepared.change.rows else []
            await steps.commit_calls([*calls, *_source_calls(request, edits)])
    return answer


def _source_calls(request: ImportTasks, edits: ImportEdits) -> list[StatementCall]:
    sources = msgspec.json.encode(edits.sources).decode()
    calls: list[StatementCall] = [
        (STORE_SOURCES, {"format": request.format, "name": request.name.strip(), "sources": sources})
    ]
    if edits.comments:
        calls.append((STORE_COMMENTS, {"comments": msgspec.json.encode(edits.comments).decode()}))
    return calls

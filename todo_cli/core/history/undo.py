"""Undo and redo: write the rows as they were before a change, or before a group of changes, as a new change.

A task has moved on when its content is no longer what the change left. Its `rev` may differ all the same: an undo and a
redo in between bring the same content back.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from msgspec.structs import replace

from todo_cli.contract.journal import Redo, Undo, Undone
from todo_cli.core.history.load_changes import LoadedChanges, StoredChange, WantedChange, load_change_call, want_change
from todo_cli.core.journal import differences, read_rows
from todo_cli.core.journal_texts import has_reference, restore_texts
from todo_cli.core.tasks.assignees import drop_former_assignee
from todo_cli.core.tasks.change import writes
from todo_cli.core.tasks.dependencies import raise_for_cycles
from todo_cli.core.tasks.load import KnownChange
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.tasks.store import DecidedChange, Edits, loaded_rows
from todo_cli.core.tasks.trash import trash
from todo_cli.errors import Conflict, NotFound

content = attrgetter(
    "title", "note", "status", "priority", "project", "due_on", "due_at", "tags", "completed_at", "parent", "after",
    "defer_on", "defer_at", "scheduled_on", "scheduled_at", "started_at", "tracked", "series", "occurrence", "repeat",
    "attachments", "remind", "discovered_from", "position", "assigned_to",
)  # fmt: skip  # one column a line would hide that claims, rev and times are left out
"""Return what an undo brings back of a row: all of it but claims, rev and the row's own times."""


class Inversion(Edits, kw_only=True):
    """The rows as they were before `changes`; `skipped` are the tasks that have moved on."""

    changes: tuple[int, ...]
    skipped: tuple[int, ...]
    next_part: int | None = None
    dry_run: bool


class TaskChange(NamedTuple):
    """A task before and after the changes; `before` is None where they added it."""

    before: TaskRow | None
    after: TaskRow


def answer_undone(change: DecidedChange) -> Undone:
    """Answer with what the undo or redo changes; `seq` is None where nothing was stored."""
    assert isinstance(change.edits, Inversion)  # noqa: S101  # this module's rule made it
    before = loaded_rows(change.loaded)
    return Undone(
        changes=change.edits.changes,
        differences=differences([before[row.number] for row in change.rows], change.rows),
        skipped=change.edits.skipped,
        seq=None if change.edits.dry_run else change.seq,
        next_part=change.edits.next_part,
    )


def repeat_undone(known: KnownChange) -> Undone:
    """Answer again, from the journal."""
    return Undone(changes=(), differences=differences(known.before, known.after), seq=known.seq, new=False)


def merge_answers(answers: Sequence[Undone]) -> Undone:
    """Return the answers to several undos and redos as one."""
    if len(answers) == 1:
        return answers[0]
    return Undone(
        changes=tuple(seq for answer in answers for seq in answer.changes),
        differences=tuple(difference for answer in answers for difference in answer.differences),
        skipped=tuple(number for answer in answers for number in answer.skipped),
        seq=answers[-1].seq if answers else None,
        new=any(answer.new for answer in answers),
    )


@writes(Undo, wanted=want_change, load=load_change_call, kind=LoadedChanges, answer=answer_undone, repeat=repeat_undone)
def undo(loaded: LoadedChanges, wanted: WantedChange, request: Undo) -> Inversion:
    """Take back a change; raises NotFound where there is none, Conflict for tasks that have moved on."""
    return invert(loaded, request, "undo")


@writes(Redo, wanted=want_change, load=load_change_call, kind=LoadedChanges, answer=answer_undone, repeat=repeat_undone)
def redo(loaded: LoadedChanges, wanted: WantedChange, request: Redo) -> Inversion:
    """Do again what an undo took back: the inverse of the undo."""
    return invert(loaded, request, "redo")


def invert(loaded: LoadedChanges, request: Undo | Redo, action: str) -> Inversion:
    """Return the former rows of every task that still is as the changes left it.

    Raises Conflict for tasks that have moved on, unless the request is `partial` and others remain.
    """
    _raise_for_target(loaded, request, action)
    now = loaded_rows(loaded)
    stored, lost = restore_changes(loaded.changes, loaded.rows)
    changes = {number: each for number, each in merge_changes(stored).items() if has_changed(*each)}
    moved_on = (*lost, *(number for number, each in changes.items() if has_changed(now.get(number), each.after)))
    kept = [number for number in changes if number not in moved_on]
    if moved_on and not (request.partial and kept):
        raise Conflict(
            f"cannot {action}: {_name(moved_on, now)} {_name_reason(moved_on, now, lost)}; nothing was done",
            hint=f"take back the rest with: todo {action} --partial" if kept else "see: todo log",
            moved=moved_on,
        )
    if not kept:
        raise NotFound(
            f"there is nothing to {action} in change {loaded.changes[-1].seq}",
            hint="release a claim with: todo release N",
        )
    rows = [_restore(changes[number].before, now[number], loaded) for number in kept]
    raise_for_cycles(loaded, rows)
    return Inversion(
        rows=rows,
        undoes=loaded.changes[0].head,
        redo=action == "redo",
        changes=tuple(change.seq for change in loaded.changes),
        skipped=moved_on,
        next_part=loaded.next_part,
        dry_run=request.dry_run,
    )


def _raise_for_target(loaded: LoadedChanges, request: Undo | Redo, action: str) -> None:
    if not loaded.changes:
        named = (
            f"change {request.id} does not exist, or changed no tasks"
            if request.id
            else f"there is nothing of yours to {action}"
        )
        raise NotFound(named, hint="see: todo log")
    reason = ""
    if loaded.is_undone:
        reason = "it has been undone already"
    if loaded.has_newer_change:
        reason = "you have changed something since (name it with --id)"
    if reason:
        raise Conflict(f"cannot {action} change {loaded.changes[-1].seq}: {reason}", hint="see: todo log")


def restore_changes(changes: Sequence[StoredChange], now: Sequence[TaskRow]) -> tuple[list[StoredChange], list[int]]:
    """Return the changes with the long texts of their rows, and apart from them the numbers of tasks that moved on.

    A text that no change of the group sets or removes is that of the task now, unless somebody has replaced it since.
    """
    texts = {digest: text for change in changes for digest, text in change.texts.items()}
    restored = [
        replace(change, before=restore_texts(change.before, texts, now), after=restore_texts(change.after, texts, now))
        for change in changes
    ]
    lost = {row["number"] for change in restored for row in (*change.before, *change.after) if has_reference(row)}
    complete = [
        replace(
            change,
            before=[row for row in change.before if row.get("number") not in lost],
            after=[row for row in change.after if row.get("number") not in lost],
        )
        for change in restored
    ]
    return complete, sorted(lost)


def merge_changes(changes: Sequence[StoredChange]) -> dict[int, TaskChange]:
    """Return each task before the first and after the last of the changes."""
    merged: dict[int, TaskChange] = {}
    for change in changes:
        before = {row.number: row for row in read_rows(change.before)}
        for row in read_rows(change.after):
            first = merged[row.number].before if row.number in merged else before.get(row.number)
            merged[row.number] = TaskChange(first, row)
    return merged


def has_changed(row: TaskRow | None, other: TaskRow | None) -> bool:
    """Return whether two states of a task differ in content; None is a task that does not exist."""
    if row is None or other is None:
        return row is not other
    return bool(content(row) != content(other))


def _restore(before: TaskRow | None, now: TaskRow, loaded: LoadedChanges) -> TaskRow:
    """Return the former row. An added task goes to the trash. Whoever claims an open task keeps it.

    A former assignee who has left the space does not come back.
    """
    if before is None:
        return trash(now, loaded.now)
    is_open = before.status == "open"
    restored = replace(
        before,
        rev=now.rev,
        updated_at=now.updated_at,
        deleted_at=now.deleted_at,
        claimed_by=now.claimed_by if is_open else None,
        claim_token=now.claim_token if is_open else None,
        claimed_until=now.claimed_until if is_open else None,
        fence=now.fence,
        lost_claims=now.lost_claims,
    )
    return drop_former_assignee(restored, loaded)


def _name_reason(numbers: Sequence[int], rows: dict[int, TaskRow], lost: Sequence[int]) -> str:
    """Return why tasks cannot be brought back: the operator may limit how long removed tasks and old texts are kept."""
    if any(number not in rows for number in numbers):
        return "has changed since, or was removed for good"
    return "has changed since, or its old texts are no longer kept" if lost else "has changed since"


def _name(numbers: tuple[int, ...], rows: dict[int, TaskRow]) -> str:
    titles = {number: f" {rows[number].title[:40]}" for number in numbers if number in rows}
    named = ", ".join(f"#{number}{titles.get(number, '')}" for number in numbers[:5])
    return named if len(numbers) <= 5 else f"{named} and {len(numbers) - 5} more"

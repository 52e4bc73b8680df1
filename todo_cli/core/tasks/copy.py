"""Copy tasks: new open tasks with the fields of others, and without their history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import UNSET
from msgspec.structs import replace

from todo_cli.contract.copies import CopyTasks
from todo_cli.contract.ids import new_id
from todo_cli.contract.limits import MAX_ADDED_TASKS
from todo_cli.contract.tasks import EditTasks
from todo_cli.core.filters.token_filter import fill_fields
from todo_cli.core.tasks.assignees import drop_former_assignees
from todo_cli.core.tasks.change import writes
from todo_cli.core.tasks.dependencies import raise_for_cycles, raise_for_references
from todo_cli.core.tasks.edit import apply_patch, name_assignee
from todo_cli.core.tasks.load import Loaded, Wanted
from todo_cli.core.tasks.new_series import NewRepeat, start_series
from todo_cli.core.tasks.reminders import raise_for_no_due
from todo_cli.core.tasks.rows import StoredRepeat, TaskRow, date_of
from todo_cli.core.tasks.select import raise_for_limits, select_rows
from todo_cli.core.tasks.store import Edits
from todo_cli.core.tasks.task_input import TaskPatch, read_patch
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid

NEW_FIELDS = tuple(
    name for name in CopyTasks.__struct_fields__ if name not in ("numbers", "with_subtasks")
)  # those of EditTasks


async def want_copies(tx: Transaction, request: CopyTasks) -> Wanted:
    """Read the originals, and what the copies newly refer to."""
    parents = (request.parent,) if request.parent else ()
    return Wanted(
        numbers=tuple(dict.fromkeys(request.numbers)),
        with_subtasks=request.with_subtasks is True,
        user=tx.caller.user_id,
        parents=parents,
        blockers=request.add_after or (),
        changes_links=bool(parents or request.add_after),
        with_members=True,
    )


@writes(CopyTasks, wanted=want_copies)
def copy_tasks(loaded: Loaded, wanted: Wanted, request: CopyTasks) -> Edits:
    """Add a copy of each task; raises where a new parent or blocker cannot be."""
    originals = select_rows(loaded, wanted)
    if len(originals) > MAX_ADDED_TASKS:
        raise Invalid(f"at most {MAX_ADDED_TASKS:,} tasks can be copied at once; nothing was added")
    raise_for_references(loaded, wanted, "added")
    numbers = {row.number: loaded.next_number + place for place, row in enumerate(originals)}
    patch = _read_changes(loaded, wanted, request)
    copies = [_copy(row, numbers, loaded, wanted.user) for row in originals]
    if patch:
        named = {numbers[number] for number in wanted.numbers}
        copies = [apply_patch(row, patch) if row.number in named else _follow(row, patch) for row in copies]
        if patch.remind:
            raise_for_no_due(copies, wanted.user)
    pairs = zip(copies, originals, strict=True)
    copies = [
        _repeat(copy, original.repeat) if copy.repeat is None and not _ends_series(original, patch, wanted) else copy
        for copy, original in pairs
    ]
    copies = drop_former_assignees([fill_fields(loaded.reach, row) for row in copies], loaded)
    raise_for_limits(copies)
    raise_for_cycles(loaded, copies, "added")
    return Edits(rows=copies, copied_from=tuple(row.number for row in originals))


def _read_changes(loaded: Loaded, wanted: Wanted, request: CopyTasks) -> TaskPatch | None:
    """Return what the request changes in the copies, checked; None where it changes nothing."""
    given = {name: getattr(request, name) for name in NEW_FIELDS}
    if all(value in (UNSET, ()) for value in given.values()):
        return None
    patch = read_patch(EditTasks(numbers=wanted.numbers, **given), loaded.clock, wanted.user)
    return name_assignee(patch, loaded, "added")


def _copy(row: TaskRow, numbers: Mapping[int, int], loaded: Loaded, user: str) -> TaskRow:
    """Return a copy without history; parents and blockers that are copied too are the copies.

    The reminders of other users stay theirs.
    """
    return TaskRow(
        number=numbers[row.number],
        id=new_id(),
        title=row.title,
        status="open",
        priority=row.priority,
        tracked=0,
        rev=0,
        created_at=loaded.now,
        updated_at=loaded.now,
        note=row.note,
        project=row.project,
        due_on=row.due_on,
        due_at=row.due_at,
        parent=numbers.get(row.parent, row.parent) if row.parent else None,
        defer_on=row.defer_on,
        defer_at=row.defer_at,
        scheduled_on=row.scheduled_on,
        scheduled_at=row.scheduled_at,
        assigned_to=row.assigned_to,
        remind=tuple(each for each in row.remind or () if each.user == user) or None,
        tags=row.tags,
        after=_copy_blockers(row.after, numbers),
    )


def _copy_blockers(after: Sequence[int], numbers: Mapping[int, int]) -> tuple[int, ...]:
    return tuple(sorted(numbers.get(number, number) for number in after))


def _follow(row: TaskRow, patch: TaskPatch) -> TaskRow:
    """Return the copy of a subtask of a task that was named: it follows to another project and keeps its other fields."""
    return replace(row, project=patch.columns["project"]) if "project" in patch.columns else row


def _ends_series(original: TaskRow, patch: TaskPatch | None, wanted: Wanted) -> bool:
    """Return whether the request says that the copy of this task does not recur."""
    return patch is not None and patch.repeat is None and original.number in wanted.numbers


def _repeat(copy: TaskRow, repeat: StoredRepeat | None) -> TaskRow:
    """Return the copy as the first occurrence of a series like the original's; without a due date it does not recur."""
    due = date_of(copy, "due")
    if repeat is None or due is None:
        return copy
    new = NewRepeat(rule=repeat.rule, from_done=repeat.from_done, zone=repeat.zone, first=due)
    return start_series(copy, new)

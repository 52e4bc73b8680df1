"""Edit several tasks, each in fields of its own, as one change."""

from __future__ import annotations

from collections import Counter

from todo_cli.contract.edits import EditEachTask, TaskEdit
from todo_cli.contract.tasks import EditTasks
from todo_cli.core.tasks.change import writes
from todo_cli.core.tasks.edit import apply_patch, name_assignee, raise_for_edited_rows
from todo_cli.core.tasks.load import Loaded, Wanted
from todo_cli.core.tasks.select import select_rows
from todo_cli.core.tasks.store import Edits
from todo_cli.core.tasks.task_input import TaskPatch, read_patch
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid

EDITED_FIELDS = tuple(
    name for name in TaskEdit.__struct_fields__ if name not in ("number", "if_rev")
)  # those of EditTasks


async def want_each_edit(tx: Transaction, request: EditEachTask) -> Wanted:
    """Read all tasks, and what the edits newly refer to."""
    edits = request.edits
    wanted = Wanted(
        numbers=tuple(edit.number for edit in edits),
        if_revs={edit.number: edit.if_rev for edit in edits if edit.if_rev},
        user=tx.caller.user_id,
        parents=tuple(dict.fromkeys(edit.parent for edit in edits if edit.parent)),
        blockers=tuple({number for edit in edits for number in (*(edit.after or ()), *(edit.add_after or ()))}),
        sources=tuple(dict.fromkeys(edit.discovered_from for edit in edits if edit.discovered_from)),
    )
    wanted.with_members = any(edit.assigned_to for edit in edits)
    wanted.changes_links = bool(wanted.parents or wanted.blockers or wanted.sources)
    return wanted


@writes(EditEachTask, wanted=want_each_edit)
def edit_each_task(loaded: Loaded, wanted: Wanted, request: EditEachTask) -> Edits:
    """Apply each edit to its task; raises for the first that cannot be applied."""
    _raise_for_repeated_numbers(request)
    patches = {edit.number: _read_edit(edit, loaded, wanted.user) for edit in request.edits}
    rows = [apply_patch(row, patches[row.number]) for row in select_rows(loaded, wanted)]
    raise_for_edited_rows(loaded, wanted, rows, [row for row in rows if patches[row.number].remind])
    return Edits(rows=rows)


def _raise_for_repeated_numbers(request: EditEachTask) -> None:
    number, count = Counter(edit.number for edit in request.edits).most_common(1)[0]
    if count > 1:
        raise Invalid(f"task #{number} has more than one edit; nothing was changed")


def _read_edit(edit: TaskEdit, loaded: Loaded, user: str) -> TaskPatch:
    """Return the edit, checked; raises NotFound for others than members, and Invalid, which names the task."""
    fields = {name: getattr(edit, name) for name in EDITED_FIELDS}
    try:
        patch = read_patch(EditTasks(numbers=(edit.number,), **fields), loaded.clock, user)
    except Invalid as error:
        detail = f"task #{edit.number}: {error.detail}"
        raise Invalid(detail, hint=error.hint, number=edit.number) from error
    return name_assignee(patch, loaded)

"""Delete tasks into the trash, and restore them."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from todo_cli.contract.trash import DeleteTasks, RestoreTasks
from todo_cli.core.tasks.assignees import drop_former_assignees
from todo_cli.core.tasks.change import writes
from todo_cli.core.tasks.load import Loaded, Wanted
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.tasks.select import read_targets, select_rows
from todo_cli.core.tasks.store import Edits
from todo_cli.core.tasks.time_tracking import end_work
from todo_cli.db.transaction import Transaction


@writes(DeleteTasks)
def delete_tasks(loaded: Loaded, wanted: Wanted, request: DeleteTasks) -> Edits:
    """Move tasks to the trash; a task that is there stays as it is."""
    return Edits(rows=[trash(row, loaded.now) for row in select_rows(loaded, wanted, allow_trashed=True)])


async def want_restored(tx: Transaction, request: RestoreTasks) -> Wanted:
    """Read the members, since an assignee may have left."""
    wanted = await read_targets(tx, request)
    wanted.with_members = True
    return wanted


@writes(RestoreTasks, wanted=want_restored)
def restore_tasks(loaded: Loaded, wanted: Wanted, request: RestoreTasks) -> Edits:
    """Take tasks out of the trash, open or done as they were; a task that is not there stays as it is."""
    rows = [_restore(row) for row in select_rows(loaded, wanted, allow_trashed=True)]
    return Edits(rows=drop_former_assignees(rows, loaded))


def trash(row: TaskRow, now: datetime) -> TaskRow:
    """Return the row as it is in the trash."""
    return replace(end_work(row, now), status="deleted")


def _restore(row: TaskRow) -> TaskRow:
    if row.status != "deleted":
        return row
    return replace(row, status="done" if row.completed_at else "open")

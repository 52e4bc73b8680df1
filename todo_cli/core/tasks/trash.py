"""Delete tasks into the trash, and restore them."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from todo_cli.contract.tasks import DeleteTasks, RestoreTasks
from todo_cli.core.tasks.change import writes
from todo_cli.core.tasks.load import Loaded, Wanted
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.tasks.select import select_rows
from todo_cli.core.tasks.store import Edits
from todo_cli.core.tasks.time_tracking import end_work


@writes(DeleteTasks)
def delete_tasks(loaded: Loaded, wanted: Wanted, request: DeleteTasks) -> Edits:
    """Move tasks to the trash; a task that is there stays as it is."""
    return Edits(rows=[trash(row, loaded.now) for row in select_rows(loaded, wanted, allow_trashed=True)])


@writes(RestoreTasks)
def restore_tasks(loaded: Loaded, wanted: Wanted, request: RestoreTasks) -> Edits:
    """Take tasks out of the trash, open or done as they were; a task that is not there stays as it is."""
    return Edits(rows=[_restore(row) for row in select_rows(loaded, wanted, allow_trashed=True)])


def trash(row: TaskRow, now: datetime) -> TaskRow:
    """Return the row as it is in the trash."""
    return replace(end_work(row, now), status="deleted")


def _restore(row: TaskRow) -> TaskRow:
    if row.status != "deleted":
        return row
    return replace(row, status="done" if row.completed_at else "open")

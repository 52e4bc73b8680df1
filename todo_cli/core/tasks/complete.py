"""Complete tasks, and reopen them."""

from __future__ import annotations

from msgspec.structs import replace

from todo_cli.contract.tasks import ReopenTasks
from todo_cli.core.tasks.change import writes
from todo_cli.core.tasks.load import Loaded, Wanted
from todo_cli.core.tasks.select import select_rows
from todo_cli.core.tasks.store import Edits


@writes(ReopenTasks)
def reopen_tasks(loaded: Loaded, wanted: Wanted, request: ReopenTasks) -> Edits:
    """Open done tasks again; an open task stays as it is."""
    return Edits(rows=[replace(row, status="open", completed_at=None) for row in select_rows(loaded, wanted)])

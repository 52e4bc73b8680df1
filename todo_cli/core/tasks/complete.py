"""Complete tasks, which creates the next occurrence of recurring ones, and reopen them."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET
from msgspec.structs import replace

from todo_cli.contract.tasks import CompleteTasks, ReopenTasks
from todo_cli.core.tasks.assignees import drop_former_assignees
from todo_cli.core.tasks.change import writes
from todo_cli.core.tasks.claim import raise_for_lost_claims
from todo_cli.core.tasks.dependencies import raise_for_cycles
from todo_cli.core.tasks.load import Loaded, Wanted
from todo_cli.core.tasks.next_occurrence import create_next, split_next
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.tasks.select import read_targets, select_rows
from todo_cli.core.tasks.store import Edits
from todo_cli.core.tasks.time_tracking import end_work
from todo_cli.core.tasks.trash import trash
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid


async def want_completion(tx: Transaction, request: CompleteTasks) -> Wanted:
    """Read next occurrences, open subtasks, and for `if_claimed` the caller."""
    if request.with_subtasks is True and request.if_claimed is True:
        raise Invalid(
            "--if-claimed and --with-subtasks cannot be used together", hint="subtasks are claimed one by one"
        )
    wanted = await read_targets(tx, request)
    wanted.with_subtasks = request.with_subtasks is True
    wanted.with_series = True
    wanted.with_caller = request.if_claimed is True
    return wanted


@writes(CompleteTasks, wanted=want_completion)
def complete_tasks(loaded: Loaded, wanted: Wanted, request: CompleteTasks) -> Edits:
    """Complete every task, then create the next occurrences. A done task keeps the time of its first completion."""
    rows = select_rows(loaded, wanted)
    if request.if_claimed is True:
        raise_for_lost_claims(rows, loaded)
    created, ended = create_next(rows, loaded)
    done = [complete(row, loaded.now) for row in rows]
    raise_for_cycles(loaded, [row for row in created if row.number < loaded.next_number])
    return Edits(rows=[*done, *created], open_subtasks=loaded.open_subtasks or UNSET, ended=tuple(ended) or UNSET)


def complete(row: TaskRow, now: datetime) -> TaskRow:
    """Return the row as it is when done."""
    return replace(end_work(row, now), status="done", completed_at=row.completed_at or now)


async def want_reopened(tx: Transaction, request: ReopenTasks) -> Wanted:
    """Read the next occurrences, which the completion has created, and the members: an assignee may have left."""
    wanted = await read_targets(tx, request)
    wanted.with_reopened = wanted.with_members = True
    return wanted


@writes(ReopenTasks, wanted=want_reopened)
def reopen_tasks(loaded: Loaded, wanted: Wanted, request: ReopenTasks) -> Edits:
    """Open done tasks again; an open task stays as it is.

    A next occurrence that nobody has touched goes to the trash, as if the task had not been completed.
    """
    rows = select_rows(loaded, wanted)
    untouched, touched = split_next(rows, loaded)
    reopened = drop_former_assignees([replace(row, status="open", completed_at=None) for row in rows], loaded)
    taken_back = [trash(row, loaded.now) for row in untouched]
    return Edits(rows=[*reopened, *taken_back], open_next=tuple(row.number for row in touched) or UNSET)

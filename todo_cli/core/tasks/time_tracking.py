"""Start and stop work on tasks; the time in between is tracked."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET
from msgspec.structs import replace

from todo_cli.contract.time_tracking import StartTasks, StopTasks
from todo_cli.core.tasks.change import writes
from todo_cli.core.tasks.load import Loaded, TaskFilter, Wanted
from todo_cli.core.tasks.load_sql import TargetSql
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.tasks.select import raise_for_done, read_targets, select_rows
from todo_cli.core.tasks.store import Edits
from todo_cli.db.transaction import Transaction
from todo_cli.errors import NotFound

STARTED = TaskFilter(TargetSql("t.started_at IS NOT NULL AND t.status = 'open'"), {}, "is:active")


@writes(StartTasks)
def start_tasks(loaded: Loaded, wanted: Wanted, request: StartTasks) -> Edits:
    """Start work on tasks; work that goes on keeps its beginning. Raises Conflict for a done task."""
    rows = select_rows(loaded, wanted)
    raise_for_done(rows)
    return Edits(rows=[replace(row, started_at=row.started_at or loaded.now) for row in rows])


async def want_stop(tx: Transaction, request: StopTasks) -> Wanted:
    """Without numbers and filter read all started tasks."""
    if not request.numbers and request.filter is UNSET:
        return Wanted(filter=STARTED, if_rev=request.if_rev)
    return await read_targets(tx, request)


@writes(StopTasks, wanted=want_stop)
def stop_tasks(loaded: Loaded, wanted: Wanted, request: StopTasks) -> Edits:
    """Stop work on tasks; a task that was not started stays as it is."""
    if wanted.filter is STARTED:
        if not loaded.found:
            raise NotFound("no task is started", hint="for example: todo start 12")
        loaded.rows.sort(key=lambda row: (row.started_at or loaded.now, row.number))
        return Edits(rows=[stop_clock(row, loaded.now) for row in loaded.rows])
    return Edits(rows=[stop_clock(row, loaded.now) for row in select_rows(loaded, wanted)])


def stop_clock(row: TaskRow, now: datetime) -> TaskRow:
    """Return the row with the time since its start added to the tracked time."""
    spent = max(0, int((now - row.started_at).total_seconds())) if row.started_at else 0
    return replace(row, started_at=None, tracked=row.tracked + spent)


def end_work(row: TaskRow, now: datetime) -> TaskRow:
    """Return the row as nobody works on it any more: its clock is stopped and its claim has ended."""
    return replace(stop_clock(row, now), claimed_by=None, claim_token=None, claimed_until=None)

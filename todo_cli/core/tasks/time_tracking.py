"""The clock of a task."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from todo_cli.contract.codec import decode
from todo_cli.contract.tasks import Changed
from todo_cli.contract.time_tracking import StartTasks, StopTasks
from todo_cli.core.dispatch import handler
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.tasks.update_sql import rewrite
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import NotFound

STARTED = Sql("""SELECT json_agg(number ORDER BY started_at, number)::text FROM (SELECT number, started_at FROM todo.tasks
  WHERE space_id = %(space)s::uuid AND started_at IS NOT NULL AND status = 'open' LIMIT 10000) AS t""")


@handler(StartTasks)
async def start_tasks(tx: Transaction, request: StartTasks) -> Changed:
    """A started one keeps its beginning; raises Conflict for a done one."""
    return await rewrite(tx, request, {"start": True})


@handler(StopTasks)
async def stop_tasks(tx: Transaction, request: StopTasks) -> Changed:
    """One that was not started stays as it is; without numbers two round trips."""
    if not request.numbers and request.filter is UNSET:
        found = decode(await tx.answer(STARTED) or "[]", tuple[int, ...])
        if not found:
            raise NotFound("no task is started", hint="for example: todo start 12")
        request = msgspec.structs.replace(request, numbers=found)
    return await rewrite(tx, request, {"stop": True})


def stop_work(row: TaskRow, now: datetime) -> TaskRow:
    """Return the row as nobody works on it: its clock stops and its claim ends."""
    spent = max(0, int((now - row.started_at).total_seconds())) if row.started_at else 0
    return replace(
        row, started_at=None, tracked=row.tracked + spent, claimed_by=None, claim_token=None, claimed_until=None
    )

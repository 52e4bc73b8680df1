"""The error for one task that does not exist: it names the newest number, which only this error reads."""

from __future__ import annotations

from todo_cli.core.tasks.select import missing_tasks
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import NotFound

NEWEST = Sql("""
SELECT (next_number - 1)::text FROM todo.spaces
WHERE id = %(space)s::uuid AND current_user <> 'todo_limited'""")


async def find_missing_task(tx: Transaction, number: int) -> NotFound:
    """Return the error. A token with limits does not learn how many tasks there are."""
    newest = await tx.finish(NEWEST)
    return missing_tasks([number], None, newest=int(newest) if newest else None)

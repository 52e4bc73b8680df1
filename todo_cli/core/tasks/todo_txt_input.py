"""Make a row of a line of todo.txt."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from msgspec.structs import replace

from todo_cli.contract.tasks import NewTask
from todo_cli.core import validation
from todo_cli.core.tasks.task_input import NewRow, merge_fields, read_new_task
from todo_cli.db.transaction import Transaction
from todo_cli.parsing.todo_txt import TodoTxtLine


async def read_todo_txt(tx: Transaction, task: NewTask, line: TodoTxtLine) -> NewRow:
    """Return the row of a line; a field that was given beside it wins. Raises Invalid."""
    fields = {name: value for name, value in line._asdict().items() if name in NewTask.__struct_fields__ and value}
    new = await read_new_task(tx, merge_fields(task, fields), parse=False)
    row = new.row
    if line.done:
        row = replace(row, status="done", completed_at=await _start_of_day(tx, line.completed))
    return new._replace(row=row, created=await _start_of_day(tx, line.created))


async def _start_of_day(tx: Transaction, day: date | None) -> datetime | None:
    if day is None:
        return None
    from todo_cli.parsing.dates import zone_of

    return datetime.combine(day, time.min, zone_of(await validation.read_zone(tx))).astimezone(UTC)

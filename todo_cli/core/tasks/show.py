"""Show one task."""

from __future__ import annotations

from typing import LiteralString

from msgspec import UNSET

from todo_cli.contract.codec import decode
from todo_cli.contract.limits import MAX_SHOWN_LINKS
from todo_cli.contract.tasks import ShowTask, Task
from todo_cli.core.attachments.attachments_sql import select_attachments
from todo_cli.core.dispatch import handler
from todo_cli.core.tasks.comments import select_newest
from todo_cli.core.tasks.links_sql import select_links
from todo_cli.core.tasks.select import missing_tasks
from todo_cli.core.tasks.task_json_sql import computed_pairs, task_json
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import NotFound

_MORE: LiteralString = f"""{computed_pairs("t")},
    'comments', {select_newest("t")}, 'attachments', {select_attachments("t")}, 'links', {select_links("t")}"""

_STATEMENT: LiteralString = f"""
SELECT {task_json("t", more=_MORE)}::text FROM todo.tasks t
WHERE t.space_id = %(space)s::uuid AND t.number = %(number)s::bigint"""

# A token with limits does not learn how many tasks there are.
_NEWEST: LiteralString = """(
  SELECT (next_number - 1)::text FROM todo.spaces
  WHERE id = %(space)s::uuid AND current_user <> 'todo_limited')"""

SHOW = Sql(f"SELECT coalesce(({_STATEMENT}), {_NEWEST})")


@handler(ShowTask)
async def show_task(tx: Transaction, request: ShowTask) -> Task:
    """Return one task with its note and comments, from the trash too."""
    if request.as_of is not UNSET:
        return await _show_past(tx, request.number, request.as_of)
    text = await tx.finish(SHOW, number=request.number, max_links=MAX_SHOWN_LINKS)
    if text is None or text.isdigit():
        raise missing_tasks([request.number], None, newest=int(text) if text else None)
    return decode(text, Task)


async def _show_past(tx: Transaction, number: int, as_of: str) -> Task:
    from todo_cli.core.history.moments import read_moment
    from todo_cli.core.history.past_sql import look_back, past_values, read_past

    moment = await read_moment(tx, as_of, is_end=True)
    values = {"number": number, "max_links": MAX_SHOWN_LINKS, **past_values(moment)}
    text = read_past(await tx.finish(Sql(look_back(_STATEMENT)), **values), moment)
    if text is None:
        raise NotFound(f"task #{number} did not exist at that time", hint=f"see its history with: todo log {number}")
    return decode(text, Task)

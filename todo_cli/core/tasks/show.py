"""Show one task."""

from __future__ import annotations

from typing import LiteralString

from todo_cli.contract.codec import decode
from todo_cli.contract.limits import MAX_SHOWN_LINKS
from todo_cli.contract.tasks import ShowTask, Task
from todo_cli.core.attachments.attachments_sql import select_attachments
from todo_cli.core.dispatch import handler
from todo_cli.core.tasks.comments import select_newest
from todo_cli.core.tasks.links_sql import select_links
from todo_cli.core.tasks.missing import find_missing_task
from todo_cli.core.tasks.task_json_sql import computed_pairs, task_json
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction

_MORE: LiteralString = f"""{computed_pairs("t")},
    'comments', {select_newest("t")}, 'attachments', {select_attachments("t")}, 'links', {select_links("t")}"""

SHOW = Sql(f"""
SELECT {task_json("t", more=_MORE)}::text
FROM todo.tasks t WHERE t.space_id = %(space)s::uuid AND t.number = %(number)s::bigint""")


@handler(ShowTask)
async def show_task(tx: Transaction, request: ShowTask) -> Task:
    """Return one task with its note and comments, from the trash too."""
    text = await tx.finish(SHOW, number=request.number, max_links=MAX_SHOWN_LINKS)
    if text is None:
        raise await find_missing_task(tx, request.number)
    return decode(text, Task)

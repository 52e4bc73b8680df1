"""Tasks: looking and changing. Every change goes through `rewrite`, so there is one rule for all."""

from __future__ import annotations

from typing import LiteralString

from todo_cli.contract import tasks as ask
from todo_cli.contract.codec import decode
from todo_cli.contract.tasks import Changed, Task
from todo_cli.core.dispatch import handler
from todo_cli.core.tasks import task_input
from todo_cli.core.tasks.comments import comments_of
from todo_cli.core.tasks.snapshot_sql import computed, image, tags_of
from todo_cli.core.tasks.update_sql import rewrite
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import NotFound

ALSO: LiteralString = f"{computed('t')}, 'comments', {comments_of('t')}"

SHOW = Sql(f"""SELECT {image("t", tags_of("t"), build="json_build_object", more=ALSO)}::text
FROM todo.tasks t WHERE t.space_id = %(space)s::uuid AND t.number = %(number)s::bigint""")


@handler(ask.ShowTask)
async def show_task(tx: Transaction, request: ask.ShowTask) -> Task:
    """One task whole, deleted ones too."""
    text = await tx.answer(SHOW, number=request.number)
    if text is None:
        raise NotFound(f"task #{request.number} does not exist")
    return decode(text, Task)


@handler(ask.EditTasks)
async def edit_tasks(tx: Transaction, request: ask.EditTasks) -> Changed:
    """Fields left out stay, null clears."""
    return await rewrite(tx, request, await task_input.patch(tx, request))

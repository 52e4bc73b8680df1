"""Show one task."""

from __future__ import annotations

from typing import LiteralString

from todo_cli.contract.codec import decode
from todo_cli.contract.limits import MAX_SHOWN_LINKS
from todo_cli.contract.tasks import ShowTask, Task
from todo_cli.core.attachments.attachments_sql import select_attachments
from todo_cli.core.dispatch import handler
from todo_cli.core.tasks.comments import select_newest
from todo_cli.core.tasks.task_json_sql import computed_pairs, format_date, task_json
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import NotFound


def _link(task: LiteralString) -> LiteralString:
    return f"""json_build_object('number', {task}.number, 'title', {task}.title, 'status', {task}.status,
      'due', {format_date(task, "due")})"""


_LINKS: LiteralString = f"""json_build_object(
    'parent', (SELECT {_link("p")} FROM todo.tasks p
      WHERE p.space_id = t.space_id AND p.number = t.parent),
    'subtasks', ARRAY(SELECT {_link("s")} FROM todo.tasks s
      WHERE s.space_id = t.space_id AND s.parent = t.number AND s.status IN ('open', 'done')
      ORDER BY s.number LIMIT %(max_links)s::int),
    'blockers', ARRAY(SELECT {_link("b")} FROM todo.links l
        JOIN todo.tasks b ON b.space_id = l.space_id AND b.number = l.after
      WHERE l.space_id = t.space_id AND l.number = t.number ORDER BY b.number),
    'blocked', ARRAY(SELECT {_link("w")} FROM todo.links l
        JOIN todo.tasks w ON w.space_id = l.space_id AND w.number = l.number
      WHERE l.space_id = t.space_id AND l.after = t.number AND w.status = 'open'
      ORDER BY w.number LIMIT %(max_links)s::int))"""

_MORE: LiteralString = f"""{computed_pairs("t")},
    'comments', {select_newest("t")}, 'attachments', {select_attachments("t")}, 'links', {_LINKS}"""

SHOW = Sql(f"""
SELECT {task_json("t", more=_MORE)}::text
FROM todo.tasks t WHERE t.space_id = %(space)s::uuid AND t.number = %(number)s::bigint""")


@handler(ShowTask)
async def show_task(tx: Transaction, request: ShowTask) -> Task:
    """Return one task with its note and comments, from the trash too."""
    text = await tx.finish(SHOW, number=request.number, max_links=MAX_SHOWN_LINKS)
    if text is None:
        raise NotFound(f"task #{request.number} does not exist", hint="list tasks with: todo list")
    return decode(text, Task)

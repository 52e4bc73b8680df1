"""Comments: added to a task, changed and removed only by whoever wrote them. Their task's rev stays as it is."""

from __future__ import annotations

from typing import LiteralString

from msgspec import Struct

from todo_cli.contract import comments as ask
from todo_cli.contract.codec import decode
from todo_cli.contract.comments import CommentPage
from todo_cli.contract.task_types import Comment
from todo_cli.core import validation
from todo_cli.core.dispatch import handler
from todo_cli.core.journal import journaled, write
from todo_cli.core.json_sql import instant
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import NotFound

SHOWN = 100  # of a task that is shown whole, the newest


def _image(comment: LiteralString) -> LiteralString:
    return f"""jsonb_build_object('id', {comment}.id,
  'user', coalesce((SELECT u.name FROM todo.space_members() u WHERE u.id = {comment}.user_id), {comment}.user_id::text),
  'at', {instant(f"{comment}.at")}, 'edited_at', {instant(f"{comment}.edited_at")}, 'text', {comment}.text)"""


def comments_of(task: LiteralString) -> LiteralString:
    """A task's newest comments, the oldest of them first, as JSON for `Task.comments`."""
    return f"""coalesce((SELECT jsonb_agg({_image("c")} ORDER BY c.id) FROM (SELECT * FROM todo.comments c
      WHERE c.space_id = {task}.space_id AND c.number = {task}.number ORDER BY c.id DESC LIMIT {SHOWN}) AS c), '[]')"""


ADD = journaled(f"""INSERT INTO todo.comments AS c (space_id, number, id, text)
  SELECT %(space)s::uuid, t.number, %(id)s::uuid, %(text)s FROM todo.tasks t
   WHERE t.space_id = %(space)s::uuid AND t.number = %(number)s::bigint AND NOT EXISTS (SELECT FROM known)
  RETURNING {_image("c")} AS answer""")

EDIT = journaled(f"""UPDATE todo.comments c SET text = %(text)s, edited_at = clock_timestamp()
  WHERE c.space_id = %(space)s::uuid AND c.number = %(number)s::bigint AND c.id = %(id)s::uuid
    AND c.user_id = %(me)s::uuid AND NOT EXISTS (SELECT FROM known) RETURNING {_image("c")} AS answer""")

REMOVE = journaled(f"""SELECT {_image("c")} || '{{"removed": true}}' AS answer
  FROM todo.delete_comment(%(number)s::bigint, CASE WHEN NOT EXISTS (SELECT FROM known) THEN %(id)s::uuid END) c""")

LIST = Sql(f"""SELECT json_build_object('known', EXISTS (SELECT FROM todo.tasks t
     WHERE t.space_id = %(space)s::uuid AND t.number = %(number)s::bigint),
  'comments', coalesce((SELECT json_agg({_image("c")} ORDER BY c.id) FROM (SELECT * FROM todo.comments c
     WHERE c.space_id = %(space)s::uuid AND c.number = %(number)s::bigint
       AND c.id > coalesce(%(after)s::uuid, '00000000-0000-0000-0000-000000000000')
     ORDER BY c.id LIMIT %(limit)s::int) AS c), '[]'))::text""")


class _Found(Struct):
    known: bool
    comments: tuple[Comment, ...]


@handler(ask.AddComment)
async def add_comment(tx: Transaction, request: ask.AddComment) -> Comment:
    """Raises NotFound for a task that is not there, Conflict for an id that is taken."""
    text = validation.storable("comment", validation.unblank("comment", request.text))
    return await write(
        tx, ADD, request, f"task #{request.number} does not exist", number=request.number, id=request.id, text=text
    )


@handler(ask.ListComments)
async def list_comments(tx: Transaction, request: ask.ListComments) -> CommentPage:
    """The oldest first; raises NotFound for a task that is not there."""
    text = await tx.finish(LIST, number=request.number, after=request.after, limit=request.limit + 1)
    found = decode(text or "", _Found)
    if not found.known:
        raise NotFound(f"task #{request.number} does not exist")
    page = found.comments[: request.limit]
    return CommentPage(comments=page, next=page[-1].id if len(found.comments) > request.limit else None)


@handler(ask.EditComment)
async def edit_comment(tx: Transaction, request: ask.EditComment) -> Comment:
    """Raises NotFound where there is none, or it is somebody else's."""
    text = validation.storable("comment", validation.unblank("comment", request.text))
    return await write(tx, EDIT, request, _missing(request.number), number=request.number, id=request.id, text=text)


@handler(ask.RemoveComment)
async def remove_comment(tx: Transaction, request: ask.RemoveComment) -> Comment:
    """Raises NotFound where there is none, or it is somebody else's."""
    return await write(tx, REMOVE, request, _missing(request.number), number=request.number, id=request.id)


def _missing(number: int) -> NotFound:
    return NotFound(f"task #{number} has no such comment of yours", hint=f"see them with: todo comment {number}")

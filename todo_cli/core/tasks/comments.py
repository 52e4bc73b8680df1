"""Comments on tasks. Only their author may edit and remove them. The rev of the task stays as it is."""

from __future__ import annotations

from typing import LiteralString

from msgspec import Struct

from todo_cli.contract import comments as ask
from todo_cli.contract.codec import decode
from todo_cli.contract.comments import CommentPage
from todo_cli.contract.task_types import Comment
from todo_cli.core import validation
from todo_cli.core.dispatch import handler
from todo_cli.core.journal import build_journaled, run_journaled
from todo_cli.core.json_sql import format_instant
from todo_cli.core.tasks.select import missing_tasks
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import NotFound

COMMENTS_SHOWN_WITH_TASK = 100  # the newest


def member_name(comment: LiteralString) -> LiteralString:
    """Return SQL for the name of the user who stored a comment."""
    return f"""coalesce(
      (SELECT p.name FROM todo.space_members() p WHERE p.id = {comment}.user_id),
      {comment}.user_id::text)"""


def _comment_json(comment: LiteralString) -> LiteralString:
    name = member_name(comment)
    return f"""(jsonb_build_object(
    'id', {comment}.id,
    'user', coalesce({comment}.imported ->> 'by', {name}),
    'at', coalesce({comment}.imported ->> 'at', {format_instant(f"{comment}.at")}),
    'edited_at', {format_instant(f"{comment}.edited_at")},
    'text', {comment}.text)
    || CASE WHEN {comment}.imported IS NULL THEN '{{}}'
       ELSE jsonb_build_object('imported_by', {name}) END)"""


def select_newest(task: LiteralString) -> LiteralString:
    """Return a subquery with the newest comments of the row `task`, in the order in which they were written."""
    return f"""coalesce((
    SELECT jsonb_agg({_comment_json("c")} ORDER BY c.id)
    FROM (SELECT * FROM todo.comments c
      WHERE c.space_id = {task}.space_id AND c.number = {task}.number
      ORDER BY c.id DESC LIMIT {COMMENTS_SHOWN_WITH_TASK}) AS c), '[]')"""


_MAY_WRITE: LiteralString = """CASE WHEN EXISTS (SELECT FROM known) THEN false
      ELSE todo.check_fence(%(number)s::bigint, %(fences)s::bigint[]) END"""
"""Whether the change is new. Raises a conflict where the caller has lost its claim of the task."""

ADD = build_journaled(f"""
  INSERT INTO todo.comments AS c (space_id, number, id, text)
  SELECT %(space)s::uuid, t.number, %(id)s::uuid, %(text)s FROM todo.tasks t
  WHERE t.space_id = %(space)s::uuid AND t.number = %(number)s::bigint
    AND {_MAY_WRITE}
  RETURNING {_comment_json("c")} AS answer""")

EDIT = build_journaled(f"""
  UPDATE todo.comments c SET text = %(text)s, edited_at = clock_timestamp()
  WHERE c.space_id = %(space)s::uuid AND c.number = %(number)s::bigint AND c.id = %(id)s::uuid
    AND c.user_id = %(me)s::uuid AND {_MAY_WRITE}
  RETURNING {_comment_json("c")} AS answer""")

REMOVE = build_journaled(f"""
  SELECT {_comment_json("c")} || '{{"removed": true}}' AS answer
  FROM todo.delete_comment(
    %(number)s::bigint, CASE WHEN {_MAY_WRITE} THEN %(id)s::uuid END) c""")

LIST = Sql(f"""
SELECT json_build_object(
  'task_exists', EXISTS (SELECT FROM todo.tasks t
    WHERE t.space_id = %(space)s::uuid AND t.number = %(number)s::bigint),
  'comments', coalesce((
    SELECT json_agg({_comment_json("c")} ORDER BY c.id)
    FROM (SELECT * FROM todo.comments c
      WHERE c.space_id = %(space)s::uuid AND c.number = %(number)s::bigint
        AND c.id > coalesce(%(after)s::uuid, '00000000-0000-0000-0000-000000000000')
      ORDER BY c.id LIMIT %(limit)s::int) AS c), '[]'))::text""")


class _FoundComments(Struct):
    task_exists: bool
    comments: tuple[Comment, ...]


@handler(ask.AddComment)
async def add_comment(tx: Transaction, request: ask.AddComment) -> Comment:
    """Add a comment; raises NotFound for a task that does not exist and Conflict for an id that is in use."""
    text = validation.check_text("comment", validation.check_not_blank("comment", request.text))
    return await run_journaled(
        tx, ADD, request, f"task #{request.number} does not exist", number=request.number, id=request.id, text=text
    )


@handler(ask.ListComments)
async def list_comments(tx: Transaction, request: ask.ListComments) -> CommentPage:
    """Return a page of comments, the oldest first; raises NotFound for a task that does not exist."""
    text = await tx.finish(LIST, number=request.number, after=request.after, limit=request.limit + 1)
    found = decode(text or "", _FoundComments)
    if not found.task_exists:
        raise missing_tasks([request.number], None)
    page = found.comments[: request.limit]
    return CommentPage(comments=page, next=page[-1].id if len(found.comments) > request.limit else None)


@handler(ask.EditComment)
async def edit_comment(tx: Transaction, request: ask.EditComment) -> Comment:
    """Replace the text; raises NotFound where there is no such comment of the caller."""
    text = validation.check_text("comment", validation.check_not_blank("comment", request.text))
    return await run_journaled(
        tx, EDIT, request, _missing(request.number), number=request.number, id=request.id, text=text
    )


@handler(ask.RemoveComment)
async def remove_comment(tx: Transaction, request: ask.RemoveComment) -> Comment:
    """Remove a comment; raises NotFound where there is no such comment of the caller."""
    return await run_journaled(tx, REMOVE, request, _missing(request.number), number=request.number, id=request.id)


def _missing(number: int) -> NotFound:
    return NotFound(f"task #{number} has no such comment of yours", hint=f"list comments with: todo comment {number}")

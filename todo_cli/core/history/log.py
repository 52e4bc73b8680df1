"""Read the journal: who changed what, and when."""

from __future__ import annotations

from typing import LiteralString

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.journal import ChangePage, ListChanges
from todo_cli.contract.limits import MAX_FULL_TASKS
from todo_cli.core.dispatch import handler
from todo_cli.core.history.logged_changes import CHANGE_JOINS, CHANGE_JSON, LoggedChange
from todo_cli.core.tasks.select import missing_tasks
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction

_OF_TASK: LiteralString = "'$[*] ? (@.number == $number)', jsonb_build_object('number', %(number)s::bigint)"

_PREVIOUS_REV: LiteralString = """jsonb_path_query_first(
      h.before, '$[*] ? (@.number == $number).rev ? (@ >= 1 && @ < 9223372036854775807)',
      jsonb_build_object('number', %(number)s::bigint))::bigint"""


def _shown_tasks(column: LiteralString) -> LiteralString:
    """Return the rows of a change that are shown: of one task its own, else the first ten."""
    return f"""CASE WHEN %(number)s::bigint IS NULL
      THEN jsonb_path_query_array({column}, '$[0 to 9]')
      ELSE jsonb_path_query_array({column}, {_OF_TASK}) END"""


LIST = Sql(f"""
WITH RECURSIVE history AS (
  SELECT c.* FROM todo.changes c
  WHERE %(number)s::bigint IS NOT NULL AND c.space_id = %(space)s::uuid
    AND c.seq = (SELECT rev FROM todo.tasks
      WHERE space_id = %(space)s::uuid AND number = %(number)s::bigint)
  UNION ALL
  SELECT c.* FROM history h
    JOIN todo.changes c
      ON c.space_id = %(space)s::uuid AND c.seq = {_PREVIOUS_REV} AND c.seq < h.seq),
page AS (
  (SELECT * FROM history
    WHERE seq < coalesce(%(before)s::bigint, 9223372036854775807) LIMIT %(limit)s::int)
  UNION ALL
  (SELECT * FROM todo.changes
    WHERE %(number)s::bigint IS NULL AND space_id = %(space)s::uuid
      AND seq < coalesce(%(before)s::bigint, 9223372036854775807)
    ORDER BY seq DESC LIMIT %(limit)s::int))
SELECT json_build_object(
  'task_exists', %(number)s::bigint IS NULL OR EXISTS (
    SELECT FROM todo.tasks WHERE space_id = %(space)s::uuid AND number = %(number)s::bigint),
  'rows', coalesce(json_agg({CHANGE_JSON}
    ORDER BY c.seq DESC), '[]'))::text
FROM page c
  CROSS JOIN LATERAL (
    SELECT {_shown_tasks("c.before")} AS before, {_shown_tasks("c.after")} AS after) AS shown
  {CHANGE_JOINS}""")


class _FoundChanges(msgspec.Struct):
    task_exists: bool
    rows: list[LoggedChange]


@handler(ListChanges)
async def list_changes(tx: Transaction, request: ListChanges) -> ChangePage:
    """Return a page of changes, the newest first.

    The changes of one task are found by following the rev in each change's row before it.
    """
    text = await tx.finish(LIST, number=request.number, before=request.before, limit=request.limit + 1)
    found = decode(text or "", _FoundChanges)
    if not found.task_exists:
        raise missing_tasks([request.number or 0], None)
    rows = found.rows[: request.limit]
    has_more = len(found.rows) > request.limit
    is_brief = request.number is None or request.limit > MAX_FULL_TASKS
    changes = tuple(row.to_change(is_brief=is_brief) for row in rows)
    return ChangePage(changes=changes, next=rows[-1].seq if has_more else None)

"""Read the changes behind a cursor, for processes that follow a space.

A change gets its number under the lock of the space's row, which is held until it commits: whoever sees a change sees
every earlier one, so that a cursor never passes a change that commits later.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, LiteralString, NamedTuple

import msgspec

from todo_cli.contract.change_feed import MAX_REMINDERS, ChangeBatch, FollowChanges, SentReminder
from todo_cli.contract.codec import decode
from todo_cli.core.dispatch import handler
from todo_cli.core.filters.filter_query import compile_filter, parse_with_views
from todo_cli.core.history.logged_changes import CHANGE_JOINS, CHANGE_JSON, LoggedChange
from todo_cli.core.json_sql import format_instant
from todo_cli.core.tasks.rows import COLUMNS, list_columns
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Conflict, Invalid

_ROWS: LiteralString = "'$[*] ? (@.number >= 1 && @.number < 9223372036854775807)'"
_STORED = tuple(name for name in COLUMNS if name != "note")


class _FoundBatch(msgspec.Struct):
    newest: int
    last: int | None
    has_more: bool
    rows: list[LoggedChange]
    reminders: tuple[SentReminder, ...]


class _Match(NamedTuple):
    """The conditions for changes `c` and for tasks `t` of a batch, and their parameters."""

    change: LiteralString
    task: LiteralString
    values: dict[str, Any]


@handler(FollowChanges)
async def follow_changes(tx: Transaction, request: FollowChanges) -> ChangeBatch:
    """Return the next changes; raises Conflict for a cursor behind the newest change."""
    match = await _compile_match(tx, request.filter) if request.filter else _Match("true", "true", {})
    sql = _build_statement(match.change, match.task)
    own = {"after": request.after, "limit": request.limit, "reminded_since": request.reminded_since}
    text = await tx.finish(sql, **own, max_reminders=MAX_REMINDERS, **match.values)
    found = decode(text or "", _FoundBatch)
    if request.after is not None and request.after > found.newest:
        raise Conflict(
            f"the cursor {request.after} is behind the newest change, which is {found.newest}",
            hint="the database may be an older copy; begin again without a cursor",
        )
    changes = tuple(row.to_change(is_brief=True) for row in found.rows)
    cursor = found.last if found.has_more and found.last else found.newest
    return ChangeBatch(changes=changes, reminders=found.reminders, cursor=cursor, more=found.has_more)


async def _compile_match(tx: Transaction, filter: str) -> _Match:
    """Return the condition for changes of tasks that match before or after; raises Invalid, NotFound or Conflict."""
    try:
        parsed = await parse_with_views(tx, filter)
        compiled = await compile_filter(tx, parsed.node, status=None)
    except Invalid as error:
        if "position" in error.extra:
            error.extra["filter"] = filter  # a terminal points at the place
        raise
    return _Match(_match_change(compiled.where), compiled.where, compiled.values)


def _match_change(where: LiteralString) -> LiteralString:
    """Return the condition over the change `c`: the filter matches a row of it, or the task that it comments on.

    Rows take the place of tasks with their tags. What the filter asks of other tasks, comments and words, it asks of
    the tasks of now.
    """
    match_row: LiteralString = where.replace("todo.task_tags", "row_tags")
    return f"""(EXISTS (
      SELECT FROM (VALUES (c.before), (c.after)) AS side (rows)
      WHERE EXISTS (
        WITH rows AS MATERIALIZED (
          SELECT {list_columns(_STORED, "p.")}, p.space_id, r -> 'tags' AS tags,
            coalesce(p.due_at,
              timezone('UTC', p.due_on + interval '1 day' - interval '1 second'),
              'infinity') AS due_sort,
            CASE jsonb_typeof(r -> 'note') WHEN 'string' THEN r ->> 'note'
              WHEN 'object' THEN coalesce(c.texts ->> (r #>> '{{note,sha256}}'), (
                SELECT n.note FROM todo.tasks n
                WHERE n.space_id = %(space)s::uuid AND n.number = p.number)) END AS note
          FROM jsonb_path_query(side.rows, {_ROWS}) AS r
            CROSS JOIN LATERAL jsonb_populate_record(
              NULL::todo.tasks,
              r - 'note' || jsonb_build_object('space_id', %(space)s::uuid)) AS p),
        row_tags AS (
          SELECT w.space_id, w.number, tag
          FROM rows w, jsonb_array_elements_text(w.tags) AS tag)
        SELECT FROM rows t WHERE {match_row}))
    OR c.verb LIKE '%Comment' AND EXISTS (
      SELECT FROM todo.tasks t
      WHERE t.space_id = %(space)s::uuid
        AND t.number = substring(c.request ->> 'number' FROM '^[0-9]{{1,18}}$')::bigint
        AND {where}))"""


@lru_cache(256)
def _build_statement(match_change: LiteralString, match_task: LiteralString) -> Sql:
    return Sql(f"""
WITH scanned AS MATERIALIZED (
  SELECT * FROM todo.changes
  WHERE space_id = %(space)s::uuid AND seq > %(after)s::bigint
  ORDER BY seq LIMIT %(limit)s::int + 1),
page AS MATERIALIZED (SELECT * FROM scanned ORDER BY seq LIMIT %(limit)s::int)
SELECT json_build_object(
  'newest', (SELECT seq FROM todo.spaces WHERE id = %(space)s::uuid),
  'last', (SELECT max(seq) FROM page),
  'has_more', (SELECT count(*) FROM scanned) > %(limit)s::int,
  'rows', (
    SELECT coalesce(json_agg({CHANGE_JSON} ORDER BY c.seq), '[]')
    FROM page c
      CROSS JOIN LATERAL (
        SELECT jsonb_path_query_array(c.before, '$[0 to 9]') AS before,
          jsonb_path_query_array(c.after, '$[0 to 9]') AS after) AS shown
      {CHANGE_JOINS}
    WHERE {match_change}),
  'reminders', (
    SELECT coalesce(json_agg(r.reminder ORDER BY r.updated_at), '[]')
    FROM (
      SELECT d.updated_at, json_build_object(
          'id', d.id, 'number', d.number, 'title', t.title,
          'due', coalesce(t.due_on::text, {format_instant("t.due_at")}),
          'moment', {format_instant("d.moment")},
          'at', {format_instant("d.updated_at")}) AS reminder
      FROM todo.deliveries d
        JOIN todo.tasks t ON t.space_id = d.space_id AND t.number = d.number
      WHERE d.space_id = %(space)s::uuid AND d.user_id = %(me)s::uuid
        AND d.updated_at >= %(reminded_since)s::timestamptz
        AND d.kind = 'reminder' AND d.channel = '' AND {match_task}
      ORDER BY d.updated_at DESC LIMIT %(max_reminders)s::int) AS r))::text""")

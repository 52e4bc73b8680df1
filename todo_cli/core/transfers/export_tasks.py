"""Export tasks: whole tasks with their comments, references and sources, page by page after a cursor."""

from __future__ import annotations

from functools import lru_cache
from typing import LiteralString

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.exports import ExportedTask, ExportPage, ExportTasks
from todo_cli.contract.limits import MAX_EXPORTED_BYTES
from todo_cli.core.dispatch import handler
from todo_cli.core.filters.filter_query import compile_filter, parse_with_views
from todo_cli.core.filters.sorting import Order
from todo_cli.core.tasks.comments import member_name
from todo_cli.core.tasks.task_json_sql import format_date
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.parsing.filter_ast import make_and

OWN_FORMAT = "jsonl"


class _ExportedRow(msgspec.Struct):
    key: list[str | None]
    task: ExportedTask


class _FoundTasks(msgspec.Struct):
    seq: int
    has_more: bool
    rows: list[_ExportedRow]


@handler(ExportTasks)
async def export_tasks(tx: Transaction, request: ExportTasks) -> ExportPage:
    """Return a page of tasks. A page ends early where its notes and comments are long."""
    order = Order("project,created" if request.by_project else "created")
    parsed = await parse_with_views(tx, request.filter or "")
    status = None if request.status == "all" else request.status
    compiled = await compile_filter(tx, make_and([parsed.node]), status=status, deferred=True)
    after, cursor_values = order.continue_after(request.cursor) if request.cursor else ("", {})
    text = await tx.finish(
        _build_statement(order, " AND ".join(filter(None, ["t.space_id = %(space)s::uuid", after, compiled.where]))),
        limit=request.limit + 1,
        max_bytes=MAX_EXPORTED_BYTES,
        format=request.format,
        own_format=OWN_FORMAT,
        **compiled.values,
        **cursor_values,
    )
    found = decode(text or "", _FoundTasks)
    rows = found.rows[: request.limit]
    has_more = found.has_more or len(rows) < len(found.rows)
    return ExportPage(
        tasks=tuple(row.task for row in rows),
        seq=found.seq,
        next=order.make_cursor(rows[-1].key) if rows and has_more else None,
    )


def _instant(column: LiteralString) -> LiteralString:
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""


_SOURCE_ID: LiteralString = """CASE WHEN s.kept_format = %(format)s THEN s.kept_id
      WHEN s.format = %(format)s THEN s.source_id END"""

_REFERENCE: LiteralString = f"""json_build_object('number', r.number, 'id', r.id,
      'source_id', {_SOURCE_ID},
      'kept_id', CASE WHEN s.kept_format = %(format)s THEN s.kept ->> 'id' END)"""

_SOURCES_OF: LiteralString = """LEFT JOIN todo.task_sources s
        ON s.space_id = %(space)s::uuid AND s.number = r.number"""

_COMMENTS: LiteralString = f"""coalesce((
      SELECT json_agg(json_build_object('text', c.text,
        'at', coalesce(to_char((c.imported ->> 'at')::timestamptz AT TIME ZONE 'UTC',
            'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
          CASE WHEN c.imported IS NULL THEN {_instant("c.at")} END),
        'by', coalesce(c.imported ->> 'by',
          CASE WHEN c.imported IS NULL THEN {member_name("c")} END)) ORDER BY c.id)
      FROM todo.comments c
      WHERE c.space_id = %(space)s::uuid AND c.number = t.number), '[]')"""

_OWN_FIELDS: LiteralString = """CASE WHEN %(format)s = %(own_format)s THEN jsonb_build_object(
      'repeat', t.repeat, 'moved', (t.position - t.number)::text,
      'remind', coalesce((
        SELECT jsonb_agg(each) FROM jsonb_array_elements(t.remind) AS each
        WHERE each ->> 'user' = %(me)s), '[]'),
      'source', CASE WHEN s.kept_format <> %(own_format)s THEN jsonb_build_object(
        'format', s.kept_format, 'id', s.kept_id, 'kept', s.kept, 'series', s.series,
        'left_out', coalesce(s.left_out, '{}')) END)
    ELSE '{}' END"""

_TASK: LiteralString = f"""jsonb_build_object(
    'number', t.number, 'id', t.id, 'title', t.title, 'note', t.note, 'status', t.status,
    'due', {format_date("t", "due")}, 'scheduled', {format_date("t", "scheduled")},
    'defer', {format_date("t", "defer")}, 'priority', nullif(t.priority, 4),
    'project', t.project,
    'tags', ARRAY(SELECT g.tag FROM todo.task_tags g
      WHERE g.space_id = %(space)s::uuid AND g.number = t.number ORDER BY g.tag),
    'parent', (SELECT {_REFERENCE} FROM todo.tasks r {_SOURCES_OF}
      WHERE r.space_id = %(space)s::uuid AND r.number = t.parent),
    'after', coalesce((SELECT json_agg({_REFERENCE} ORDER BY r.number) FROM todo.links l
        JOIN todo.tasks r ON r.space_id = %(space)s::uuid AND r.number = l.after {_SOURCES_OF}
      WHERE l.space_id = %(space)s::uuid AND l.number = t.number), '[]'),
    'has_subtasks', EXISTS (SELECT FROM todo.tasks r
      WHERE r.space_id = %(space)s::uuid AND r.parent = t.number),
    'every', CASE WHEN t.repeat IS NOT NULL THEN
      jsonb_build_object('rule', t.repeat ->> 'rule', 'from_done', t.repeat -> 'from_done') END,
    'series', CASE WHEN t.series IS NOT NULL THEN
      jsonb_build_object('id', t.series, 'occurrence', t.occurrence) END,
    'source_series', s.series, 'started_at', {_instant("t.started_at")}, 'tracked', t.tracked,
    'assigned_to', t.assigned_to,
    'created_at', CASE WHEN s.has_created_at IS NOT FALSE THEN {_instant("t.created_at")} END,
    'updated_at', {_instant("t.updated_at")}, 'completed_at', {_instant("t.completed_at")},
    'deleted_at', {_instant("t.deleted_at")}, 'comments', {_COMMENTS},
    'attachments', coalesce(jsonb_array_length(t.attachments), 0),
    'source_id', {_SOURCE_ID},
    'kept', CASE WHEN s.kept_format = %(format)s THEN s.kept ELSE '{{}}' END,
    'left_out', CASE WHEN s.kept_format = %(format)s THEN coalesce(s.left_out, '{{}}')
      ELSE '{{}}' END) || {_OWN_FIELDS}"""


def _build_statement(order: Order, conditions: LiteralString) -> Sql:
    return _cached_statement(f"""
WITH found AS MATERIALIZED (
  SELECT t.*, {order.columns()}, row_number() OVER (ORDER BY {order.order_by()}) AS place,
    octet_length(coalesce(t.note, '')) + coalesce((
      SELECT sum(octet_length(c.text)) FROM todo.comments c
      WHERE c.space_id = t.space_id AND c.number = t.number), 0) AS bytes
  FROM todo.tasks t WHERE {conditions} ORDER BY {order.order_by()} LIMIT %(limit)s::int),
sized AS (SELECT found.*, sum(bytes) OVER (ORDER BY place) AS total FROM found),
page AS MATERIALIZED (SELECT * FROM sized WHERE place = 1 OR total <= %(max_bytes)s::bigint)
SELECT json_build_object(
  'seq', (SELECT seq FROM todo.spaces WHERE id = %(space)s::uuid),
  'has_more', (SELECT count(*) FROM found) > (SELECT count(*) FROM page),
  'rows', coalesce((
    SELECT json_agg(json_build_object('key', {order.keys_json("t")}, 'task', {_TASK})
      ORDER BY t.place)
    FROM page t LEFT JOIN todo.task_sources s
      ON s.space_id = %(space)s::uuid AND s.number = t.number), '[]'))::text""")


@lru_cache(64)
def _cached_statement(text: LiteralString) -> Sql:
    return Sql(text)

"""Run a statement over tasks as they were at a moment: undo what the journal has since then, and read the result.

The statement names the tables of today. `look_back` puts relations of the same columns in their place, so that any
filter, order and link is evaluated on the past. The work grows with the changes since the moment, up to a bound, and not
with the journal before it.

A token with limits does not see every change. For it a task is there only if its rows of that time can be known: it is
in reach today, and the token sees each of its changes since.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, LiteralString

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.limits import MAX_CHANGES_BACK
from todo_cli.core.tasks.rows import COLUMNS, list_columns
from todo_cli.errors import Invalid

_ROWS: LiteralString = "'$[*] ? (@.number >= 1 && @.number < 9223372036854775807)'"
_STORED = tuple(name for name in COLUMNS if name != "note")


def cut_at(moment: LiteralString) -> LiteralString:
    """Return the query of the last change up to a moment: 0 before the first one, null beyond the bound of changes."""
    return f"""
  SELECT coalesce(
    (SELECT c.seq FROM todo.changes c
      WHERE c.space_id = s.id AND c.seq > s.seq - %(max_changes)s::bigint
        AND c.at <= {moment}
      ORDER BY c.seq DESC LIMIT 1),
    CASE WHEN s.seq <= %(max_changes)s::bigint THEN 0 END) AS seq
  FROM todo.spaces s WHERE s.id = %(space)s::uuid"""


TOUCHED: LiteralString = f"""
snapshots AS MATERIALIZED (
  SELECT s.seq, (r -> 'number')::bigint AS number, r AS row, true AS is_former
  FROM since s, jsonb_path_query(s.before, {_ROWS}) AS r
  UNION ALL
  SELECT s.seq, (r -> 'number')::bigint, r, false
  FROM since s, jsonb_path_query(s.after, {_ROWS}) AS r),
touched AS MATERIALIZED (
  SELECT DISTINCT ON (number) number, CASE WHEN is_former THEN row END AS row
  FROM snapshots ORDER BY number, seq, is_former DESC)"""
"""The tasks of the changes `since`, each with its row before the first of them, null where that added it."""

# Two bounds, since the planner would expect a third of the journal behind a single one, and read all of it.
_REBUILD: LiteralString = f"""
cut AS MATERIALIZED ({cut_at("%(moment)s::timestamptz")}),
since AS MATERIALIZED (
  SELECT c.seq, c.before, c.after, c.texts FROM todo.changes c
  WHERE c.space_id = %(space)s::uuid AND c.seq > (SELECT seq FROM cut)
    AND c.seq <= (SELECT s.seq FROM todo.spaces s WHERE s.id = %(space)s::uuid)),
{TOUCHED},
latest AS (
  SELECT DISTINCT ON (number) number, row #>> '{{note,sha256}}' AS digest
  FROM snapshots WHERE NOT is_former ORDER BY number, seq DESC),
long_notes AS MATERIALIZED (
  SELECT DISTINCT ON (e.key) e.key AS digest, e.value #>> '{{}}' AS note
  FROM since s, jsonb_each(s.texts) AS e ORDER BY e.key),
rebuilt AS MATERIALIZED (
  SELECT p.*, touched.row -> 'tags' AS tags, touched.row -> 'after' AS blockers,
    CASE WHEN jsonb_typeof(touched.row -> 'note') = 'string' THEN touched.row ->> 'note'
      WHEN touched.row -> 'note' IS NOT NULL THEN coalesce(
        (SELECT n.note FROM long_notes n WHERE n.digest = touched.row #>> '{{note,sha256}}'),
        (SELECT t.note FROM todo.tasks t
          JOIN latest l ON l.number = t.number AND l.digest = touched.row #>> '{{note,sha256}}'
          WHERE t.space_id = %(space)s::uuid AND t.number = touched.number),
        '(a long text)') END AS former_note
  FROM touched CROSS JOIN LATERAL jsonb_populate_record(
    NULL::todo.tasks, touched.row - 'note' || jsonb_build_object('space_id', %(space)s::uuid)) AS p
  WHERE touched.row IS NOT NULL
    AND (current_user <> 'todo_limited' OR (
      p.updated_at <= %(moment)s::timestamptz AND EXISTS (
        SELECT FROM todo.tasks t
        WHERE t.space_id = %(space)s::uuid AND t.number = touched.number))))"""

_RELATIONS: LiteralString = f"""
past_tasks AS NOT MATERIALIZED (
  SELECT t.space_id, {list_columns(_STORED, "t.")}, t.note, t.due_sort, t.title_key, t.project_key
  FROM todo.tasks t
  WHERE t.space_id = %(space)s::uuid AND t.number NOT IN (SELECT number FROM touched)
    AND (current_user <> 'todo_limited' OR t.updated_at <= %(moment)s::timestamptz)
  UNION ALL
  SELECT r.space_id, {list_columns(_STORED, "r.")}, r.former_note,
    coalesce(
      r.due_at, timezone('UTC', r.due_on + interval '1 day' - interval '1 second'), 'infinity'),
    todo.sort_key(r.title), todo.sort_key(r.project) || chr(1) || left(r.project, 100)
  FROM rebuilt r),
past_task_tags AS NOT MATERIALIZED (
  SELECT g.space_id, g.number, g.tag FROM todo.task_tags g
  WHERE g.space_id = %(space)s::uuid AND g.number NOT IN (SELECT number FROM touched)
  UNION ALL
  SELECT r.space_id, r.number, tag FROM rebuilt r, jsonb_array_elements_text(r.tags) AS tag),
past_links AS NOT MATERIALIZED (
  SELECT l.space_id, l.number, l.after FROM todo.links l
  WHERE l.space_id = %(space)s::uuid AND l.number NOT IN (SELECT number FROM touched)
  UNION ALL
  SELECT r.space_id, r.number, blocker::bigint
  FROM rebuilt r, jsonb_array_elements(r.blockers) AS blocker),
past_comments AS NOT MATERIALIZED (
  SELECT c.* FROM todo.comments c
  WHERE c.space_id = %(space)s::uuid AND c.at <= %(moment)s::timestamptz)"""


class _PastAnswer(msgspec.Struct):
    seq: int | None
    answer: msgspec.Raw


def look_back(statement: LiteralString) -> LiteralString:
    """Return the statement, which returns one JSON document, over the tasks of a moment; `read_past` reads its answer."""
    past: LiteralString = (
        statement.replace("todo.task_tags", "past_task_tags")
        .replace("todo.tasks", "past_tasks")
        .replace("todo.links", "past_links")
        .replace("todo.comments", "past_comments")
        .replace("statement_timestamp()", "%(moment)s::timestamptz")
    )
    return f"""
WITH {_REBUILD},
{_RELATIONS}
SELECT json_build_object('seq', (SELECT seq FROM cut), 'answer', ({past})::json)::text"""


def past_values(moment: datetime) -> dict[str, Any]:
    """Return the values of a statement of `look_back`."""
    return {"moment": moment, "max_changes": MAX_CHANGES_BACK}


def read_past(text: str | None, moment: datetime) -> str | None:
    """Return the JSON document of a statement of `look_back`; raises Invalid where the moment is too far back."""
    found = decode(text or "", _PastAnswer)
    raise_for_distance(found.seq, moment)
    document = bytes(found.answer).decode()
    return None if document == "null" else document


def raise_for_distance(seq: int | None, moment: datetime) -> None:
    """Raise Invalid where more changes than the bound came behind the moment."""
    if seq is None:
        raise Invalid(
            f"more than {MAX_CHANGES_BACK:,} changes were made since {moment:%Y-%m-%d %H:%M} UTC",
            hint="name a later moment, or read the changes themselves: todo log --until",
        )

"""Compare the tasks of two moments by what the journal has between them.

A task has its former row in the first change of it between the moments, and its later row in the last one. The work
grows with the changes since the first moment, up to a bound, and not with the journal before it.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any, LiteralString

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.diff import DifferenceKind, DifferencePage, DiffTasks, TaskDifference
from todo_cli.contract.journal import Difference
from todo_cli.contract.limits import MAX_CHANGES_BACK, MAX_FULL_TASKS
from todo_cli.core.dispatch import handler
from todo_cli.core.history.log import compile_matching
from todo_cli.core.history.moments import read_moment
from todo_cli.core.history.past_sql import TOUCHED, cut_at, raise_for_distance
from todo_cli.core.journal import differences
from todo_cli.core.journal_texts import restore_texts
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid

_KINDS: dict[str, DifferenceKind] = {"done": "done", "deleted": "deleted"}


@lru_cache(64)
def build_diff(matching: LiteralString | None = None) -> Sql:
    """Return the statement. `matching` are conditions of tasks `t` that the compared ones must match now."""
    wanted: LiteralString = "true"
    if matching:
        wanted = f"""f.number IN (
      SELECT t.number FROM todo.tasks t WHERE t.space_id = %(space)s::uuid AND {matching})"""
    return Sql(f"""
WITH cut AS MATERIALIZED ({cut_at("%(moment)s::timestamptz")}),
last_cut AS MATERIALIZED ({cut_at("%(end)s::timestamptz")}),
since AS MATERIALIZED (
  SELECT c.seq, c.before, c.after, c.texts FROM todo.changes c
  WHERE c.space_id = %(space)s::uuid AND c.seq > (SELECT seq FROM cut)
    AND c.seq <= (SELECT seq FROM last_cut)),
{TOUCHED},
latest AS (
  SELECT DISTINCT ON (number) number, row
  FROM snapshots WHERE NOT is_former ORDER BY number, seq DESC),
page AS MATERIALIZED (
  SELECT f.number, f.row AS before, l.row AS after
  FROM touched f JOIN latest l ON l.number = f.number
  WHERE f.number > %(after)s::bigint AND {wanted}
    AND NOT (f.row IS NULL AND l.row ->> 'status' = 'deleted')
    AND (f.row - '{{rev,updated_at}}'::text[])
      IS DISTINCT FROM (l.row - '{{rev,updated_at}}'::text[])
  ORDER BY f.number LIMIT %(limit)s::int)
SELECT json_build_object(
  'seq', (SELECT seq FROM cut),
  'before', coalesce(json_agg(before ORDER BY number) FILTER (WHERE before IS NOT NULL), '[]'),
  'after', coalesce(json_agg(after ORDER BY number), '[]'),
  'texts', (
    SELECT json_object_agg(e.key, e.value) FROM since s, jsonb_each(s.texts) AS e
    WHERE e.key IN (
      SELECT r #>> '{{note,sha256}}'
      FROM page p, unnest(ARRAY[p.before, p.after]) AS r)))::text
FROM page""")


class _ComparedRows(msgspec.Struct):
    seq: int | None
    before: list[Any]
    after: list[Any]
    texts: dict[str, Any] | None = None


@handler(DiffTasks)
async def diff_tasks(tx: Transaction, request: DiffTasks) -> DifferencePage:
    """Return a page of the tasks that differ between two moments; raises Invalid where the first is too far back."""
    since = await read_moment(tx, request.since, is_end=False)
    until = await read_moment(tx, request.until, is_end=True) if request.until else (await tx.read_clock()).now
    if until < since:
        raise Invalid("the range ends before it begins", hint="write the earlier time first: monday..friday")
    matching, values = await compile_matching(tx, request.filter)
    bounds = {"moment": since, "end": until, "max_changes": MAX_CHANGES_BACK}
    page = {"after": request.after or 0, "limit": request.limit + 1}
    found = decode(await tx.finish(build_diff(matching), **bounds, **page, **values) or "", _ComparedRows)
    raise_for_distance(found.seq, since)
    return _make_page(found, request.limit, since, until)


def _make_page(found: _ComparedRows, limit: int, since: datetime, until: datetime) -> DifferencePage:
    texts, rows = found.texts or {}, found.after[:limit]
    before, after = restore_texts(found.before, texts), restore_texts(rows, texts)
    compared = differences(before, after, is_brief=len(rows) > MAX_FULL_TASKS)
    former = {row["number"]: row.get("status") for row in before}
    return DifferencePage(
        since=since,
        until=until,
        differences=tuple(_describe(difference, former.get(difference.number)) for difference in compared),
        next=rows[-1]["number"] if len(found.after) > limit else None,
    )


def _describe(difference: Difference, former_status: Any) -> TaskDifference:
    fields = dict(difference.fields)
    kind: DifferenceKind = "added" if difference.added else "changed"
    if not difference.added and "status" in fields:
        status = fields["status"][1]
        kind = _KINDS.get(status, "restored" if former_status == "deleted" else "reopened")
    return TaskDifference(number=difference.number, title=difference.title, kind=kind, fields=fields)

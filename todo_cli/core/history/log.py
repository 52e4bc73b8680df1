"""Read the journal: who changed what, and when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.journal import Change, ChangePage, ListChanges
from todo_cli.core.dispatch import handler
from todo_cli.core.journal import differences
from todo_cli.core.json_sql import format_instant
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import NotFound

LIST = Sql(f"""
WITH RECURSIVE history AS (
  SELECT c.* FROM todo.changes c WHERE %(number)s::bigint IS NOT NULL AND c.space_id = %(space)s::uuid AND c.seq =
    (SELECT rev FROM todo.tasks WHERE space_id = %(space)s::uuid AND number = %(number)s::bigint)
  UNION ALL
  SELECT c.* FROM history h JOIN todo.changes c ON c.space_id = %(space)s::uuid AND c.seq = (jsonb_path_query_first(
    h.before, '$[*] ? (@.number == $n)', jsonb_build_object('n', %(number)s::bigint)) ->> 'rev')::bigint AND c.seq < h.seq),
rows AS (
  (SELECT * FROM history WHERE seq < coalesce(%(before)s::bigint, 9223372036854775807) LIMIT %(limit)s::int)
  UNION ALL
  (SELECT * FROM todo.changes WHERE %(number)s::bigint IS NULL AND space_id = %(space)s::uuid
      AND seq < coalesce(%(before)s::bigint, 9223372036854775807) ORDER BY seq DESC LIMIT %(limit)s::int))
SELECT json_build_object(
  'known', %(number)s::bigint IS NULL OR EXISTS (
     SELECT FROM todo.tasks WHERE space_id = %(space)s::uuid AND number = %(number)s::bigint),
  'rows', coalesce(json_agg(json_build_object(
  'seq', c.seq, 'at', {format_instant("c.at")}, 'user', coalesce(u.name, c.user_id::text), 'token', coalesce(t.name, ''),
  'way', c.way, 'verb', c.verb, 'key', c.key, 'group', c.group_id, 'undoes', c.undoes, 'about', coalesce(c.request ->> 'name',
      CASE WHEN c.verb LIKE '%Comment' THEN '#' || (c.request ->> 'number') END),
  'undone', coalesce((SELECT NOT x.redo FROM todo.changes x WHERE x.space_id = c.space_id AND x.undoes = coalesce(
      (SELECT min(g.seq) FROM todo.changes g WHERE g.space_id = c.space_id AND g.group_id = c.group_id), c.seq)
      ORDER BY x.seq DESC LIMIT 1), false) AND c.undoes IS NULL,
  'tasks', coalesce(jsonb_array_length(c.after), 0),
  'before', CASE WHEN %(number)s::bigint IS NULL THEN jsonb_path_query_array(c.before, '$[0 to 9]')
      ELSE jsonb_path_query_array(c.before, '$[*] ? (@.number == $n)', jsonb_build_object('n', %(number)s::bigint)) END,
  'after', CASE WHEN %(number)s::bigint IS NULL THEN jsonb_path_query_array(c.after, '$[0 to 9]')
      ELSE jsonb_path_query_array(c.after, '$[*] ? (@.number == $n)', jsonb_build_object('n', %(number)s::bigint)) END
  ) ORDER BY c.seq DESC), '[]'))::text
FROM rows c LEFT JOIN todo.space_members() u ON u.id = c.user_id
LEFT JOIN todo.tokens t ON t.user_id = c.user_id AND t.id = c.token_id
""")


class _ChangeRow(msgspec.Struct):
    seq: int
    at: datetime
    user: str
    token: str
    way: str
    verb: str
    tasks: int
    undone: bool
    key: str | None = None
    group: str | None = None
    undoes: int | None = None
    about: str | None = None
    before: list[dict[str, Any]] | None = None
    after: list[dict[str, Any]] | None = None


class _Rows(msgspec.Struct):
    known: bool
    rows: list[_ChangeRow]


def _change(row: _ChangeRow) -> Change:
    return Change(
        seq=row.seq, at=row.at, user=row.user,
        token=row.token, way=row.way, verb=row.verb, key=row.key, group=row.group, undoes=row.undoes,
        about=row.about, undone=row.undone, tasks=row.tasks, differences=differences(row.before, row.after),
    )  # fmt: skip


@handler(ListChanges)
async def list_changes(tx: Transaction, request: ListChanges) -> ChangePage:
    """Newest first; of one task by following each change's images back to the one before."""
    text = await tx.finish(LIST, number=request.number, before=request.before, limit=request.limit + 1)
    found = decode(text or "", _Rows)
    if not found.known:
        raise NotFound(f"task #{request.number} does not exist")
    rows = found.rows[: request.limit]
    return ChangePage(
        changes=tuple(_change(row) for row in rows), next=rows[-1].seq if len(found.rows) > request.limit else None
    )

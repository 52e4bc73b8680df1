"""Find the change to undo or redo, and read the tasks that it left, in one statement behind the space's lock."""

from __future__ import annotations

from functools import cache
from typing import Any, LiteralString

import msgspec

from todo_cli.contract.journal import Redo, Undo
from todo_cli.core.journal import Stamp
from todo_cli.core.tasks.load import Loaded, Wanted
from todo_cli.core.tasks.load_sql import (
    ANCESTORS,
    DEPENDENCIES,
    MEMBERS,
    ancestors_cte,
    dependencies_cte,
    load_statement,
)
from todo_cli.db.sql import Sql, StatementCall
from todo_cli.db.transaction import Transaction

# An undo names the change that it takes back by the first seq of the change's group.
HEAD: LiteralString = """coalesce(
      (SELECT min(g.seq) FROM todo.changes g
       WHERE g.space_id = c.space_id AND g.group_id = c.group_id),
      c.seq)"""

IS_UNDONE: LiteralString = f"""coalesce(
      (SELECT NOT u.redo FROM todo.changes u WHERE u.space_id = c.space_id AND u.undoes = {HEAD}
       ORDER BY u.seq DESC LIMIT 1),
      false)"""

_IS_LATEST_UNDO: LiteralString = """NOT c.redo AND c.seq = (
      SELECT max(u.seq) FROM todo.changes u
      WHERE u.space_id = c.space_id AND u.undoes = c.undoes)"""

HAS_EFFECT: LiteralString = "c.after IS NOT NULL AND c.after IS DISTINCT FROM c.before"

# A claim changes no content, and the tasks of a former member stay free, so neither is the last change. The names are
# constants of ours.
NO_CONTENT_VERBS: LiteralString = """'{ClaimTask,ReleaseTasks,RenewClaims,TakeTask,
      LeaveSpace,RemoveMember,SetMemberRole}'"""

_UNDO_BY_ID: LiteralString = f"""picked AS MATERIALIZED (
  SELECT c.seq, c.group_id, {HEAD} AS head, {IS_UNDONE} AS is_undone
  FROM todo.changes c
  WHERE c.space_id = %(space)s::uuid AND c.seq = %(id)s::bigint AND c.undoes IS NULL
    AND {HAS_EFFECT})"""

_UNDO_LAST: LiteralString = f"""picked AS MATERIALIZED (
  SELECT c.seq, c.group_id, {HEAD} AS head, false AS is_undone
  FROM todo.changes c
  WHERE c.space_id = %(space)s::uuid AND c.user_id = %(me)s::uuid AND c.undoes IS NULL
    AND {HAS_EFFECT} AND c.verb <> ALL ({NO_CONTENT_VERBS}) AND NOT {IS_UNDONE}
  ORDER BY c.seq DESC LIMIT 1)"""

_UNDO_TARGETS: LiteralString = """targets AS MATERIALIZED (
  SELECT c.seq, p.head, c.before, c.after, c.texts FROM picked p
    JOIN todo.changes c ON c.space_id = %(space)s::uuid AND c.seq = p.seq
  WHERE p.group_id IS NULL
  UNION ALL
  SELECT c.seq, p.head, c.before, c.after, c.texts FROM picked p
    JOIN todo.changes c ON c.space_id = %(space)s::uuid AND c.group_id = p.group_id)"""

_REDO_BY_ID: LiteralString = f"""picked AS MATERIALIZED (
  SELECT c.seq, c.undoes AS head, c.before, c.after, c.texts FROM todo.changes c
  WHERE c.space_id = %(space)s::uuid AND c.undoes IS NOT NULL
    AND (c.seq = %(id)s::bigint OR c.undoes = %(id)s::bigint) AND {_IS_LATEST_UNDO}
  ORDER BY c.seq DESC LIMIT 1)"""

_REDO_LAST: LiteralString = f"""picked AS MATERIALIZED (
  SELECT c.seq, c.undoes AS head, c.before, c.after, c.texts FROM todo.changes c
  WHERE c.space_id = %(space)s::uuid AND c.user_id = %(me)s::uuid AND c.undoes IS NOT NULL
    AND {_IS_LATEST_UNDO}
  ORDER BY c.seq DESC LIMIT 1)"""

_REDO_TARGETS: LiteralString = "targets AS (SELECT seq, head, before, after, texts FROM picked)"

_HAS_NEWER_CHANGE: LiteralString = f""",
  'has_newer_change', (SELECT p.seq FROM picked p) < (
    SELECT c.seq FROM todo.changes c
    WHERE c.space_id = %(space)s::uuid AND c.user_id = %(me)s::uuid AND c.undoes IS NULL
      AND {HAS_EFFECT}
    ORDER BY c.seq DESC LIMIT 1)"""

# A large import has several groups, one after the other in the journal: what comes before this one, where it is another.
_IMPORTED_FILE: LiteralString = """(
    SELECT g.request ->> 'file' FROM todo.changes g JOIN picked p ON g.seq = p.head
    WHERE g.space_id = %(space)s::uuid AND g.verb = 'ImportTasks')"""

_PART_TO_UNDO: LiteralString = f""",
  'next_part', (
    SELECT c.seq FROM (
      SELECT e.* FROM todo.changes e
      WHERE e.space_id = %(space)s::uuid AND e.user_id = %(me)s::uuid AND e.undoes IS NULL
        AND e.seq < (SELECT head FROM picked)
      ORDER BY e.seq DESC LIMIT 1) AS c
    WHERE c.verb = 'ImportTasks' AND c.request ->> 'file' = {_IMPORTED_FILE} AND NOT {IS_UNDONE})"""

_PART_TO_REDO: LiteralString = f""",
  'next_part', (
    SELECT u.seq FROM (
      SELECT c.seq, c.undoes FROM todo.changes c
      WHERE c.space_id = %(space)s::uuid AND c.user_id = %(me)s::uuid AND c.undoes IS NOT NULL
        AND c.seq < (SELECT seq FROM picked) AND {_IS_LATEST_UNDO}
      ORDER BY c.seq DESC LIMIT 1) AS u
      JOIN todo.changes h ON h.space_id = %(space)s::uuid AND h.seq = u.undoes
    WHERE h.verb = 'ImportTasks' AND h.request ->> 'file' = {_IMPORTED_FILE})"""

_CHANGES: LiteralString = """,
  'changes', coalesce((
    SELECT json_agg(json_build_object(
      'seq', seq, 'head', head, 'before', before, 'after', after,
      'texts', coalesce(texts, '{}')) ORDER BY seq)
    FROM targets), '[]')"""

_TASKS: LiteralString = """ARRAY(
    SELECT (row ->> 'number')::bigint FROM targets, jsonb_array_elements(after) AS row)"""

_FORMER_PARENTS: LiteralString = """ARRAY(
    SELECT (row ->> 'parent')::bigint FROM targets, jsonb_array_elements(before) AS row)"""

_FORMER_BLOCKERS: LiteralString = """ARRAY(
    SELECT blocker::bigint FROM targets, jsonb_array_elements(before) AS row,
      jsonb_array_elements_text(coalesce(row -> 'after', '[]')) AS blocker)"""


class StoredChange(msgspec.Struct):
    """A change as the journal keeps it; `head` is the first seq of its group."""

    seq: int
    head: int
    before: list[dict[str, Any]]
    after: list[dict[str, Any]]
    texts: dict[str, Any] = {}


class LoadedChanges(Loaded):
    """The changes to undo or redo, and the tasks of them as they are now."""

    changes: list[StoredChange] = []  # noqa: RUF012  # msgspec copies it for each value
    is_undone: bool = False
    has_newer_change: bool | None = False
    next_part: int | None = None  # of the same import


class WantedChange(Wanted, kw_only=True):
    """The change to undo or redo: by its seq, or the user's last one."""

    id: int | None
    is_redo: bool


async def want_change(tx: Transaction, request: Undo | Redo) -> WantedChange:
    """Return the change that the request names."""
    return WantedChange(id=request.id, is_redo=isinstance(request, Redo))


def load_change_call(wanted: WantedChange, stamp: Stamp) -> StatementCall:
    """Return the statement that finds the change and reads its tasks, with its values."""
    sql = _statement(is_redo=wanted.is_redo, by_id=wanted.id is not None)
    return sql, {"id": wanted.id, "key": stamp.key, "hash": stamp.hash}


@cache
def _statement(*, is_redo: bool, by_id: bool) -> Sql:
    members: LiteralString = _CHANGES + ANCESTORS + DEPENDENCIES + MEMBERS
    if is_redo:
        picked, targets = (_REDO_BY_ID if by_id else _REDO_LAST), _REDO_TARGETS
        members += _PART_TO_REDO + ("" if by_id else _HAS_NEWER_CHANGE)
    else:
        picked, targets = (_UNDO_BY_ID if by_id else _UNDO_LAST), _UNDO_TARGETS
        members += _PART_TO_UNDO + ", 'is_undone', coalesce((SELECT is_undone FROM picked), false)"
    ctes = (picked, targets, ancestors_cte(_FORMER_PARENTS), dependencies_cte(_FORMER_BLOCKERS))
    return load_statement(ctes, _TASKS, members)

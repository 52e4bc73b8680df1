"""Read the journal: who changed what, and when."""

from __future__ import annotations

from datetime import datetime
from typing import Any, LiteralString

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.journal import Change, ChangePage, ListChanges
from todo_cli.contract.limits import MAX_FULL_TASKS
from todo_cli.core.dispatch import handler
from todo_cli.core.journal import differences
from todo_cli.core.journal_texts import restore_texts, texts_of
from todo_cli.core.json_sql import format_instant
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
  'rows', coalesce(json_agg(json_build_object(
    'seq', c.seq, 'at', {format_instant("c.at")},
    'user', coalesce(m.name, c.user_id::text), 'token', coalesce(k.name, ''), 'way', c.way,
    'mine', c.user_id = %(me)s::uuid,
    'same_token', c.token_id = todo.current_token_id(),
    'by_model', c.turn_id IS NOT NULL, 'conversation', v.number,
    'verb', c.verb, 'key', c.key, 'group', c.group_id, 'undoes', c.undoes,
    'about', coalesce(
      c.request ->> 'name', c.request ->> 'reason',
      CASE WHEN c.verb LIKE '%Comment' THEN '#' || (c.request ->> 'number') END),
    'undone', c.undoes IS NULL AND coalesce((
      SELECT NOT u.redo FROM todo.changes u
      WHERE u.space_id = c.space_id AND u.undoes = coalesce((
        SELECT min(g.seq) FROM todo.changes g
        WHERE g.space_id = c.space_id AND g.group_id = c.group_id), c.seq)
      ORDER BY u.seq DESC LIMIT 1), false),
    'tasks', CASE WHEN jsonb_typeof(c.after) = 'array' THEN jsonb_array_length(c.after) ELSE 0 END,
    'before', shown.before, 'after', shown.after,
    'texts', {texts_of("shown.before || shown.after", "c.texts")})
    ORDER BY c.seq DESC), '[]'))::text
FROM page c
  CROSS JOIN LATERAL (
    SELECT {_shown_tasks("c.before")} AS before, {_shown_tasks("c.after")} AS after) AS shown
  LEFT JOIN todo.space_members() m ON m.id = c.user_id
  LEFT JOIN LATERAL ( -- a join would read the tokens of all users
    SELECT t.name FROM todo.tokens t WHERE t.user_id = c.user_id AND t.id = c.token_id
    OFFSET 0) AS k ON true
  LEFT JOIN todo.turns x
    ON x.space_id = c.space_id AND x.user_id = c.user_id AND x.id = c.turn_id
      AND x.user_id = %(me)s::uuid
  LEFT JOIN todo.conversations v
    ON v.space_id = x.space_id AND v.user_id = x.user_id AND v.id = x.conversation_id""")


class _LoggedChange(msgspec.Struct):
    seq: int
    at: datetime
    user: str
    token: str
    way: str
    verb: str
    tasks: int
    undone: bool
    mine: bool
    same_token: bool
    by_model: bool
    conversation: int | None = None
    key: str | None = None
    group: str | None = None
    undoes: int | None = None
    about: str | None = None
    before: list[Any] | None = None  # of any content, since a person's own login may write the journal
    after: list[Any] | None = None
    texts: dict[str, Any] | None = None

    def to_change(self, *, is_brief: bool) -> Change:
        """Return the change as the contract has it."""
        before, after = (restore_texts(rows or [], self.texts or {}) for rows in (self.before, self.after))
        return Change(
            seq=self.seq,
            at=self.at,
            user=self.user,
            token=self.token,
            way=self.way,
            verb=self.verb,
            key=self.key,
            group=self.group,
            undoes=self.undoes,
            about=self.about,
            undone=self.undone,
            mine=self.mine,
            same_token=self.same_token,
            by_model=self.by_model,
            conversation=self.conversation,
            tasks=self.tasks,
            differences=differences(before, after, is_brief=is_brief),
        )


class _FoundChanges(msgspec.Struct):
    task_exists: bool
    rows: list[_LoggedChange]


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

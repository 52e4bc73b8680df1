"""The statement that reads changes of the journal, newest first.

It looks through a stretch of the journal of bounded length, or follows the changes of one task, where each names the
change before it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import LiteralString

from todo_cli.core.history.logged_changes import CHANGE_JOINS, CHANGE_JSON
from todo_cli.db.sql import Sql

_OF_TASK: LiteralString = """'$[*] ? (@.number == $number)',
        jsonb_build_object('number', %(number)s::bigint)"""

_PREVIOUS_REV: LiteralString = """jsonb_path_query_first(
      h.before, '$[*] ? (@.number == $number).rev ? (@ >= 1 && @ < 9223372036854775807)',
      jsonb_build_object('number', %(number)s::bigint))::bigint"""

MATCHES_FILTER: LiteralString = """EXISTS (
      SELECT FROM jsonb_path_query(
        c.after, '$[*].number ? (@ >= 1 && @ < 9223372036854775807)') AS n
      WHERE n::bigint IN (SELECT number FROM matched))"""
"""Whether a change `c` has changed one of the tasks of the CTE `matched`."""


def _shown_tasks(column: LiteralString) -> LiteralString:
    """Return the rows of a change that are shown: of one task its own, else the first ones."""
    return f"""CASE WHEN %(number)s::bigint IS NULL
      THEN jsonb_path_query_array(
        {column}, '$[0 to $last]', jsonb_build_object('last', %(max_shown)s::int - 1))
      ELSE jsonb_path_query_array({column}, {_OF_TASK}) END"""


_IS_WANTED: LiteralString = """(%(by)s::text IS NULL
      OR c.user_id = ANY (ARRAY(SELECT id FROM persons)) OR c.user_id::text = %(by)s::text)
    AND (%(token)s::text IS NULL OR c.token_id = ANY (ARRAY(SELECT id FROM named_tokens)))
    AND (%(via)s::text IS NULL OR %(via)s::text =
      CASE WHEN c.turn_id IS NULL THEN c.way ELSE 'chat' END)
    AND (%(since)s::timestamptz IS NULL OR c.at >= %(since)s::timestamptz)
    AND (%(until)s::timestamptz IS NULL OR c.at <= %(until)s::timestamptz)"""

# The time of a change is that at which its transaction began, which may wait for the lock of the space: a change may be
# some seconds older than the one before it.
_ALL_OLDER: LiteralString = """(
    SELECT c.at < %(since)s::timestamptz - interval '1 minute' FROM todo.changes c
    WHERE c.space_id = %(space)s::uuid AND c.seq < (SELECT first FROM stretch)
    ORDER BY c.seq DESC LIMIT 1)"""

# An inner limit, and no second bound of the range: with two bounds the planner expects few changes, reads all of them and
# sorts them. A token with limits counts only the changes that it sees, so it has the range instead.
_STRETCH_IN_ORDER: LiteralString = """
      SELECT * FROM todo.changes
      WHERE space_id = %(space)s::uuid AND seq < (SELECT before FROM stretch)
      ORDER BY seq DESC LIMIT %(max_searched)s::int"""


_ANSWER: LiteralString = f"""
SELECT json_build_object(
  'task_exists', %(number)s::bigint IS NULL OR EXISTS (
    SELECT FROM todo.tasks WHERE space_id = %(space)s::uuid AND number = %(number)s::bigint),
  'person_exists', %(by)s::text IS NULL
    OR EXISTS (SELECT FROM persons) OR EXISTS (SELECT FROM page),
  'token_exists', %(token)s::text IS NULL OR EXISTS (SELECT FROM named_tokens),
  'first', CASE WHEN %(number)s::bigint IS NULL
    AND NOT (%(since)s::timestamptz IS NOT NULL AND coalesce({_ALL_OLDER}, true))
    THEN (SELECT first FROM stretch) END,
  'rows', coalesce(json_agg({CHANGE_JSON}
    ORDER BY c.seq DESC), '[]'))::text
FROM page c
  CROSS JOIN LATERAL (
    SELECT {_shown_tasks("c.before")} AS before, {_shown_tasks("c.after")} AS after) AS shown
  {CHANGE_JOINS}"""


@lru_cache(64)
def build_log(matching: LiteralString | None = None) -> Sql:
    """Return the statement. `matching` are conditions of tasks `t`, of which a change must have changed one."""
    matched: LiteralString = ""
    wanted: LiteralString = _IS_WANTED
    if matching:
        matched = f"""
matched AS MATERIALIZED (
  SELECT t.number FROM todo.tasks t WHERE t.space_id = %(space)s::uuid AND {matching}),"""
        wanted = f"{_IS_WANTED} AND {MATCHES_FILTER}"
    return Sql(f"""
WITH RECURSIVE persons AS MATERIALIZED (
  SELECT m.id FROM todo.space_members() m
  WHERE lower(m.name) = lower(%(by)s::text) OR %(by)s::text = 'me' AND m.id = %(me)s::uuid),
named_tokens AS MATERIALIZED (
  SELECT t.id FROM todo.tokens t
  WHERE t.user_id = %(me)s::uuid
    AND (t.name = %(token)s::text OR t.id::text = %(token)s::text)),{matched}
stretch AS MATERIALIZED (
  SELECT b.before, greatest(1, b.before - %(max_searched)s::bigint) AS first
  FROM todo.spaces s CROSS JOIN LATERAL (
    SELECT least(coalesce(%(before)s::bigint, s.seq + 1), s.seq + 1) AS before) AS b
  WHERE s.id = %(space)s::uuid),
history AS (
  SELECT c.* FROM todo.changes c
  WHERE %(number)s::bigint IS NOT NULL AND c.space_id = %(space)s::uuid
    AND c.seq = (SELECT rev FROM todo.tasks
      WHERE space_id = %(space)s::uuid AND number = %(number)s::bigint)
  UNION ALL
  SELECT c.* FROM history h
    JOIN todo.changes c
      ON c.space_id = %(space)s::uuid AND c.seq = {_PREVIOUS_REV} AND c.seq < h.seq),
page AS (
  (SELECT * FROM history c
    WHERE seq < coalesce(%(before)s::bigint, 9223372036854775807) AND {wanted}
    LIMIT %(limit)s::int)
  UNION ALL
  (SELECT * FROM ({_STRETCH_IN_ORDER}) AS c
    WHERE %(number)s::bigint IS NULL AND current_user <> 'todo_limited'
      AND c.seq >= (SELECT first FROM stretch) AND {wanted}
    ORDER BY c.seq DESC LIMIT %(limit)s::int)
  UNION ALL
  (SELECT * FROM todo.changes c
    WHERE %(number)s::bigint IS NULL AND current_user = 'todo_limited'
      AND c.space_id = %(space)s::uuid AND c.seq < (SELECT before FROM stretch)
      AND c.seq >= (SELECT first FROM stretch) AND {wanted}
    ORDER BY c.seq DESC LIMIT %(limit)s::int))
{_ANSWER}""")

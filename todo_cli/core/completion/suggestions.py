"""Suggest words to complete: each kind is one statement, and its work does not grow with the list.

Task numbers come from an index in the order of the last change. Names come from the tasks that changed last, which
rank them by use, and then from a walk of an index from name to name, which skips the tasks of each.
"""

from __future__ import annotations

from typing import Any

from todo_cli.contract.codec import decode
from todo_cli.contract.completion import MAX_SUGGESTIONS, Suggestions, SuggestWords
from todo_cli.core.dispatch import handler
from todo_cli.core.validation import check_text
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction

MAX_ABOUT_CHARS = 100
RECENT_OPEN_TASKS, RECENT_DONE_TASKS = 100, 50
"""How many of the tasks that changed last decide which names are in use."""
MAX_NUMBER_DIGITS = 18

RECENT_NUMBERS = Sql(f"""
SELECT json_build_object('suggestions', coalesce(json_agg(json_build_object(
    'value', number::text, 'about', about) ORDER BY place, rev DESC), '[]'))::text
  FROM (
    SELECT status.place, newest.*
      FROM unnest(%(statuses)s::text[]) WITH ORDINALITY AS status (name, place)
     CROSS JOIN LATERAL (
        SELECT number, rev, left(title, {MAX_ABOUT_CHARS}) AS about
          FROM todo.tasks
         WHERE space_id = %(space)s::uuid AND status = status.name
         ORDER BY rev DESC, number DESC LIMIT {MAX_SUGGESTIONS}) AS newest
     ORDER BY status.place, newest.rev DESC LIMIT {MAX_SUGGESTIONS}) AS numbers""")

# the numbers that begin with 12 are 12, 120 to 129, 1200 to 1299, …: a range of the index for each length
MATCHING_NUMBERS = Sql(f"""
SELECT json_build_object('suggestions', coalesce(json_agg(json_build_object(
    'value', number::text, 'about', about) ORDER BY place, rev DESC), '[]'))::text
  FROM (
    SELECT status.place, newest.*
      FROM unnest(%(statuses)s::text[]) WITH ORDINALITY AS status (name, place)
     CROSS JOIN unnest(%(first)s::bigint[], %(last)s::bigint[]) AS range (first, last)
     CROSS JOIN LATERAL (
        SELECT number, rev, left(title, {MAX_ABOUT_CHARS}) AS about
          FROM todo.tasks
         WHERE space_id = %(space)s::uuid AND status = status.name
           AND number BETWEEN range.first AND range.last
         ORDER BY number DESC LIMIT {MAX_SUGGESTIONS}) AS newest
     WHERE range.first < (SELECT next_number FROM todo.spaces WHERE id = %(space)s::uuid)
     ORDER BY status.place, newest.rev DESC LIMIT {MAX_SUGGESTIONS}) AS numbers""")

# a token with limits sees no name but those of its own tasks, for which the index cannot be walked from name to name
PROJECTS = Sql(f"""
WITH RECURSIVE recent AS (
  (SELECT number, rev, project FROM todo.tasks
    WHERE space_id = %(space)s::uuid AND status = 'open'
    ORDER BY rev DESC, number DESC LIMIT {RECENT_OPEN_TASKS})
  UNION ALL
  (SELECT number, rev, project FROM todo.tasks
    WHERE space_id = %(space)s::uuid AND status = 'done'
    ORDER BY rev DESC, number DESC LIMIT {RECENT_DONE_TASKS})),
used AS (
  SELECT project AS name, count(*) AS uses, max(rev) AS rev
    FROM recent
   WHERE starts_with(lower(project), lower(%(prefix)s))
   GROUP BY project ORDER BY uses DESC, rev DESC LIMIT {MAX_SUGGESTIONS}),
walk AS (
  (SELECT project AS name, 1 AS place FROM todo.tasks
    WHERE space_id = %(space)s::uuid AND project >= %(prefix)s AND current_user <> 'todo_limited'
    ORDER BY project LIMIT 1)
  UNION ALL
  SELECT following.project, walk.place + 1
    FROM walk
   CROSS JOIN LATERAL (
      SELECT t.project FROM todo.tasks t
       WHERE t.space_id = %(space)s::uuid AND t.project > walk.name
       ORDER BY t.project LIMIT 1) AS following
   WHERE walk.place < {MAX_SUGGESTIONS} AND starts_with(walk.name, %(prefix)s)),
names AS (
  SELECT name, uses, rev FROM used
  UNION ALL
  SELECT name, 0, 0 FROM walk
   WHERE starts_with(name, %(prefix)s) AND name NOT IN (SELECT name FROM used)
  ORDER BY uses DESC, rev DESC, name LIMIT {MAX_SUGGESTIONS})
SELECT json_build_object('suggestions', coalesce(json_agg(json_build_object(
    'value', name) ORDER BY uses DESC, rev DESC, name), '[]'))::text
  FROM names""")

TAGS = Sql(f"""
WITH RECURSIVE recent AS (
  (SELECT number, rev FROM todo.tasks
    WHERE space_id = %(space)s::uuid AND status = 'open'
    ORDER BY rev DESC, number DESC LIMIT {RECENT_OPEN_TASKS})
  UNION ALL
  (SELECT number, rev FROM todo.tasks
    WHERE space_id = %(space)s::uuid AND status = 'done'
    ORDER BY rev DESC, number DESC LIMIT {RECENT_DONE_TASKS})),
used AS (
  SELECT tag.name, count(*) AS uses, max(recent.rev) AS rev
    FROM recent
   CROSS JOIN LATERAL (
      SELECT g.tag AS name FROM todo.task_tags g
       WHERE g.space_id = %(space)s::uuid AND g.number = recent.number OFFSET 0) AS tag
   WHERE starts_with(lower(tag.name), lower(%(prefix)s))
   GROUP BY tag.name ORDER BY uses DESC, rev DESC LIMIT {MAX_SUGGESTIONS}),
walk AS (
  (SELECT tag AS name, 1 AS place FROM todo.task_tags
    WHERE space_id = %(space)s::uuid AND tag >= %(prefix)s AND current_user <> 'todo_limited'
    ORDER BY tag LIMIT 1)
  UNION ALL
  SELECT following.tag, walk.place + 1
    FROM walk
   CROSS JOIN LATERAL (
      SELECT g.tag FROM todo.task_tags g
       WHERE g.space_id = %(space)s::uuid AND g.tag > walk.name
       ORDER BY g.tag LIMIT 1) AS following
   WHERE walk.place < {MAX_SUGGESTIONS} AND starts_with(walk.name, %(prefix)s)),
names AS (
  SELECT name, uses, rev FROM used
  UNION ALL
  SELECT name, 0, 0 FROM walk
   WHERE starts_with(name, %(prefix)s) AND name NOT IN (SELECT name FROM used)
  ORDER BY uses DESC, rev DESC, name LIMIT {MAX_SUGGESTIONS})
SELECT json_build_object('suggestions', coalesce(json_agg(json_build_object(
    'value', name) ORDER BY uses DESC, rev DESC, name), '[]'))::text
  FROM names""")


@handler(SuggestWords)
async def suggest_words(tx: Transaction, request: SuggestWords) -> Suggestions:
    """Return the words of the kind that begin with the prefix, in one round trip."""
    if request.kind != "task":
        prefix = check_text("prefix", request.prefix)
        text = await tx.finish(PROJECTS if request.kind == "project" else TAGS, prefix=prefix)
        return decode(text or "", Suggestions)
    statuses = ["open", "done", "deleted"] if request.status == "all" else [request.status]
    if not request.prefix:
        return decode(await tx.finish(RECENT_NUMBERS, statuses=statuses) or "", Suggestions)
    ranges = list_ranges(request.prefix)
    if not ranges:
        return Suggestions(suggestions=())
    values: dict[str, Any] = {"first": [first for first, _ in ranges], "last": [last for _, last in ranges]}
    return decode(await tx.finish(MATCHING_NUMBERS, statuses=statuses, **values) or "", Suggestions)


def list_ranges(digits: str) -> list[tuple[int, int]]:
    """Return the first and last of the numbers that begin with these digits, for each length; none for other text."""
    if not (digits.isascii() and digits.isdigit()) or digits.startswith("0"):
        return []
    powers = (10**zeros for zeros in range(MAX_NUMBER_DIGITS - len(digits) + 1))
    return [(int(digits) * power, (int(digits) + 1) * power - 1) for power in powers]

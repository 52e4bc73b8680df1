"""The projects and tags in use, with their numbers of tasks."""

from __future__ import annotations

from typing import LiteralString

from todo_cli.contract.codec import decode
from todo_cli.contract.views import ListProjects, ListTags, NameCounts
from todo_cli.core.dispatch import handler
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction

TAGS = Sql("""
SELECT json_build_object('used', coalesce(
    json_agg(json_build_object('name', tag, 'tasks', tasks) ORDER BY tag), '[]'))::text
  FROM (
    SELECT g.tag, count(*) AS tasks
      FROM todo.tasks t
      JOIN todo.task_tags g ON g.space_id = t.space_id AND g.number = t.number
     WHERE t.space_id = %(space)s::uuid AND g.space_id = %(space)s::uuid AND t.status = 'open'
     GROUP BY g.tag) AS tag_counts""")

PROJECTS = Sql("""
SELECT json_build_object('used', coalesce(
    json_agg(json_build_object('name', project, 'tasks', tasks) ORDER BY project), '[]'))::text
  FROM (
    SELECT project, count(*) AS tasks
      FROM todo.tasks
     WHERE space_id = %(space)s::uuid AND status = 'open' AND project IS NOT NULL
     GROUP BY project) AS project_counts""")

_CLOCK: LiteralString = """
WITH clock AS MATERIALIZED (
  SELECT (statement_timestamp() AT TIME ZONE coalesce(
    %(zone)s::text,
    (SELECT timezone FROM todo.preferences WHERE user_id = %(me)s::uuid),
    'UTC'))::date AS today)"""

_SUMS: LiteralString = """
    count(*) FILTER (WHERE status = 'open') AS tasks,
    count(*) FILTER (WHERE status = 'done') AS done,
    count(*) FILTER (WHERE status = 'open'
      AND (due_on < today OR due_at < statement_timestamp())) AS overdue,
    CASE WHEN min(due_at) FILTER (WHERE status = 'open')
            = min(due_sort) FILTER (WHERE status = 'open')
         THEN to_char(min(due_at) FILTER (WHERE status = 'open') AT TIME ZONE 'UTC',
                      'YYYY-MM-DD"T"HH24:MI:SS"Z"')
         ELSE to_char(min(due_on) FILTER (WHERE status = 'open'), 'YYYY-MM-DD') END AS next_due"""

_NAME: LiteralString = """json_build_object(
    'name', coalesce(name, ''), 'tasks', tasks, 'done', done, 'overdue', overdue,
    'next_due', next_due)"""

TAG_PROGRESS = Sql(f"""{_CLOCK},
sums AS (
  SELECT g.tag AS name, {_SUMS}
    FROM clock, todo.tasks t
    JOIN todo.task_tags g ON g.space_id = t.space_id AND g.number = t.number
   WHERE t.space_id = %(space)s::uuid AND g.space_id = %(space)s::uuid
     AND t.status IN ('open', 'done')
   GROUP BY g.tag)
SELECT json_build_object('used', coalesce(json_agg({_NAME} ORDER BY name), '[]'))::text
  FROM sums""")

PROJECT_PROGRESS = Sql(f"""{_CLOCK},
sums AS (
  SELECT project AS name, {_SUMS}
    FROM clock, todo.tasks
   WHERE space_id = %(space)s::uuid AND status IN ('open', 'done')
   GROUP BY project)
SELECT json_build_object(
    'used', coalesce(
      json_agg({_NAME} ORDER BY name) FILTER (WHERE name IS NOT NULL), '[]'),
    'rest', coalesce(
      (json_agg({_NAME}) FILTER (WHERE name IS NULL)) -> 0,
      json_build_object('name', '', 'tasks', 0, 'done', 0, 'overdue', 0)))::text
  FROM sums""")


@handler(ListTags)
async def list_tags(tx: Transaction, request: ListTags) -> NameCounts:
    """List the tags in use by name. The work grows with the number of open tasks, with `progress` of all tasks."""
    return await _read_counts(tx, TAG_PROGRESS if request.progress else TAGS, progress=request.progress)


@handler(ListProjects)
async def list_projects(tx: Transaction, request: ListProjects) -> NameCounts:
    """List the projects in use by name. The work grows with the number of open tasks, with `progress` of all tasks."""
    return await _read_counts(tx, PROJECT_PROGRESS if request.progress else PROJECTS, progress=request.progress)


async def _read_counts(tx: Transaction, statement: Sql, *, progress: bool) -> NameCounts:
    tx.is_momentary |= progress  # what is overdue changes with the clock
    return decode(await tx.finish(statement, zone=tx.caller.zone) or "", NameCounts)

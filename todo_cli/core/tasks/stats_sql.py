"""Statistics of a space in one statement. It reads the newest tasks of each status and the newest changes alone."""

from __future__ import annotations

from typing import LiteralString

from todo_cli.db.sql import Sql

MAX_READ_TASKS = 100_000
"""Of each status. Open tasks are read by number, finished ones by their last change."""
MAX_READ_CHANGES = 20_000
MAX_SHOWN_PROJECTS = 1_000
HEAT_DAYS = 371

_NEWEST: LiteralString = "LIMIT %(max_tasks)s::int"

READ = Sql(f"""
WITH clock AS MATERIALIZED (
  SELECT zone, (statement_timestamp() AT TIME ZONE zone)::date AS today
    FROM (SELECT coalesce(
            %(zone)s::text,
            (SELECT timezone FROM todo.preferences WHERE user_id = %(me)s::uuid),
            'UTC') AS zone) AS named),
newest_tasks AS (
  (SELECT created_at, NULL::timestamptz AS completed_at, NULL::timestamptz AS ended_at
     FROM todo.tasks
    WHERE space_id = %(space)s::uuid AND status = 'open' ORDER BY number DESC {_NEWEST})
  UNION ALL
  (SELECT created_at, completed_at, completed_at
     FROM todo.tasks
    WHERE space_id = %(space)s::uuid AND status = 'done' ORDER BY rev DESC {_NEWEST})
  UNION ALL
  (SELECT created_at, completed_at, least(completed_at, deleted_at)
     FROM todo.tasks
    WHERE space_id = %(space)s::uuid AND status = 'deleted' ORDER BY rev DESC {_NEWEST})),
task_days AS MATERIALIZED (
  SELECT (created_at AT TIME ZONE zone)::date AS added,
         (completed_at AT TIME ZONE zone)::date AS done,
         (ended_at AT TIME ZONE zone)::date AS ended
    FROM newest_tasks, clock),
day_sums AS (
  SELECT day, sum(delta) AS delta, sum(added) AS added, sum(done) AS done
    FROM (
      SELECT added AS day, 1 AS delta, 1 AS added, 0 AS done FROM task_days
      UNION ALL
      SELECT ended, -1, 0, 0 FROM task_days WHERE ended IS NOT NULL
      UNION ALL
      SELECT done, 0, 0, 1 FROM task_days WHERE done IS NOT NULL) AS events
   GROUP BY day),
shown_days AS (
  SELECT shown.day::date AS day, coalesce(s.added, 0) AS added, coalesce(s.done, 0) AS done,
         (SELECT coalesce(sum(delta), 0) FROM day_sums b WHERE b.day < today - %(days)s::int + 1)
           + sum(coalesce(s.delta, 0)) OVER (ORDER BY shown.day) AS open
    FROM clock, generate_series(today - %(days)s::int + 1, today, '1 day') AS shown (day)
    LEFT JOIN day_sums s ON s.day = shown.day::date),
newest_changes AS MATERIALIZED (
  SELECT at, before, after FROM todo.changes
   WHERE space_id = %(space)s::uuid ORDER BY seq DESC LIMIT %(max_changes)s::int),
month AS MATERIALIZED (
  SELECT date_trunc('month', today::timestamp) AT TIME ZONE zone AS start FROM clock),
work AS (
  SELECT new ->> 'project' AS project,
         (new ->> 'tracked')::bigint - (old ->> 'tracked')::bigint AS seconds,
         false AS is_running
    FROM month, newest_changes,
         jsonb_array_elements(newest_changes.after) AS new,
         jsonb_array_elements(newest_changes.before) AS old
   WHERE at >= start AND new -> 'number' = old -> 'number' AND new -> 'tracked' <> old -> 'tracked'
  UNION ALL
  SELECT project, extract(epoch FROM statement_timestamp() - greatest(started_at, start))::bigint,
         true
    FROM month, todo.tasks
   WHERE space_id = %(space)s::uuid AND status = 'open' AND started_at IS NOT NULL),
project_times AS (
  SELECT project, sum(seconds) AS seconds FROM work
   GROUP BY project HAVING sum(seconds) > 0 ORDER BY sum(seconds) DESC, project
   LIMIT %(max_projects)s::int)
SELECT json_build_object(
    'today', (SELECT today FROM clock),
    'burndown', (
      SELECT json_agg(
               json_build_object('day', day, 'open', open, 'added', added, 'done', done)
               ORDER BY day)
        FROM shown_days),
    'heat', (
      SELECT coalesce(json_object_agg(day, done ORDER BY day), '{{}}')
        FROM day_sums, clock
       WHERE done > 0 AND day > today - %(heat_days)s::int AND day <= today),
    'time', (
      SELECT coalesce(
               json_agg(json_build_object('project', project, 'seconds', seconds)
                        ORDER BY seconds DESC, project), '[]')
        FROM project_times),
    'is_running', EXISTS (SELECT FROM work WHERE is_running),
    'cut', (SELECT count(*) FROM task_days) >= %(max_tasks)s::int
        OR (SELECT count(*) = %(max_changes)s::int AND min(at) >= (SELECT start FROM month)
              FROM newest_changes))::text""")

"""The statements that store a change of tasks."""

from __future__ import annotations

from todo_cli.core.journal import INSERT_CHANGE
from todo_cli.core.tasks.rows import COLUMNS, UPDATED, UPDATED_SHORT, list_columns
from todo_cli.db.sql import Sql


def _build_update(columns: tuple[str, ...]) -> Sql:
    """Return the UPDATE of these columns of rows."""
    return Sql(f"""
UPDATE todo.tasks t SET ({list_columns(columns)}) = ROW({list_columns(columns, "r.")})
FROM jsonb_populate_recordset(NULL::todo.tasks, %(rows)s::jsonb) AS r
WHERE t.space_id = %(space)s::uuid AND t.number = r.number
  -- the numbers again: before the first ANALYZE a join might read the whole space
  AND t.number = ANY (%(numbers)s::bigint[])""")


UPDATE = _build_update(UPDATED)
UPDATE_SHORT = _build_update(UPDATED_SHORT)

INSERT = Sql(f"""
INSERT INTO todo.tasks (space_id, {list_columns(COLUMNS)})
SELECT %(space)s::uuid, {list_columns(COLUMNS)}
FROM jsonb_populate_recordset(NULL::todo.tasks, %(rows)s::jsonb)""")

DELETE_TAGS = Sql("SELECT todo.remove_tags(%(numbers)s::bigint[], %(tags)s::text[])")

INSERT_TAGS = Sql("""
INSERT INTO todo.task_tags (space_id, number, tag)
SELECT %(space)s::uuid, * FROM unnest(%(numbers)s::bigint[], %(tags)s::text[])""")

DELETE_LINKS = Sql("SELECT todo.remove_links(%(numbers)s::bigint[], %(after)s::bigint[])")

INSERT_LINKS = Sql("""
INSERT INTO todo.links (space_id, number, after)
SELECT %(space)s::uuid, * FROM unnest(%(numbers)s::bigint[], %(after)s::bigint[])""")

JOURNAL = Sql(f"""
WITH entry AS (
  SELECT %(seq)s::bigint AS seq, %(before)s::jsonb AS before, %(after)s::jsonb AS after,
    %(texts)s::jsonb AS texts, NULL::jsonb AS answer),
change AS ({INSERT_CHANGE})
SELECT seq FROM change""")

# Adds tasks without a parent and blockers, which need nothing that is stored. Their rows get numbers, rev and times here.
ADD = Sql(f"""
WITH known AS MATERIALIZED (
  SELECT c.seq, c.after, c.request_hash = %(hash)s::bytea AS same FROM todo.changes c
  WHERE c.space_id = %(space)s::uuid AND c.user_id = %(me)s::uuid AND c.key = %(key)s::text),
counters AS (
  SELECT seq + 1 AS seq, next_number - 1 AS last, clock_timestamp() AS now FROM todo.spaces
  WHERE id = %(space)s::uuid AND NOT EXISTS (SELECT FROM known)),
preferred AS MATERIALIZED (
  SELECT jsonb_build_object('project', p.project) AS fields FROM todo.preferences p
  WHERE p.user_id = %(me)s::uuid AND p.project IS NOT NULL),
usual AS MATERIALIZED (
  SELECT jsonb_build_object('remind', jsonb_build_array(jsonb_build_object(
      'user', %(me)s::uuid, 'zone', coalesce(%(zone)s::text, p.timezone, 'UTC'),
      'days', extract(day FROM lead)::int,
      'seconds', (extract(epoch FROM lead) - 86400 * extract(day FROM lead))::int)))
    AS fields
  FROM todo.preferences p, CAST(p.remind AS interval) AS lead
  WHERE p.user_id = %(me)s::uuid AND p.remind IS NOT NULL),
added AS MATERIALIZED (
  SELECT x.task || jsonb_build_object(
      'number', last + place, 'rev', seq, 'created_at', now, 'updated_at', now)
    || coalesce((
      SELECT fields FROM preferred WHERE place = ANY (%(default_project)s::bigint[])), '{{}}')
    || coalesce((
      SELECT fields FROM usual WHERE place = ANY (%(default_reminder)s::bigint[])), '{{}}')
    AS task, place
  FROM counters, jsonb_array_elements(%(rows)s::jsonb) WITH ORDINALITY AS x(task, place)),
stored AS (
  INSERT INTO todo.tasks (space_id, {list_columns(COLUMNS)})
  SELECT %(space)s::uuid, {list_columns(COLUMNS, "r.")}
  FROM added, jsonb_populate_record(NULL::todo.tasks, added.task) AS r),
tagged AS (
  INSERT INTO todo.task_tags (space_id, number, tag)
  SELECT %(space)s::uuid, (added.task ->> 'number')::bigint, tag
  FROM added, jsonb_array_elements_text(added.task -> 'tags') AS tag),
entry AS (
  SELECT seq, '[]'::jsonb AS before, (SELECT jsonb_agg(task ORDER BY place) FROM added) AS after,
    NULL::jsonb AS texts, NULL::jsonb AS answer
  FROM counters),
change AS ({INSERT_CHANGE})
SELECT json_build_object('is_new', true, 'same', true, 'seq', seq, 'after', after)::text
FROM change
UNION ALL
SELECT json_build_object('is_new', false, 'same', same, 'seq', seq, 'after', after)::text
FROM known""")

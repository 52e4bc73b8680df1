"""The statements that read and store the sources of imported tasks."""

from __future__ import annotations

from typing import LiteralString

from todo_cli.contract.limits import MAX_IMPORTED_TASKS
from todo_cli.core.history.load_changes import IS_UNDONE
from todo_cli.core.tasks.load_sql import (
    ANCESTORS,
    DEPENDENCIES,
    MEMBERS,
    ancestors_cte,
    dependencies_cte,
    load_statement,
)
from todo_cli.db.sql import Sql

# What the file brought before. A task that an undo put in the trash is imported anew, into its old row.
_IMPORTED: LiteralString = """imported AS MATERIALIZED (
  SELECT s.source_id, s.number, s.seq, s.digest, t.status, t.parent
  FROM todo.task_sources s
    JOIN todo.tasks t ON t.space_id = s.space_id AND t.number = s.number
  WHERE s.space_id = %(space)s::uuid AND s.format = %(format)s AND s.name = %(name)s
    AND s.source_id = ANY (%(source_ids)s::text[]))"""

# An export of this list comes back to it: its tasks are here, and no import brought them.
_SOURCES: LiteralString = """sources AS MATERIALIZED (
  SELECT * FROM imported
  UNION ALL
  SELECT t.id::text, t.number, 0, '', t.status, t.parent
  FROM todo.tasks t
  WHERE t.space_id = %(space)s::uuid AND t.id = ANY (%(own_uuids)s::uuid[])
    AND t.id::text NOT IN (SELECT source_id FROM imported))"""

_IMPORTS: LiteralString = f"""imports AS MATERIALIZED (
  SELECT c.seq, c.group_id, c.request ->> 'file' AS file, {IS_UNDONE} AS is_undone
  FROM todo.changes c
  WHERE c.space_id = %(space)s::uuid AND c.seq = ANY (ARRAY(SELECT DISTINCT seq FROM sources)))"""

_UNDONE: LiteralString = """undone AS MATERIALIZED (
  SELECT s.number FROM sources s JOIN imports i ON i.seq = s.seq
  WHERE i.is_undone AND s.status = 'deleted')"""

_CHANGED: LiteralString = """changed AS MATERIALIZED (
  SELECT s.number, s.seq FROM sources s
    JOIN imports i ON i.seq = s.seq
    JOIN unnest(%(own_ids)s::text[], %(digests)s::text[]) AS file (source_id, digest)
      ON file.source_id = s.source_id
  WHERE %(update)s::boolean AND (s.digest <> file.digest OR i.is_undone)
    AND s.number NOT IN (SELECT number FROM undone))"""

# What the file had before of the tasks that have changed in it: their rows after the import, before an undone one.
_FORMER_ROWS: LiteralString = """(
    SELECT json_agg(json_build_object('texts', coalesce(c.texts, '{}'), 'rows', (
      SELECT coalesce(json_agg(row), '[]') FROM changed ch, jsonb_array_elements(
        CASE WHEN i.is_undone THEN c.before ELSE c.after END) AS row
      WHERE ch.seq = c.seq AND (row ->> 'number')::bigint = ch.number)))
    FROM imports i
      JOIN todo.changes c ON c.space_id = %(space)s::uuid AND c.seq = i.seq
    WHERE i.seq IN (SELECT seq FROM changed))"""

LOAD_IMPORT = load_statement(
    (
        _IMPORTED,
        _SOURCES,
        _IMPORTS,
        _UNDONE,
        _CHANGED,
        ancestors_cte("ARRAY(SELECT number FROM sources WHERE parent IS NOT NULL)"),
        dependencies_cte("""ARRAY(SELECT number FROM sources
    WHERE EXISTS (SELECT FROM undone) OR EXISTS (SELECT FROM changed))"""),
    ),
    "ARRAY(SELECT number FROM undone UNION SELECT number FROM changed)",
    f""",
  'sources', coalesce((
    SELECT json_agg(json_build_object(
      'source_id', source_id, 'number', number, 'digest', digest, 'seq', seq,
      'is_undone', number IN (SELECT number FROM undone),
      'is_changed', number IN (SELECT number FROM changed)))
    FROM sources), '[]'),
  'former', coalesce({_FORMER_ROWS}, '[]'),
  'occurrences', coalesce((
    SELECT json_agg(json_build_array(series, occurrence, number)) FROM todo.tasks
    WHERE space_id = %(space)s::uuid AND series = ANY (%(series)s::uuid[])), '[]'),
  'group', (SELECT i.group_id FROM imports i
    WHERE NOT i.is_undone AND i.file = %(file)s ORDER BY i.seq DESC LIMIT 1)
  {ANCESTORS}{DEPENDENCIES}{MEMBERS}""",
)

_PENDING: LiteralString = f"""waiting AS MATERIALIZED (
  SELECT s.source_id, s.number, s.pending, s.left_out FROM todo.task_sources s
  WHERE s.space_id = %(space)s::uuid AND s.format = %(format)s AND s.name = %(name)s
    AND s.pending IS NOT NULL
  ORDER BY s.number LIMIT {MAX_IMPORTED_TASKS})"""

_TARGETS: LiteralString = """targets AS MATERIALIZED (
  SELECT s.source_id, s.number FROM todo.task_sources s
  WHERE s.space_id = %(space)s::uuid AND s.format = %(format)s AND s.name = %(name)s
    AND s.source_id = ANY (ARRAY(
      SELECT pending ->> 'parent' FROM waiting
      UNION
      SELECT jsonb_array_elements_text(coalesce(pending -> 'after', '[]')) FROM waiting)))"""

LOAD_PENDING = load_statement(
    (
        _PENDING,
        _TARGETS,
        ancestors_cte("ARRAY(SELECT number FROM targets)"),
        dependencies_cte("ARRAY(SELECT number FROM targets)"),
    ),
    "ARRAY(SELECT number FROM waiting)",
    f""",
  'pending', coalesce((SELECT json_agg(waiting ORDER BY number) FROM waiting), '[]'),
  'targets', coalesce((SELECT json_agg(json_build_array(source_id, number)) FROM targets), '[]')
  {ANCESTORS}{DEPENDENCIES}""",
)

SOURCE_COLUMNS: LiteralString = """number, seq, digest, kept_format, kept_id, kept, series,
  left_out, pending, has_created_at"""

STORE_SOURCES = Sql(f"""
INSERT INTO todo.task_sources (space_id, format, name, source_id, {SOURCE_COLUMNS})
SELECT %(space)s::uuid, %(format)s, %(name)s, source_id, {SOURCE_COLUMNS}
FROM jsonb_populate_recordset(NULL::todo.task_sources, %(sources)s::jsonb)
ON CONFLICT (space_id, format, name, source_id) DO UPDATE SET
  (seq, digest, kept_format, kept_id, kept, series, left_out, pending, has_created_at)
  = (excluded.seq, excluded.digest, excluded.kept_format, excluded.kept_id, excluded.kept,
     excluded.series, excluded.left_out, excluded.pending, excluded.has_created_at)""")

STORE_COMMENTS = Sql("""
INSERT INTO todo.comments (space_id, number, id, text, imported)
SELECT %(space)s::uuid, r.number, r.id, r.text, r.imported
FROM jsonb_populate_recordset(NULL::todo.comments, %(comments)s::jsonb) AS r
WHERE NOT EXISTS (
  SELECT FROM todo.comments c
  WHERE c.space_id = %(space)s::uuid AND c.number = r.number AND c.imported IS NOT NULL
    AND (c.text = r.text OR c.imported = r.imported AND r.imported ->> 'at' IS NOT NULL))""")

SETTLE_PENDING = Sql("""
UPDATE todo.task_sources s SET (left_out, pending) = ROW(r.left_out, NULL)
FROM jsonb_populate_recordset(NULL::todo.task_sources, %(sources)s::jsonb) AS r
WHERE s.space_id = %(space)s::uuid AND s.format = %(format)s AND s.name = %(name)s
  AND s.source_id = r.source_id""")

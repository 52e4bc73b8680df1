"""The SQL of the parts of a load that read the journal; `load_sql.py` puts the parts together."""

from __future__ import annotations

from typing import LiteralString

from todo_cli.core.journal_texts import texts_of

MAX_COMPARED_CHANGES = 100  # the newest of a space, in which an identical task is looked for
SIMILAR_MINUTES = 10  # an identical task that is older is meant

KNOWN: LiteralString = """(
    SELECT json_build_object('same', c.request_hash = %(hash)s::bytea, 'seq', c.seq,
      'before', coalesce(c.before, '[]'), 'after', coalesce(c.after, '[]'),
      'texts', coalesce(c.texts, '{}'))
    FROM todo.changes c
    WHERE c.space_id = %(space)s::uuid AND c.user_id = %(me)s::uuid AND c.key = %(key)s::text)"""

LATER_CHANGES: LiteralString = f""",
  'later_changes', coalesce((SELECT json_agg(json_build_object(
      'number', rows.number,
      'user', (SELECT p.name FROM todo.changes c CROSS JOIN todo.find_members(ARRAY[c.user_id]) p
        WHERE c.space_id = %(space)s::uuid AND c.seq = rows.rev),
      'expected', expected.row, 'texts', {texts_of("expected.row", "expected.texts")}))
    FROM (
        SELECT rows.number, rows.rev, coalesce(e.rev, %(if_rev)s::bigint) AS expected_rev
        FROM rows
          LEFT JOIN unnest(%(numbers)s::bigint[], %(if_revs)s::bigint[]) AS e(number, rev)
            ON e.number = rows.number) AS rows
      LEFT JOIN LATERAL (
        SELECT c.texts, jsonb_path_query_first(
          c.after, '$[*] ? (@.number == $number)', jsonb_build_object('number', rows.number)) AS row
        FROM todo.changes c WHERE c.space_id = %(space)s::uuid AND c.seq = rows.expected_rev
      ) AS expected ON true
    WHERE rev <> expected_rev), '[]')"""

# A bounded part of the journal: the key of an index is the user and the seq, and none is the hash.
SIMILAR: LiteralString = f""",
  'similar', (SELECT json_build_object(
      'number', t.number,
      'seconds_ago', floor(extract(epoch FROM clock_timestamp() - added.at))::int)
    FROM (
      SELECT (c.after #>> '{{0,number}}')::bigint AS number, c.seq, c.at
      FROM todo.changes c
      WHERE c.space_id = %(space)s::uuid AND c.user_id = %(me)s::uuid AND c.undoes IS NULL
        AND c.seq > s.seq - {MAX_COMPARED_CHANGES} AND c.request_hash = %(hash)s::bytea
        AND c.at > clock_timestamp() - interval '{SIMILAR_MINUTES} minutes'
      OFFSET 0) AS added
    CROSS JOIN LATERAL ( -- a join would read all tasks of the space
      SELECT n.number FROM todo.tasks n
      WHERE n.space_id = %(space)s::uuid AND n.number = added.number AND n.status <> 'deleted'
      OFFSET 0) AS t
    ORDER BY added.seq DESC LIMIT 1)"""

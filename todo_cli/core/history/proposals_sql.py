"""The SQL of proposals."""

from __future__ import annotations

from typing import LiteralString

from todo_cli.core.history.moved_tasks import JOIN_LAST_CHANGE, MOVED_TASK
from todo_cli.core.journal import build_journaled
from todo_cli.core.json_sql import format_instant
from todo_cli.db.sql import Sql

LIFE = "30 days"

_MOVED: LiteralString = """(
    SELECT coalesce(jsonb_agg(shown.number ORDER BY shown.number), '[]')
      FROM jsonb_to_recordset(p.before) AS shown(number bigint, rev bigint)
      LEFT JOIN todo.tasks t ON t.space_id = p.space_id AND t.number = shown.number
     WHERE t.rev IS DISTINCT FROM shown.rev)"""

IMAGE: LiteralString = f"""jsonb_build_object(
    'id', p.id, 'verb', p.verb, 'arguments', p.arguments, 'before', p.before, 'after', p.after,
    'state', CASE WHEN p.state = 'open' AND p.expires_at <= clock_timestamp() THEN 'expired'
      ELSE p.state END,
    'user', coalesce((SELECT m.name FROM todo.space_members() m WHERE m.id = p.user_id), ''),
    'token', coalesce((SELECT k.name FROM todo.tokens k
      WHERE k.user_id = p.user_id AND k.id = p.token_id), ''),
    'made_at', {format_instant("p.made_at")}, 'expires_at', {format_instant("p.expires_at")},
    'moved', CASE WHEN p.state = 'open' THEN {_MOVED} ELSE '[]' END,
    'decided_at', {format_instant("p.decided_at")},
    'decided_by', (SELECT m.name FROM todo.space_members() m WHERE m.id = p.decided_by),
    'reason', p.reason, 'change', p.seq)"""

STORE = Sql(f"""
WITH stored AS (
  INSERT INTO todo.proposals (space_id, id, verb, arguments, before, after, expires_at)
  VALUES (%(space)s::uuid, %(id)s::uuid, %(verb)s, %(arguments)s::jsonb, %(before)s::jsonb,
    %(after)s::jsonb, clock_timestamp() + interval '{LIFE}')
  ON CONFLICT (space_id, id) DO NOTHING RETURNING *)
SELECT {IMAGE}::text FROM (
  SELECT * FROM stored
  UNION ALL
  SELECT * FROM todo.proposals WHERE space_id = %(space)s::uuid AND id = %(id)s::uuid) AS p
LIMIT 1""")

LIST = Sql(f"""
SELECT json_build_object('proposals', coalesce(
    json_agg({IMAGE} ORDER BY p.made_at DESC, p.id), '[]'))::text
  FROM (
    SELECT * FROM todo.proposals
     WHERE space_id = %(space)s::uuid
       AND (id = %(id)s::uuid
         OR %(id)s::uuid IS NULL
         AND (%(all)s::boolean OR state = 'open' AND expires_at > clock_timestamp()))
     ORDER BY made_at DESC, id LIMIT %(limit)s::int) AS p""")

APPROVE = Sql(f"""
SELECT ({IMAGE} || jsonb_build_object('is_repeated', p.decided_at < statement_timestamp()))::text
  FROM todo.decide_proposal(%(id)s::uuid, 'approved', NULL) AS p""")

FIND_MOVED = Sql(f"""
SELECT json_build_object('tasks', coalesce(
    json_agg({MOVED_TASK} ORDER BY moved.number), '[]'))::text
  FROM todo.proposals p
  CROSS JOIN LATERAL jsonb_to_recordset(p.before) AS moved(number bigint, rev bigint)
  {JOIN_LAST_CHANGE}
 WHERE p.space_id = %(space)s::uuid AND p.id = %(id)s::uuid AND t.rev IS DISTINCT FROM moved.rev""")

REJECT = build_journaled(f"""
  SELECT {IMAGE} - 'before' - 'after' || '{{"differences": []}}' AS answer
    FROM todo.decide_proposal(%(id)s::uuid, 'rejected', %(reason)s) AS p
   WHERE NOT EXISTS (SELECT FROM known)""")

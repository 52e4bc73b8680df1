"""The statements over conversations."""

from __future__ import annotations

from typing import LiteralString

from todo_cli.core.json_sql import format_instant
from todo_cli.core.turns.replay import MESSAGE_JSON
from todo_cli.db.sql import Sql

_JSON: LiteralString = f"""json_build_object(
    'number', c.number, 'id', c.id, 'title', c.title, 'model', c.model, 'head', c.head,
    'turn', c.turn_id, 'state', (
      SELECT t.state FROM todo.turns t
       WHERE t.space_id = c.space_id AND t.user_id = c.user_id AND t.id = c.turn_id),
    'created_at', {format_instant("c.created_at")}, 'updated_at', {format_instant("c.updated_at")},
    'deleted_at', {format_instant("c.deleted_at")})"""
_BY_NUMBER: LiteralString = """c.space_id = %(space)s::uuid AND c.user_id = %(me)s::uuid
   AND c.number = %(number)s::bigint"""
_NOT_DELETED: LiteralString = f"{_BY_NUMBER} AND c.deleted_at IS NULL"

LIST = Sql(f"""
SELECT json_build_object('conversations', coalesce(
    json_agg({_JSON} ORDER BY c.updated_at DESC, c.number DESC), '[]'))::text
  FROM (
    SELECT * FROM todo.conversations
     WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid
       AND (deleted_at IS NOT NULL) = %(deleted)s::boolean
       AND (updated_at, number) < (%(at)s::timestamptz, %(number)s::bigint)
     ORDER BY updated_at DESC, number DESC LIMIT %(limit)s::int) AS c""")

SHOW = Sql(f"""
WITH RECURSIVE conversation AS MATERIALIZED (
  SELECT c.* FROM todo.conversations c WHERE {_NOT_DELETED}),
branch AS (
  SELECT m.*, coalesce(m.parent_of, m.conversation_id) AS parent_conversation, 1 AS place
    FROM (
      SELECT coalesce(%(from)s::uuid, head_of, id) AS id, coalesce(%(seq)s::bigint, head) AS seq
        FROM conversation OFFSET 0) AS start
    JOIN todo.messages m
      ON m.space_id = %(space)s::uuid AND m.user_id = %(me)s::uuid
     AND m.conversation_id = start.id AND m.seq = start.seq
  UNION ALL
  SELECT parent.*, coalesce(parent.parent_of, parent.conversation_id), b.place + 1
    FROM branch b CROSS JOIN LATERAL (
      SELECT * FROM todo.messages m
       WHERE m.space_id = %(space)s::uuid AND m.user_id = %(me)s::uuid
         AND m.conversation_id = b.parent_conversation AND m.seq = b.parent OFFSET 0) AS parent
   WHERE b.place < %(limit)s::int)
SELECT json_build_object(
    'conversation', (SELECT {_JSON} FROM conversation c),
    'messages', (SELECT coalesce(json_agg({MESSAGE_JSON} ORDER BY place DESC), '[]') FROM branch m),
    'next', (SELECT coalesce(parent_of, conversation_id) || ' ' || parent
               FROM branch WHERE place = %(limit)s::int))::text
  FROM conversation""")

RENAME = Sql(f"UPDATE todo.conversations c SET title = %(title)s WHERE {_NOT_DELETED} RETURNING {_JSON}::text")

# `is_turn_end`: the message ends a turn, so that a branch may continue from it
FIND = Sql(f"""
SELECT json_build_object('conversation', {_JSON}, 'is_turn_end', %(at)s::bigint = 0 OR EXISTS (
    SELECT FROM todo.messages m
     WHERE m.space_id = c.space_id AND m.user_id = c.user_id AND m.conversation_id = c.id
       AND m.seq = %(at)s::bigint
       AND m.role = 'assistant' AND m.calls IS NULL AND m.status <> 'dead'))::text
  FROM todo.conversations c WHERE {_NOT_DELETED}""")

REMOVE = Sql(f"""
WITH deletion AS (
  UPDATE todo.conversations c SET deleted_at = coalesce(c.deleted_at, clock_timestamp())
   WHERE {_BY_NUMBER} AND NOT EXISTS (
     SELECT FROM todo.turns t
      WHERE t.space_id = c.space_id AND t.user_id = c.user_id AND t.id = c.turn_id
        AND t.state IN ('running', 'awaiting', 'answered'))
  RETURNING c.*)
SELECT json_build_object(
    'conversation', {_JSON}, 'is_deleted', EXISTS (SELECT FROM deletion))::text
  FROM (
    SELECT * FROM deletion
    UNION ALL
    SELECT c.* FROM todo.conversations c
     WHERE {_BY_NUMBER} AND NOT EXISTS (SELECT FROM deletion)) AS c""")

RESTORE = Sql(f"UPDATE todo.conversations c SET deleted_at = NULL WHERE {_BY_NUMBER} RETURNING {_JSON}::text")

REWIND = Sql(f"""
WITH prompt AS MATERIALIZED (
  SELECT m.*, t.state
    FROM todo.turns t
    JOIN todo.conversations c
      ON c.space_id = t.space_id AND c.user_id = t.user_id AND c.id = t.conversation_id
    JOIN todo.messages m
      ON m.space_id = t.space_id AND m.user_id = t.user_id
     AND m.conversation_id = t.conversation_id AND m.seq = t.asked
   WHERE t.space_id = %(space)s::uuid AND t.user_id = %(me)s::uuid AND t.id = %(turn)s::uuid
     AND c.deleted_at IS NULL),
rewound AS (
  UPDATE todo.conversations c
     SET head = p.parent, head_of = p.parent_of, updated_at = clock_timestamp()
    FROM prompt p
   WHERE c.space_id = %(space)s::uuid AND c.user_id = %(me)s::uuid AND c.id = p.conversation_id
     AND p.state IN ('done', 'stopped', 'failed')
  RETURNING c.*)
SELECT json_build_object(
    'state', p.state, 'text', p.content, 'conversation', (SELECT {_JSON} FROM rewound c))::text
  FROM prompt p""")

LOCK_BY_NUMBER = Sql(f"SELECT 1 FROM todo.conversations c WHERE {_NOT_DELETED} FOR NO KEY UPDATE")

MOVE_HEAD = Sql(f"""
UPDATE todo.conversations c
   SET head = nullif(%(at)s::bigint, 0), head_of = NULL, updated_at = clock_timestamp()
 WHERE {_NOT_DELETED} RETURNING {_JSON}::text""")

FORK = Sql(f"""
INSERT INTO todo.conversations (space_id, id, title, model, head, head_of)
SELECT %(space)s::uuid, %(id)s::uuid, c.title, c.model,
       coalesce(%(at)s::bigint, c.head),
       CASE
         WHEN %(at)s::bigint IS NOT NULL THEN c.id
         WHEN c.head IS NOT NULL THEN coalesce(c.head_of, c.id)
       END
  FROM todo.conversations c
 WHERE {_NOT_DELETED} AND NOT EXISTS (
   SELECT FROM todo.conversations
    WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid AND id = %(id)s::uuid)""")

READ_BY_ID = Sql(f"""
SELECT {_JSON}::text FROM todo.conversations c
 WHERE c.space_id = %(space)s::uuid AND c.user_id = %(me)s::uuid AND c.id = %(id)s::uuid""")

"""What is scheduled for the caller, what was sent, and trying dead jobs again."""

from __future__ import annotations

from typing import LiteralString

from todo_cli.contract import jobs as ask
from todo_cli.contract.codec import decode
from todo_cli.contract.jobs import JobPage, RetriedJobs
from todo_cli.core.dispatch import handler
from todo_cli.core.journal import build_journaled, run_journaled
from todo_cli.core.json_sql import format_instant
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import NotFound


def delivery_json(delivery: LiteralString, title: LiteralString = "NULL::text") -> LiteralString:
    """Return the contract's `Delivery` of a row of todo.deliveries."""
    return f"""jsonb_build_object(
    'id', {delivery}.id, 'kind', {delivery}.kind, 'channel', {delivery}.channel,
    'state', {delivery}.state, 'task', {delivery}.number, 'title', {title},
    'moment', {format_instant(f"{delivery}.moment")}, 'seq', {delivery}.seq,
    'at', {format_instant(f"{delivery}.updated_at")}, 'error', {delivery}.error)"""


LIST = Sql(f"""
WITH jobs AS (
  SELECT j.*, t.title FROM todo.user_jobs(%(number)s::bigint, %(limit)s::int) j
    LEFT JOIN todo.tasks t ON t.space_id = %(space)s::uuid AND t.number = j.number),
deliveries AS (
  SELECT d.*, t.title FROM (
      SELECT * FROM todo.deliveries
       WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid
         AND (%(number)s::bigint IS NULL OR number = %(number)s::bigint)
       ORDER BY updated_at DESC LIMIT %(limit)s::int) AS d
    LEFT JOIN todo.tasks t ON t.space_id = %(space)s::uuid AND t.number = d.number)
SELECT json_build_object(
  'jobs', coalesce((SELECT json_agg(json_build_object(
      'id', j.id, 'kind', j.kind,
      'state', CASE WHEN j.dead_at IS NOT NULL THEN 'dead' WHEN j.tries > 0 THEN 'retrying'
        ELSE 'scheduled' END,
      'about', CASE j.kind WHEN 'reminder' THEN '#' || j.number ELSE j.ref END,
      'task', j.number, 'title', j.title, 'moment', {format_instant("j.moment")},
      'due', {format_instant("j.due")}, 'tries', j.tries, 'error', j.error)
    ORDER BY j.dead_at DESC NULLS LAST, j.due, j.id) FROM jobs j), '[]'),
  'deliveries', coalesce((SELECT json_agg({delivery_json("d", "d.title")}
    ORDER BY d.updated_at DESC, d.id) FROM deliveries d), '[]'))::text""")

RETRY = build_journaled("""
  SELECT jsonb_build_object('retried', r.retried) AS answer
    FROM todo.retry_jobs(%(id)s::uuid) AS r(retried) WHERE NOT EXISTS (SELECT FROM known)""")


@handler(ask.ListJobs)
async def list_jobs(tx: Transaction, request: ask.ListJobs) -> JobPage:
    """List the caller's jobs and deliveries in this space, of one task where the request names it."""
    return decode(await tx.finish(LIST, number=request.number, limit=request.limit) or "", JobPage)


@handler(ask.RetryJobs)
async def retry_jobs(tx: Transaction, request: ask.RetryJobs) -> RetriedJobs:
    """Make dead jobs and letters due again; raises NotFound for an id that names none."""
    answer = await run_journaled(tx, RETRY, request, "nothing was retried", id=request.id)
    if request.id and not answer.retried:
        raise NotFound(f"you have no dead job or letter {request.id}", hint="see them with: todo jobs list")
    return answer

"""The usage of models, which the database counts by the user's own days."""

from __future__ import annotations

from datetime import date, datetime
from typing import LiteralString

from todo_cli.contract import usage as ask
from todo_cli.contract.codec import decode
from todo_cli.contract.usage import UsagePage
from todo_cli.contract.users import User
from todo_cli.core import validation
from todo_cli.core.accounts.budget_sql import BUDGET
from todo_cli.core.accounts.users import USER
from todo_cli.core.dispatch import handler
from todo_cli.core.journal import build_journaled, run_journaled
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import NotFound

_SUMS: LiteralString = """
    sum(calls) AS calls, sum(prompt) AS prompt, sum(completion) AS completion,
    sum(cached) AS cached, sum(reasoning) AS reasoning"""
_COUNTS_JSON: LiteralString = """
    'calls', calls, 'prompt', prompt, 'completion', completion, 'cached', cached,
    'reasoning', reasoning, 'costs', costs"""
_COSTS: LiteralString = """
    coalesce(json_object_agg(currency, trim_scale(cost)::text) FILTER (WHERE currency <> ''), '{}')
      AS costs"""

# costs are summed for each currency first, then collected in one object
READ = Sql(f"""
WITH own_usage AS MATERIALIZED (
  SELECT u.*, c.number, c.title
    FROM todo.usage u
    LEFT JOIN todo.conversations c
      ON c.space_id = %(space)s::uuid AND c.space_id = u.space_id AND c.id = u.conversation_id
   WHERE u.user_id = %(me)s::uuid AND u.day >= %(since)s::date
     AND (%(number)s::bigint IS NULL OR c.number = %(number)s::bigint)),
keyed_usage AS (
  SELECT CASE WHEN %(by)s::text = 'day' THEN day END AS day,
         CASE WHEN %(by)s::text = 'model' THEN model END AS model,
         CASE WHEN %(by)s::text = 'conversation' THEN number END AS number,
         CASE WHEN %(by)s::text = 'conversation' THEN title END AS title,
         currency, cost, calls, prompt, completion, cached, reasoning
    FROM own_usage),
currency_sums AS (
  SELECT day, model, number, title, currency, sum(cost) AS cost, {_SUMS}
    FROM keyed_usage GROUP BY 1, 2, 3, 4, 5),
sums AS (
  SELECT day, model, number, title, {_SUMS}, {_COSTS}
    FROM currency_sums GROUP BY 1, 2, 3, 4
   ORDER BY day DESC, sum(prompt) + sum(completion) DESC, number DESC LIMIT %(limit)s::int),
usage_rows AS (
  SELECT json_build_object(
           'day', day, 'model', model, 'conversation', number, 'title', title, {_COUNTS_JSON})
           AS usage_row,
         row_number() OVER () AS place
    FROM sums),
total AS (
  SELECT coalesce(sum(calls), 0) AS calls, coalesce(sum(prompt), 0) AS prompt,
         coalesce(sum(completion), 0) AS completion, coalesce(sum(cached), 0) AS cached,
         coalesce(sum(reasoning), 0) AS reasoning, {_COSTS}
    FROM (SELECT currency, sum(cost) AS cost, {_SUMS} FROM own_usage GROUP BY 1) AS x)
SELECT json_build_object(
    'used', (SELECT coalesce(json_agg(usage_row ORDER BY place), '[]') FROM usage_rows),
    'total', (SELECT json_build_object({_COUNTS_JSON}) FROM total),
    'budget', {BUDGET},
    'is_known', %(number)s::bigint IS NULL OR EXISTS (
      SELECT FROM todo.conversations c
       WHERE c.space_id = %(space)s::uuid AND c.user_id = %(me)s::uuid
         AND c.number = %(number)s::bigint))::text""")

SET_BUDGET = build_journaled(f"""
  SELECT {USER} AS answer FROM todo.set_token_budget(%(name)s, %(tokens)s::bigint) u
   WHERE NOT EXISTS (SELECT FROM known)""")


class _UsageAnswer(UsagePage, frozen=True, kw_only=True):
    """A page, and whether the caller has the conversation that the request names."""

    is_known: bool


@handler(ask.ReadUsage)
async def read_usage(tx: Transaction, request: ask.ReadUsage) -> UsagePage:
    """Read usage in one round trip; in two for a relative date."""
    since = await _read_day(tx, request.since) if request.since else "-infinity"
    values = {"by": request.by, "number": request.number, "since": since, "limit": request.limit}
    answer = decode(await tx.finish(READ, **values) or "", _UsageAnswer)
    if not answer.is_known:
        raise NotFound(f"you have no conversation {request.number}", hint="see: todo chat list")
    return UsagePage(used=answer.used, total=answer.total, budget=answer.budget)


async def _read_day(tx: Transaction, text: str) -> str:
    """Return the day that a text names, in the caller's time zone."""
    when: date | datetime = await validation.read_date(tx, text)
    return (when.date() if isinstance(when, datetime) else when).isoformat()


@handler(ask.SetBudget)
async def set_budget(tx: Transaction, request: ask.SetBudget) -> User:
    """Set a user's daily token budget; raises NotFound."""
    return await run_journaled(
        tx,
        SET_BUDGET,
        request,
        f"there is no user {request.name!r}",
        name=request.name,
        tokens=request.tokens_per_day,
    )

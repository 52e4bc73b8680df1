"""Preferences of a user: read, and set one by one."""

from __future__ import annotations

from typing import Any, LiteralString

from msgspec import UNSET

from todo_cli.contract.codec import decode
from todo_cli.contract.preferences import Preferences, SetPreferences, ShowPreferences
from todo_cli.core import validation
from todo_cli.core.dispatch import handler
from todo_cli.core.filters.sorting import Order
from todo_cli.core.journal import build_journaled, run_journaled
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid

_JSON: LiteralString = """jsonb_build_object(
      'timezone', p.timezone, 'week_start', p.week_start, 'dates', p.dates,
      'language', p.language, 'theme', p.theme, 'signs', p.signs, 'project', p.project,
      'sort', p.sort, 'confirm', p.confirm, 'pager', p.pager, 'hints', p.hints, 'remind', p.remind,
      'model', p.model, 'budget', p.tokens_per_day, 'show_usage', p.show_usage, 'rev', p.rev)"""

SHOW = Sql(f"""
SELECT {_JSON}::text FROM todo.preferences p WHERE p.user_id = %(me)s::uuid""")

SET = build_journaled(f"""
  INSERT INTO todo.preferences AS p (user_id, timezone, week_start, dates, language, theme, signs,
    project, sort, confirm, pager, hints, remind, model, tokens_per_day, show_usage, rev)
  SELECT %(me)s::uuid, %(timezone)s, %(week_start)s, %(dates)s, %(language)s, %(theme)s, %(signs)s,
    %(project)s, %(sort)s, %(confirm)s, %(pager)s::boolean, %(hints)s::boolean, %(remind)s,
    %(model)s, %(budget)s::bigint, %(show_usage)s::boolean, 1
   WHERE NOT EXISTS (SELECT FROM known)
  ON CONFLICT (user_id) DO UPDATE SET
    timezone = CASE WHEN 'timezone' = ANY (%(changed)s::text[])
      THEN excluded.timezone ELSE p.timezone END,
    week_start = CASE WHEN 'week_start' = ANY (%(changed)s::text[])
      THEN excluded.week_start ELSE p.week_start END,
    dates = CASE WHEN 'dates' = ANY (%(changed)s::text[])
      THEN excluded.dates ELSE p.dates END,
    language = CASE WHEN 'language' = ANY (%(changed)s::text[])
      THEN excluded.language ELSE p.language END,
    theme = CASE WHEN 'theme' = ANY (%(changed)s::text[])
      THEN excluded.theme ELSE p.theme END,
    signs = CASE WHEN 'signs' = ANY (%(changed)s::text[])
      THEN excluded.signs ELSE p.signs END,
    project = CASE WHEN 'project' = ANY (%(changed)s::text[])
      THEN excluded.project ELSE p.project END,
    sort = CASE WHEN 'sort' = ANY (%(changed)s::text[])
      THEN excluded.sort ELSE p.sort END,
    confirm = CASE WHEN 'confirm' = ANY (%(changed)s::text[])
      THEN excluded.confirm ELSE p.confirm END,
    pager = CASE WHEN 'pager' = ANY (%(changed)s::text[])
      THEN excluded.pager ELSE p.pager END,
    hints = CASE WHEN 'hints' = ANY (%(changed)s::text[])
      THEN excluded.hints ELSE p.hints END,
    remind = CASE WHEN 'remind' = ANY (%(changed)s::text[])
      THEN excluded.remind ELSE p.remind END,
    model = CASE WHEN 'model' = ANY (%(changed)s::text[])
      THEN excluded.model ELSE p.model END,
    tokens_per_day = CASE WHEN 'budget' = ANY (%(changed)s::text[])
      THEN excluded.tokens_per_day ELSE p.tokens_per_day END,
    show_usage = CASE WHEN 'show_usage' = ANY (%(changed)s::text[])
      THEN excluded.show_usage ELSE p.show_usage END,
    rev = p.rev + 1
  RETURNING {_JSON} AS answer""")


@handler(ShowPreferences)
async def show_preferences(tx: Transaction, request: ShowPreferences) -> Preferences:
    """Return the caller's preferences; without a row all of them are null."""
    return decode(await tx.finish(SHOW) or "{}", Preferences)


@handler(SetPreferences)
async def set_preferences(tx: Transaction, request: SetPreferences) -> Preferences:
    """Set preferences; raises Invalid for a value that no task, list or date could use."""
    names = SetPreferences.__struct_fields__
    given = {name: value for name in names if (value := getattr(request, name)) is not UNSET}
    checked = {name: None if value is None else _check(name, value) for name, value in given.items()}
    values = dict.fromkeys(names) | checked
    return await run_journaled(tx, SET, request, "nothing was changed", **values, changed=list(given))


def _check(name: str, value: Any) -> Any:
    """Return the value as it is stored; raises Invalid."""
    match name:
        case "timezone":
            from todo_cli.parsing.dates import zone_of

            zone_of(value)
        case "model":
            return validation.check_line("model", value)
        case "project":
            return validation.read_project(value)
        case "sort":
            if "rank" in (key.name for key in Order(value).keys):
                raise Invalid(
                    "the sort rank needs words to search for", hint="choose another default, such as: urgency"
                )
        case "remind":
            from todo_cli.parsing.durations import parse_duration
            from todo_cli.parsing.reminders import SECONDS_PER_DAY, format_length

            # in this form Postgres reads it as an interval
            return format_length(*divmod(round(parse_duration(value)), SECONDS_PER_DAY))
    return value

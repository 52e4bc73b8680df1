"""Urgency: one number that ranks tasks; the higher, the sooner a task is to be done.

The sum of what applies to a task, each weighed as below. Weights and curves are Taskwarrior's defaults (taskrc(5), "urgency
coefficients", and Task::urgency_due of version 3): what its users are used to. `overdue` is our own: without it, a project
and a tag put a task of tomorrow above an equally important one that is late.

    due         12    x 1 from a week overdue on, falling straight to x 0.2 two weeks ahead, x 0.2 further away
    overdue      5    its due date has passed
    blocking     8    an open task waits for it
    priority    6 / 3.9 / 1.8  for p1 / p2 / p3
    scheduled    5    its day has come
    active       4    it has been started
    age          2    x days since it was added / 365, at most x 1
    comments     1    x 0.8 for one, 0.9 for two, 1 for more
    tags         1    likewise
    project      1    it is in one
    next        15    it has the tag `next`
    deferred    -3    it is put off to later
    blocked     -5    it waits for an open task

A day without a time counts from its end, in UTC.
"""

from __future__ import annotations

from typing import LiteralString

from todo_cli.core.filters.fields_sql import BLOCKED, BLOCKING, NOW, TAGGED

_SPACE: LiteralString = "space_id = %(space)s::uuid"


def _days_since(instant: LiteralString) -> LiteralString:
    return f"extract(epoch FROM {NOW} - {instant}) / 86400.0"


def _saturate(count: LiteralString) -> LiteralString:
    return f"CASE ({count}) WHEN 0 THEN 0 WHEN 1 THEN 0.8 WHEN 2 THEN 0.9 ELSE 1 END"


def _as_number(condition: LiteralString) -> LiteralString:
    return f"({condition})::int"


WEIGHTS: dict[str, tuple[LiteralString, LiteralString]] = {  # what -> its weight, how much of it applies
    "due": (
        "12.0",
        f"""CASE WHEN t.due_sort = 'infinity' THEN 0
      ELSE 0.2 + 0.8 * greatest(0, least(21, {_days_since("t.due_sort")} + 14)) / 21 END""",
    ),
    "overdue": ("5.0", _as_number(f"t.due_sort < {NOW}")),
    "blocking": ("8.0", _as_number(BLOCKING)),
    "priority": ("1.0", "CASE t.priority WHEN 1 THEN 6.0 WHEN 2 THEN 3.9 WHEN 3 THEN 1.8 ELSE 0 END"),
    "scheduled": (
        "5.0",
        _as_number(f"coalesce(coalesce(t.scheduled_at, timezone('UTC', t.scheduled_on::timestamp)) <= {NOW}, false)"),
    ),
    "active": ("4.0", _as_number("t.started_at IS NOT NULL")),
    "age": ("2.0", f"least(1, greatest(0, {_days_since('t.created_at')} / 365))"),
    "comments": (
        "1.0",
        _saturate(
            f"SELECT count(*) FROM (SELECT FROM todo.comments c WHERE c.{_SPACE} AND c.number = t.number LIMIT 3) AS few"
        ),
    ),
    "tags": ("1.0", _saturate(f"SELECT count(*) FROM (SELECT {TAGGED} LIMIT 3) AS few")),
    "project": ("1.0", _as_number("t.project IS NOT NULL")),
    "next": ("15.0", _as_number(f"EXISTS (SELECT {TAGGED} AND g.tag = 'next')")),
    "deferred": (
        "-3.0",
        _as_number(f"coalesce(coalesce(t.defer_at, timezone('UTC', t.defer_on::timestamp)) > {NOW}, false)"),
    ),
    "blocked": ("-5.0", _as_number(BLOCKED)),
}

_PARTS: LiteralString = ", ".join(
    f"('{name}', round(({weight} * {much})::numeric, 2))" for name, (weight, much) in WEIGHTS.items()
)
# the same terms as in the sum, each with its name; those that do not apply are left out
URGENCY_PARTS: LiteralString = f"""(
  SELECT json_object_agg(part, value)
    FROM (VALUES {_PARTS}) AS parts (part, value)
   WHERE value <> 0)"""

# rounded, so that what is shown as the same is the same
URGENCY: LiteralString = (
    f"""round(({" + ".join(f"{weight} * {much}" for weight, much in WEIGHTS.values())})::numeric, 2)"""
)

"""Rows that become tasks: what an add brings, and the next occurrences of what recurs."""

from __future__ import annotations

from typing import LiteralString

_TYPED: LiteralString = """id uuid, title text, note text, priority smallint, project text, due_on date,
    due_at timestamptz, tags text[], parent bigint, links bigint[], defer_on date, defer_at timestamptz, scheduled_on date,
    scheduled_at timestamptz, series uuid, occurrence int, repeat jsonb"""

_STORED: LiteralString = """id, title, note, priority, project, due_on, due_at, parent, defer_on, defer_at, scheduled_on,
    scheduled_at, series, occurrence, repeat"""


def given(name: LiteralString, value: LiteralString) -> LiteralString:
    """The rows of a JSON value, each with its `place` from 1."""
    return f"""{name} AS MATERIALIZED (SELECT n.*, place FROM jsonb_array_elements({value}::jsonb) WITH ORDINALITY AS x(row, place)
    CROSS JOIN LATERAL jsonb_to_record(row) AS n({_TYPED}))"""


def stored(name: LiteralString, moment: LiteralString) -> LiteralString:
    """Store them, numbered after `tick.last`, as `made`; and their tags."""
    values = _STORED.replace("priority", "coalesce(priority, 4)")
    return f"""made AS (INSERT INTO todo.tasks (space_id, number, {_STORED}, created_at, updated_at, rev)
    SELECT %(space)s::uuid, last + place, {values}, {moment}, {moment}, seq FROM tick, moment, {name} RETURNING *),
{name}_tagged AS (INSERT INTO todo.task_tags (space_id, number, tag)
    SELECT %(space)s::uuid, last + place, unnest(tags) FROM tick, {name})"""

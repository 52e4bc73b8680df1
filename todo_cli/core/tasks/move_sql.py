"""The SQL of a move: the gap between two open tasks, and the tasks that crowd it where it is narrow."""

from __future__ import annotations

from typing import LiteralString

from todo_cli.contract.limits import MAX_TASKS_PER_CHANGE
from todo_cli.core.tasks.load_sql import load_statement
from todo_cli.core.tasks.positions import MAX_POSITION_DECIMALS


def _nearest(*, is_below: bool) -> LiteralString:
    """Return the position of the open task next to the edge that is not moved itself."""
    sign: LiteralString = "<" if is_below else ">"
    direction: LiteralString = "DESC" if is_below else "ASC"
    bound: LiteralString = (
        "<= least(ceil(e.place), 9223372036854775807)" if is_below else ">= greatest(floor(e.place), 0)"
    )
    return f"""(
    SELECT n.place FROM edge e CROSS JOIN LATERAL (
      (SELECT t.position AS place, t.number FROM todo.tasks t
        WHERE t.space_id = %(space)s::uuid AND t.status = 'open' AND t.position IS NOT NULL
          AND (t.position, t.number) {sign} (e.place, e.number)
          AND t.number <> ALL (%(numbers)s::bigint[])
        ORDER BY t.position {direction}, t.number {direction} LIMIT 1)
      UNION ALL
      (SELECT t.number::numeric AS place, t.number FROM todo.tasks t
        WHERE t.space_id = %(space)s::uuid AND t.status = 'open' AND t.position IS NULL
          AND t.number {bound}::bigint
          AND (t.number::numeric, t.number) {sign} (e.place, e.number)
          AND t.number <> ALL (%(numbers)s::bigint[])
        ORDER BY t.number {direction} LIMIT 1)) AS n
    ORDER BY n.place {direction}, n.number {direction} LIMIT 1)"""


_ANCHOR: LiteralString = """anchor AS MATERIALIZED (
  SELECT t.number, t.status, coalesce(t.position, t.number) AS place FROM todo.tasks t
  WHERE t.space_id = %(space)s::uuid AND t.number = %(anchor)s::bigint)"""

# an anchor, or an end of the order
_EDGE: LiteralString = """edge AS MATERIALIZED (
  SELECT place, number FROM anchor
  UNION ALL
  SELECT CASE WHEN %(is_below)s::boolean THEN 'Infinity' ELSE '-Infinity' END::numeric, 0
  WHERE %(anchor)s::bigint IS NULL)"""

_GAP: LiteralString = f"""gap AS MATERIALIZED (
  SELECT
    CASE WHEN %(is_below)s::boolean THEN {_nearest(is_below=True)}
      ELSE (SELECT place FROM anchor) END AS lower,
    CASE WHEN %(is_below)s::boolean THEN (SELECT place FROM anchor)
      ELSE {_nearest(is_below=False)} END AS upper)"""

# the tasks from a whole number to the next, where no more decimals fit between two of them
_CROWD: LiteralString = f"""crowd AS MATERIALIZED (
  SELECT c.number FROM gap CROSS JOIN LATERAL (
    (SELECT t.number FROM todo.tasks t
      WHERE t.space_id = %(space)s::uuid AND t.status = 'open' AND t.position IS NOT NULL
        AND t.position >= floor(gap.lower) AND t.position < floor(gap.lower) + 1)
    UNION ALL
    (SELECT t.number FROM todo.tasks t
      WHERE t.space_id = %(space)s::uuid AND t.status = 'open' AND t.position IS NULL
        AND t.number = floor(gap.lower)::bigint)) AS c
  WHERE gap.upper - gap.lower
    < (cardinality(%(numbers)s::bigint[]) + 2) * 1e-{MAX_POSITION_DECIMALS}
  LIMIT {MAX_TASKS_PER_CHANGE} + 1)"""

LOAD_MOVE = load_statement(
    (_ANCHOR, _EDGE, _GAP, _CROWD),
    "%(numbers)s::bigint[] || ARRAY(SELECT number FROM crowd)",
    """,
  'anchor_status', (SELECT status FROM anchor),
  'lower', (SELECT lower FROM gap), 'upper', (SELECT upper FROM gap)""",
)

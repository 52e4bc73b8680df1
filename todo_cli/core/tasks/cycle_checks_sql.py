"""What would tie tasks into a knot: a part that is its own whole, a task that waits for itself.

Looked for in the write itself: `set` has the rows as they would be; what it does not name is as it is stored.
"""

from __future__ import annotations

from typing import LiteralString

DEEPEST = 50  # parts within parts
_STEPS: LiteralString = "100000"  # from task to task, that one write may take to look for a circle
_DEEPEST: LiteralString = "50"

NAMED: LiteralString = """named AS MATERIALIZED (SELECT x.number, t.status FROM (
    SELECT (p ->> 'parent')::bigint AS number FROM want
    UNION SELECT jsonb_array_elements_text(coalesce(p -> 'add_after', '[]'))::bigint FROM want
    UNION SELECT jsonb_array_elements_text(coalesce(p -> 'after', '[]'))::bigint FROM want) AS x
  LEFT JOIN todo.tasks t ON t.space_id = %(space)s::uuid AND t.number = x.number WHERE x.number IS NOT NULL)"""

WALKS: LiteralString = f"""up AS (
  SELECT number AS start, parent AS at, 1 AS depth FROM set WHERE p ? 'parent' AND parent IS NOT NULL
  UNION ALL
  SELECT up.start, CASE WHEN s.number IS NULL THEN t.parent ELSE s.parent END, depth + 1
    FROM up LEFT JOIN set s ON s.number = up.at
    LEFT JOIN todo.tasks t ON t.space_id = %(space)s::uuid AND t.number = up.at
   WHERE up.at <> up.start AND depth <= {_DEEPEST} AND CASE WHEN s.number IS NULL THEN t.parent ELSE s.parent END IS NOT NULL),
way AS (
  SELECT number AS start, unnest(links) AS at FROM set WHERE links IS DISTINCT FROM waited
  UNION
  SELECT way.start, e.at FROM way LEFT JOIN set s ON s.number = way.at
    CROSS JOIN LATERAL (SELECT unnest(s.links) AS at WHERE s.number IS NOT NULL UNION ALL
      SELECT k.after FROM todo.links k WHERE s.number IS NULL AND k.space_id = %(space)s::uuid AND k.number = way.at) AS e
   WHERE way.at <> way.start),
walked AS MATERIALIZED (SELECT start, at FROM way LIMIT {_STEPS}),
knotted AS MATERIALIZED (SELECT
    (SELECT json_agg(number ORDER BY number) FROM named WHERE status IS NULL) AS unknown,
    (SELECT json_agg(number ORDER BY number) FROM named WHERE status = 'deleted' AND NOT %(bin_too)s::boolean) AS gone,
    (SELECT json_agg(DISTINCT start) FROM up WHERE at = start) AS circled,
    (SELECT json_agg(DISTINCT start) FROM up WHERE depth > {_DEEPEST} AND at <> start) AS buried,
    (SELECT json_agg(DISTINCT start) FROM walked WHERE at = start) AS waiting,
    (SELECT CASE WHEN count(*) >= {_STEPS} THEN json_build_array(min(start)) END FROM walked) AS endless,
    (SELECT json_agg(number ORDER BY number) FROM set WHERE cardinality(links) > 100) AS overlinked)"""

FOUND: LiteralString = "unknown, gone, circled, buried, waiting, endless, overlinked"

TOLD: LiteralString = """'unknown', unknown, 'gone', gone, 'circled', circled, 'buried', buried, 'waiting', waiting,
    'endless', endless, 'overlinked', overlinked"""

ABOVE: LiteralString = f"""up AS (
  SELECT DISTINCT parent AS at, 1 AS depth FROM new WHERE parent IS NOT NULL
  UNION ALL
  SELECT t.parent, depth + 1 FROM up JOIN todo.tasks t ON t.space_id = %(space)s::uuid AND t.number = up.at
   WHERE t.parent IS NOT NULL AND depth <= {_DEEPEST}),
named AS MATERIALIZED (SELECT x.number, t.status FROM (
    SELECT parent AS number FROM new UNION SELECT unnest(links) FROM new) AS x
  LEFT JOIN todo.tasks t ON t.space_id = %(space)s::uuid AND t.number = x.number WHERE x.number IS NOT NULL),
refused AS MATERIALIZED (SELECT
    (SELECT json_agg(number ORDER BY number) FROM named WHERE status IS NULL) AS unknown,
    (SELECT json_agg(number ORDER BY number) FROM named WHERE status = 'deleted') AS gone,
    (SELECT json_agg(DISTINCT at) FROM up WHERE depth > {_DEEPEST}) AS buried)"""

"""The SQL of a load: one statement with optional parts, each for the writes that need it.

A part is a CTE, or a member of the JSON object that the statement returns and `Loaded` describes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import LiteralString, NamedTuple

from todo_cli.contract.limits import MAX_CHANGE_BYTES, MAX_TASKS_PER_CHANGE
from todo_cli.core.tasks.load_journal_sql import KNOWN, LATER_CHANGES, SIMILAR
from todo_cli.core.tasks.rows import COLUMNS, list_columns
from todo_cli.db.sql import Sql

MAX_DEPENDENCIES = 100_000  # read by one write to look for a cycle


class TargetSql(NamedTuple):
    """The part of a filter that is SQL: a condition over alias `t`, and its full-text searches.

    With `first` the filter finds one task: the one that is due soonest.
    """

    where: LiteralString
    searches: tuple[LiteralString, ...] = ()
    first: bool = False


def select_rows(numbers: LiteralString) -> LiteralString:
    """Return a SELECT of whole `TaskRow`s by an array of numbers.

    A join with the numbers might read the whole space before the first ANALYZE.
    """
    return f"""
  SELECT {list_columns(COLUMNS, "t.")},
    ARRAY(SELECT g.tag FROM todo.task_tags g
      WHERE g.space_id = t.space_id AND g.number = t.number ORDER BY g.tag) AS tags,
    ARRAY(SELECT l.after FROM todo.links l
      WHERE l.space_id = t.space_id AND l.number = t.number ORDER BY l.after) AS after
  FROM todo.tasks t WHERE t.space_id = %(space)s::uuid AND t.number = ANY ({numbers})"""


_ASSIGNABLE: LiteralString = """coalesce((
    SELECT json_agg(json_build_array(p.name, p.id = %(me)s::uuid)) FROM todo.space_members() p
    WHERE p.role IN ('owner', 'editor')), '[]')"""

MEMBERS: LiteralString = f""",
  'assignable', {_ASSIGNABLE}"""
"""The members that a task can be assigned to."""

_ANY_RECURS: LiteralString = "EXISTS (SELECT FROM rows WHERE repeat IS NOT NULL AND status = 'open')"

_SERIES: LiteralString = f""",
  'assignable', CASE WHEN EXISTS (
      SELECT FROM rows WHERE repeat #>> '{{template,assigned_to}}' IS NOT NULL)
    THEN {_ASSIGNABLE} ELSE '[]' END,
  'next_occurrences', CASE WHEN {_ANY_RECURS}
    THEN coalesce((SELECT json_agg(n) FROM next_occurrences AS n), '[]') ELSE '[]' END,
  'ancestors', CASE WHEN {_ANY_RECURS}
    THEN coalesce((SELECT json_agg(json_build_array(number, parent)) FROM ancestors), '[]')
    ELSE '[]' END,
  'open_subtasks', (SELECT count(*) FROM todo.tasks s
    WHERE s.space_id = %(space)s::uuid AND s.status = 'open'
      AND s.parent = ANY (ARRAY(SELECT number FROM rows))
      AND s.number <> ALL (ARRAY(SELECT number FROM rows)))"""

# the next occurrences of reopened tasks, and which of them others refer to: their rev does not tell
_REOPENED: LiteralString = """,
  'next_occurrences', coalesce((SELECT json_agg(n) FROM next_occurrences AS n), '[]'),
  'used_occurrences', coalesce((SELECT json_agg(n.number) FROM next_occurrences n
    WHERE EXISTS (SELECT FROM todo.comments c
        WHERE c.space_id = %(space)s::uuid AND c.number = n.number)
      OR EXISTS (SELECT FROM todo.tasks s
        WHERE s.space_id = %(space)s::uuid AND s.parent = n.number AND s.status <> 'deleted')
      OR EXISTS (SELECT FROM todo.links l
        WHERE l.space_id = %(space)s::uuid AND l.after = n.number)), '[]')"""


def _next_occurrences_cte(status: LiteralString) -> LiteralString:
    """Return the CTE of the occurrences after those loaded rows that have the status."""
    numbers: LiteralString = f"""ARRAY(
    SELECT (SELECT n.number FROM todo.tasks n WHERE n.space_id = %(space)s::uuid
      AND n.series = rows.series AND n.occurrence = rows.occurrence + 1)
    FROM rows WHERE repeat IS NOT NULL AND status = '{status}')"""
    return f"next_occurrences AS MATERIALIZED ({select_rows(numbers)})"


# the parents that a next occurrence may get when it comes back from the trash
_SERIES_PARENTS: LiteralString = """ARRAY(
      SELECT parent FROM rows WHERE repeat IS NOT NULL AND parent IS NOT NULL
      UNION
      SELECT (repeat #>> '{template,parent}')::bigint FROM rows
      WHERE repeat #>> '{template,parent}' IS NOT NULL)"""

_CALLER: LiteralString = """,
  'user_name', (SELECT p.name FROM todo.find_members(ARRAY[%(me)s::uuid]) p),
  'has_all_scopes', EXISTS (SELECT FROM todo.tokens k
    WHERE k.user_id = %(me)s::uuid AND k.id = todo.current_token_id() AND 'all' = ANY (k.scopes))"""


def ancestors_cte(parents: LiteralString) -> LiteralString:
    """Return the CTE of the tasks of an array of numbers and of all tasks above them, with their parents."""
    return f"""ancestors AS (
  SELECT t.number, t.parent, 1 AS depth FROM todo.tasks t
  WHERE t.space_id = %(space)s::uuid AND t.number = ANY ({parents})
  UNION
  SELECT t.number, t.parent, depth + 1 FROM ancestors a
    JOIN todo.tasks t ON t.space_id = %(space)s::uuid AND t.number = a.parent
  WHERE depth <= 50)"""


ANCESTORS: LiteralString = """,
  'ancestors', coalesce((SELECT json_agg(json_build_array(number, parent)) FROM ancestors), '[]')"""


def dependencies_cte(blockers: LiteralString) -> LiteralString:
    """Return the CTE of the links of an array of numbers, and of the links behind them."""
    return f"""dependencies AS (
  SELECT l.number, l.after FROM todo.links l
  WHERE l.space_id = %(space)s::uuid AND l.number = ANY ({blockers})
  UNION
  SELECT l.number, l.after FROM dependencies d
    JOIN todo.links l ON l.space_id = %(space)s::uuid AND l.number = d.after)"""


DEPENDENCIES: LiteralString = f""",
  'dependencies', coalesce((SELECT json_agg(json_build_array(number, after))
    FROM (SELECT number, after FROM dependencies LIMIT {MAX_DEPENDENCIES}) AS limited), '[]')"""


def statuses_of(numbers: LiteralString) -> LiteralString:
    """Return the member with number and status of the tasks of an array of numbers."""
    return f""",
  'statuses', coalesce((SELECT json_agg(json_build_array(t.number, t.status)) FROM todo.tasks t
    WHERE t.space_id = %(space)s::uuid AND t.number = ANY ({numbers})), '[]')"""


def load_statement(ctes: Sequence[LiteralString], numbers: LiteralString, members: LiteralString = "") -> Sql:
    """Return the statement that reads the tasks of an array of `numbers`, with further `members` of the JSON object.

    The array and the members may use the CTEs, and the members the CTE `rows`.
    """
    return Sql(f"""
WITH RECURSIVE {"".join(f"{cte}, " for cte in ctes)}rows AS MATERIALIZED ({select_rows(numbers)}),
size AS MATERIALIZED (
  SELECT coalesce(sum(octet_length(title) + coalesce(octet_length(note), 0)
    + coalesce(octet_length(repeat::text), 0) + coalesce(octet_length(attachments::text), 0)
    + coalesce(octet_length(array_to_string(tags, '')), 0)), 0) AS bytes
  FROM rows)
SELECT json_build_object(
  'known', {KNOWN},
  'seq', s.seq, 'next_number', s.next_number, 'now', clock_timestamp(), 'bytes', size.bytes,
  'token_id', todo.current_token_id(),
  'rows', CASE WHEN size.bytes <= {MAX_CHANGE_BYTES}
    THEN coalesce((SELECT json_agg(rows) FROM rows), '[]') ELSE '[]' END{members})::text
FROM todo.spaces s, size WHERE s.id = %(space)s::uuid""")


def _matching(target: TargetSql) -> LiteralString:
    return f"SELECT t.number FROM todo.tasks t WHERE t.space_id = %(space)s::uuid AND {target.where}"


def _found_cte(target: TargetSql | None, *, with_subtasks: bool) -> LiteralString:
    """Return the CTE of the numbers that the filter finds, at most one above the limit.

    They are in no order: with an order the planner would walk along an index.
    """
    start: LiteralString = _matching(target) if target else "SELECT unnest(%(numbers)s::bigint[]) AS number"
    if target and target.first:
        return f"found AS MATERIALIZED ({start} ORDER BY t.due_sort, t.number LIMIT 1)"
    if with_subtasks:
        start = f"""WITH RECURSIVE part AS (
    {start}
    UNION
    SELECT s.number FROM part
      JOIN todo.tasks s ON s.space_id = %(space)s::uuid AND s.parent = part.number
    WHERE s.status = 'open')
  SELECT number FROM part"""
    return f"found AS MATERIALIZED ({start} LIMIT {MAX_TASKS_PER_CHANGE} + 1)"


def _found_members(target: TargetSql | None) -> LiteralString:
    found: LiteralString = ", 'found', (SELECT count(*) FROM found)"
    if target is None or target.first:
        return found
    is_full: list[LiteralString] = [
        f"(SELECT count(*) FROM {search} AS w) >= {MAX_TASKS_PER_CHANGE}" for search in target.searches
    ]
    return f"""{found},
  'matching', CASE WHEN (SELECT count(*) FROM found) > {MAX_TASKS_PER_CHANGE}
    THEN (SELECT count(*) FROM ({_matching(target)}) AS m) ELSE 0 END,
  'is_vague', {" OR ".join(is_full) or "false"}"""


class LoadParts(NamedTuple):
    """The optional parts of the statement that a write needs."""

    target: TargetSql | None
    with_subtasks: bool
    with_series: bool
    with_reopened: bool
    with_caller: bool
    changes_links: bool
    checks_rev: bool
    with_similar: bool
    with_members: bool
    order: LiteralString = ""


_REFERENCES: LiteralString = "%(parents)s::bigint[] || %(blockers)s::bigint[] || %(sources)s::bigint[]"


def _order_member(order: LiteralString) -> LiteralString:
    """Return the member with the numbers of the rows in an order."""
    return f""",
  'order', coalesce((
    SELECT json_agg(t.number ORDER BY {order}) FROM todo.tasks t
    WHERE t.space_id = %(space)s::uuid
      AND t.number = ANY (ARRAY(SELECT number FROM rows))), '[]')"""


@lru_cache(256)
def build_load(parts: LoadParts) -> Sql:
    """Return the statement with these parts."""
    ctes: list[LiteralString] = []
    members: LiteralString = ""
    numbers: LiteralString = "%(numbers)s::bigint[]"
    if parts.target or parts.with_subtasks:
        ctes.append(_found_cte(parts.target, with_subtasks=parts.with_subtasks))
        members += _found_members(parts.target)
        numbers = f"""CASE WHEN (SELECT count(*) FROM found) <= {MAX_TASKS_PER_CHANGE}
      THEN ARRAY(SELECT number FROM found) END"""
    if parts.with_series:
        ctes += [_next_occurrences_cte("open"), ancestors_cte(_SERIES_PARENTS)]
        members += _SERIES
    if parts.with_reopened:
        ctes.append(_next_occurrences_cte("done"))
        members += _REOPENED
    members += _CALLER if parts.with_caller else ""
    members += LATER_CHANGES if parts.checks_rev else ""
    members += SIMILAR if parts.with_similar else ""
    members += MEMBERS if parts.with_members else ""
    if parts.order:
        members += _order_member(parts.order)
    if parts.changes_links:
        ctes += [ancestors_cte("%(parents)s::bigint[]"), dependencies_cte("%(blockers)s::bigint[]")]
        members += statuses_of(_REFERENCES) + ANCESTORS + DEPENDENCIES
    return load_statement(ctes, numbers, members)

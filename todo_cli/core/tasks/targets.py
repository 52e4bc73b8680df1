"""Which tasks a change is about: those that it numbers, or those that its filter finds in the statement that changes them.

What a filter finds all gets one patch. Some of them may have one of their own: `brought`, with others that come along.
"""

from __future__ import annotations

from typing import Any, LiteralString, NamedTuple

import msgspec
from msgspec import UNSET

from todo_cli.contract.tasks import OnTasks, ReopenTasks, RestoreTasks
from todo_cli.core.filters.compiler import compile_filter, parse_with_views
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid, NotFound
from todo_cli.parsing.filter_ast import And, Node

MOST = 10_000
_MOST: LiteralString = "10000"  # the same, and what full text gives at most

# the status that a filter means which does not speak of it; else: open
MEANT: dict[type[OnTasks], str] = {ReopenTasks: "done", RestoreTasks: "deleted"}

Row = dict[str, Any]


class TargetSql(NamedTuple):
    """What of a selection is part of the statement's text: `first` only the first one, `deep` open subtasks, too."""

    where: LiteralString
    finds: tuple[LiteralString, ...] = ()
    first: bool = False
    deep: bool = False


class Targets(NamedTuple):
    """What a filter finds, and the patch for each."""

    form: TargetSql
    patch: Row
    values: Row
    text: str

    def given(self) -> Row:
        """The values of the statement."""
        return self.values | {"patch": msgspec.json.encode(self.patch).decode()}


NUMBERED: LiteralString = """want AS MATERIALIZED (SELECT (p ->> 'number')::bigint AS number, p, place
    FROM jsonb_array_elements(%(patches)s::jsonb) WITH ORDINALITY AS x(p, place))"""

NAMES: LiteralString = "nothing, crowd, vague, stale"
TOLD: LiteralString = "'nothing', nothing, 'crowd', crowd, 'vague', vague, 'stale', stale"


def selected_by(form: TargetSql) -> LiteralString:
    """The rows `want` of what is found, and of what is brought along; none where that is too much."""
    return f"""found AS MATERIALIZED ({_found(form)}),
brought AS MATERIALIZED (SELECT (p ->> 'number')::bigint AS number, p FROM jsonb_array_elements(%(patches)s::jsonb) AS x(p)),
want AS MATERIALIZED (SELECT number, coalesce(b.p, %(patch)s::jsonb) AS p,
    row_number() OVER (ORDER BY coalesce(b.p ? 'reborn', false), number) AS place
  FROM found FULL JOIN brought b USING (number)
 WHERE (found.number IS NOT NULL OR b.p ? 'reborn') AND (SELECT count(*) FROM found) <= {_MOST})"""


def refusing(form: TargetSql) -> LiteralString:
    """Why a selection is refused, as further columns: none, too many, more words than can be told, no longer as seen."""
    matching: LiteralString = f"todo.tasks t WHERE t.space_id = %(space)s::uuid AND {form.where}"
    over: list[LiteralString] = [f"(SELECT count(*) FROM {find} AS w) >= {_MOST}" for find in form.finds]
    return f""",
    CASE WHEN NOT EXISTS (SELECT FROM found) THEN to_json(true) END AS nothing,
    CASE WHEN (SELECT count(*) FROM found) > {_MOST} THEN (SELECT to_json(count(*)) FROM {matching}) END AS crowd,
    CASE WHEN {" OR ".join(over) or "false"} THEN to_json(true) END AS vague,
    CASE WHEN EXISTS (SELECT FROM brought WHERE NOT p ? 'reborn' AND number NOT IN (SELECT number FROM found))
         THEN to_json(true) END AS stale"""


def _found(form: TargetSql) -> LiteralString:
    matching: LiteralString = f"SELECT t.number FROM todo.tasks t WHERE t.space_id = %(space)s::uuid AND {form.where}"
    if form.first:
        return f"{matching} ORDER BY t.due_sort, t.number LIMIT 1"
    if not form.deep:
        # in no order: what is more is refused, and an order would tempt the planner to walk along it
        return f"{matching} LIMIT {_MOST} + 1"
    return f"""WITH RECURSIVE part AS ({matching} UNION
      SELECT s.number FROM part JOIN todo.tasks s ON s.space_id = %(space)s::uuid AND s.parent = part.number
       WHERE s.status = 'open')
    SELECT number FROM part LIMIT {_MOST} + 1"""


async def selected(tx: Transaction, request: OnTasks, patch: Row, *, deep: bool = False) -> Targets | None:
    """What the request's filter says; None where it has numbers. Raises Invalid for neither, for both, for a blank one."""
    if request.filter is UNSET:
        if not request.numbers:
            raise Invalid("numbers is empty", hint="name tasks by numbers, or by a filter")
        return None
    if request.numbers:
        raise Invalid("numbers and a filter exclude each other", hint="numbers may stand in the filter: '3 7-9 @phone'")
    node = (await parse_with_views(tx, request.filter)).node
    if node == And():
        raise Invalid("the filter is empty: it would mean every task", hint="if so, write status:open, for example")
    return await choice(tx, node, patch, request.filter, status=MEANT.get(type(request), "open"), deep=deep)


async def choice(
    tx: Transaction, node: Node, patch: Row, text: str, *, status: str = "open", deep: bool = False
) -> Targets:
    """What a tree finds, put off to later or not."""
    found = await compile_filter(tx, node, status=status, deferred=True)
    return Targets(TargetSql(found.where, found.finds, deep=deep), patch, found.values, text)


def some(found: Any, by: Targets) -> None:
    """Raises for a verdict of a selection that is none: NotFound for nothing, Invalid for too much."""
    if found.nothing:
        raise NotFound(
            f"no task matches {by.text[:100]!r}; nothing was changed", hint="see what does with: todo list FILTER"
        )
    if found.crowd:
        raise Invalid(f"the filter matches {found.crowd:,} tasks; at most {MOST:,} at once", hint="narrow it down")
    if found.vague:
        raise Invalid(f"the filter's words stand in {MOST:,} tasks or more", hint="take words that fewer tasks have")

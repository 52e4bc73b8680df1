"""The statement that reads a page of tasks. It has only what this page needs, so that the planner sees plain conditions."""

from __future__ import annotations

from typing import LiteralString, NamedTuple

from todo_cli.core.filters.filter_query import STATUSES, CompiledFilter
from todo_cli.core.filters.sorting import Order
from todo_cli.core.filters.urgency import URGENCY, URGENCY_PARTS
from todo_cli.core.tasks.links_sql import select_named_links
from todo_cli.core.tasks.task_json_sql import computed_pairs, task_json

_DEFAULT_VIEW: LiteralString = """(
    SELECT json_build_object('filter', filter, 'sort', sort) FROM todo.views
    WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid AND is_default)"""


class Listing(NamedTuple):
    """What one statement finds: tasks by a filter, in an order, after a cursor."""

    filter: CompiledFilter
    order: Order
    after: LiteralString
    with_urgency: bool
    with_parts: bool
    with_links: bool
    with_default_view: bool
    with_deferred: bool
    with_total: bool


def build_statement(listing: Listing) -> LiteralString:
    """Return the statement."""
    order, compiled = listing.order, listing.filter
    conditions = " AND ".join(filter(None, ["t.space_id = %(space)s::uuid", listing.after, compiled.where]))
    urgency: LiteralString = f", {URGENCY} AS urgency" if listing.with_urgency else ""
    parts: LiteralString = f", {URGENCY_PARTS} AS parts" if listing.with_parts else ""
    search: LiteralString = f" JOIN {compiled.words} AS w ON w.number = t.number" if compiled.words else ""
    rows: LiteralString = f"SELECT t.*, {order.columns()}{urgency}{parts} FROM todo.tasks t{search} WHERE {conditions}"
    limit: LiteralString = f"ORDER BY {order.order_by()} LIMIT %(limit)s::int"
    index_parts = _split_by_index(compiled, order, is_continued=bool(listing.after))
    if len(index_parts) > 1:
        # merge a page of each part, where a sort would read all tasks of the space
        pages: list[LiteralString] = [
            f"({rows} AND {condition} ORDER BY {own_order} LIMIT %(limit)s::int)"
            for condition, own_order in index_parts
        ]
        rows = f"SELECT * FROM ({' UNION ALL '.join(pages)}) AS u"
        limit = f"ORDER BY {order.order_by_columns()} LIMIT %(limit)s::int"
    view_member: LiteralString = f"'default_view', {_DEFAULT_VIEW}," if listing.with_default_view else ""
    urgency_member: LiteralString = ", 'urgency', page.urgency" if listing.with_urgency else ""
    parts_member: LiteralString = ", 'parts', page.parts" if listing.with_parts else ""
    links_member: LiteralString = f", 'links', {select_named_links('page')}" if listing.with_links else ""
    deferred_member: LiteralString = _count_deferred(compiled, search) if listing.with_deferred else ""
    total_member: LiteralString = _count_matches(compiled, search) if listing.with_total else ""
    task = task_json("page", note=False, more=computed_pairs("page"))
    return f"""
SELECT json_build_object({view_member}{deferred_member}{total_member}
  'rows', coalesce(json_agg(json_build_object(
    'key', {order.keys_json("page")},
    'task', {task}{urgency_member}{parts_member}{links_member})), '[]'))::text
FROM ({rows} {limit}) AS page"""


def _split_by_index(
    compiled: CompiledFilter, order: Order, *, is_continued: bool
) -> list[tuple[LiteralString, LiteralString]]:
    """Return the parts of a list of which one index each has the order, as conditions and ORDER BY lists.

    The indexes begin with the status, and an order by hand has one index for tasks that were moved and one for the others.
    """
    by_hand, order_by = order.is_by_hand, order.order_by()
    halves = order.halves(is_continued=is_continued) if by_hand else [("true", order_by)]
    if compiled.status is not None or not (by_hand or (order.is_indexed and order.keys[0].name != "created")):
        return halves
    return [(f"t.status = '{status}' AND {condition}", own) for status in STATUSES for condition, own in halves]


def _count_deferred(compiled: CompiledFilter, search: LiteralString) -> LiteralString:
    """Return the member that counts the deferred tasks that the filter leaves out. The work grows with their number."""
    if not compiled.hidden:
        return ""
    counts: list[LiteralString] = [
        f"""(
    SELECT count(*) FROM todo.tasks t{search}
    WHERE t.space_id = %(space)s::uuid AND {conditions})"""
        for conditions in compiled.hidden
    ]
    return f"'deferred', {' + '.join(counts)},"


def _count_matches(compiled: CompiledFilter, search: LiteralString) -> LiteralString:
    """Return the member that counts the matching tasks, if there are more than the page has."""
    conditions: LiteralString = " AND ".join(filter(None, ["t.space_id = %(space)s::uuid", compiled.where]))
    return f"""'total', CASE WHEN count(*) >= %(limit)s::int THEN (
    SELECT count(*) FROM (
      SELECT FROM todo.tasks t{search}
      WHERE {conditions} LIMIT %(max_counted)s::int) AS matches) END,"""

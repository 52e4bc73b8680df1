"""List tasks: a page after a cursor, in the order of an index where there is one."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import LiteralString, NamedTuple

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.limits import MAX_COUNTED_TASKS, MAX_SHOWN_LINKS
from todo_cli.contract.preferences import DEFAULT_SORT
from todo_cli.contract.task_types import TaskLinks
from todo_cli.contract.tasks import ListTasks, Task, TaskPage
from todo_cli.core.dispatch import handler
from todo_cli.core.filters.filter_query import STATUSES, CompiledFilter, compile_filter, parse_with_views
from todo_cli.core.filters.sorting import MAX_VOLATILE_ROWS, Order, read_sort
from todo_cli.core.filters.urgency import URGENCY, URGENCY_PARTS
from todo_cli.core.tasks.links_sql import select_named_links
from todo_cli.core.tasks.task_json_sql import computed_pairs, task_json
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid
from todo_cli.parsing.filter_ast import FieldTerm, Node, make_and

_DEFAULT_VIEW: LiteralString = """(
    SELECT json_build_object('filter', filter, 'sort', sort) FROM todo.views
    WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid AND is_default)"""

# A field of the request, and the same as a term of a filter: `=` takes the name of a project literally, `behind` begins
# after the day or instant.
FIELD_TERMS = (
    ("project", "project", "="),
    ("tag", "tag", "="),
    ("priority", "priority", ":"),
    ("due", "due", ":"),
    ("due_before", "due", "<"),
    ("due_after", "due", "behind"),
)


class _DefaultView(msgspec.Struct):
    filter: str
    sort: str | None


class _ListedRow(msgspec.Struct):
    key: list[str | None]
    task: Task
    urgency: float | msgspec.UnsetType = msgspec.UNSET
    parts: dict[str, float] | msgspec.UnsetType | None = msgspec.UNSET
    links: TaskLinks | msgspec.UnsetType = msgspec.UNSET


class _ListedPage(msgspec.Struct):
    rows: list[_ListedRow]
    default_view: _DefaultView | None = None
    deferred: int | msgspec.UnsetType = msgspec.UNSET
    total: int | msgspec.UnsetType | None = msgspec.UNSET
    as_of: datetime | msgspec.UnsetType = msgspec.UNSET


class _Listing(NamedTuple):
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


@handler(ListTasks)
async def list_tasks(tx: Transaction, request: ListTasks) -> TaskPage:
    """Return a page of tasks.

    Work grows with the page where an index has the order, else with the number of tasks that match.
    """
    try:
        found, order = await _find(tx, request)
    except Invalid as error:
        if "position" in error.extra and request.filter:
            error.extra["filter"] = request.filter  # a terminal points at the place
        raise
    view = found.default_view
    if view:
        sort = _choose_sort(tx, request, view.sort)
        found, order = await _find(tx, msgspec.structs.replace(request, filter=view.filter, home=False, sort=sort))
    limit = _limit(request, order)
    page, has_more = found.rows[:limit], len(found.rows) > limit
    tasks = tuple(_to_task(row) for row in page)
    return TaskPage(
        tasks=tasks,
        next=order.make_cursor(page[-1].key) if has_more and not order.is_volatile else None,
        cut=True if has_more and order.is_volatile else msgspec.UNSET,
        deferred=found.deferred,
        total=msgspec.UNSET if found.total is None else found.total,
        as_of=found.as_of,
        sort=order.sort if request.sort is msgspec.UNSET and order.sort != DEFAULT_SORT else msgspec.UNSET,
    )


def _limit(request: ListTasks, order: Order) -> int:
    return min(request.limit, MAX_VOLATILE_ROWS) if order.is_volatile else request.limit


def _choose_sort(tx: Transaction, request: ListTasks, view_sort: str | None) -> str:
    """Return the sort of the request, of the page before, of the view, or of the user's preference if it is known."""
    if request.sort is not msgspec.UNSET:
        return request.sort
    if request.cursor:
        return read_sort(request.cursor)
    return view_sort or tx.preferences.sort or DEFAULT_SORT


def _to_task(row: _ListedRow) -> Task:
    if row.urgency is msgspec.UNSET and row.links is msgspec.UNSET:
        return row.task
    return msgspec.structs.replace(row.task, urgency=row.urgency, parts=row.parts or msgspec.UNSET, links=row.links)


async def _find(tx: Transaction, request: ListTasks) -> tuple[_ListedPage, Order]:
    """Return the page and its order. The sign-in tells the user's own sort: where it matters, the page is read again."""
    parsed = await parse_with_views(tx, request.filter or "")
    order = Order(_choose_sort(tx, request, parsed.sort))
    page = await _read_page(tx, request, parsed.node, order)
    sort = _choose_sort(tx, request, parsed.sort)
    if sort != order.sort and not page.default_view:
        order = Order(sort)
        page = await _read_page(tx, request, parsed.node, order)
    return page, order


async def _read_page(tx: Transaction, request: ListTasks, filter_node: Node, order: Order) -> _ListedPage:
    moment = None
    if request.as_of is not msgspec.UNSET:
        from todo_cli.core.history.moments import read_moment

        moment = await read_moment(tx, request.as_of, is_end=True)
    sorts = {key.name for key in order.keys}
    tx.is_momentary |= order.is_volatile or request.explain
    node = make_and([*_field_terms(request), filter_node])
    status = None if request.status == "all" else request.status
    compiled = await compile_filter(tx, node, status=status, ranked="rank" in sorts, moment=moment)
    if "rank" in sorts and compiled.words is None:
        raise Invalid("the sort rank needs words to search for", hint="for example: todo list milk --sort rank")
    after, cursor_values = order.continue_after(request.cursor) if request.cursor else ("", {})
    listing = _Listing(
        compiled,
        order,
        after,
        with_urgency="urgency" in sorts or request.explain,
        with_parts=request.explain,
        with_links=request.with_links,
        with_default_view=request.home and not request.filter,
        with_deferred=request.count_deferred and not request.cursor,
        with_total=request.count_all,
    )
    if "rank" in sorts and moment:
        raise Invalid("a list of the past has no order by rank", hint="sort it by another key, such as due or title")
    bounds = {"limit": _limit(request, order) + 1, "max_counted": MAX_COUNTED_TASKS, "max_links": MAX_SHOWN_LINKS}
    values = {**bounds, **compiled.values, **cursor_values}
    if moment:
        from todo_cli.core.history.past_sql import look_back, past_values, read_past

        sql = _cached_statement(look_back(_build_statement(listing)))
        text = read_past(await tx.finish(sql, **values, **past_values(moment)), moment)
        return msgspec.structs.replace(decode(text or "", _ListedPage), as_of=moment)
    text = await tx.finish(_cached_statement(_build_statement(listing)), **values)
    return decode(text or "", _ListedPage)


def _field_terms(request: ListTasks) -> list[Node]:
    """Return the request's own fields as terms of a filter."""
    status = [] if request.status in ("open", "all") else [("status", ":", request.status)]
    fields = [(name, sign, getattr(request, field)) for field, name, sign in FIELD_TERMS]
    return [FieldTerm(name, sign, str(value), -1) for name, sign, value in [*status, *fields] if value is not None]


def _build_statement(listing: _Listing) -> LiteralString:
    """Return the statement; it has only what this page needs, so that the planner sees plain conditions."""
    order, compiled = listing.order, listing.filter
    conditions = " AND ".join(filter(None, ["t.space_id = %(space)s::uuid", listing.after, compiled.where]))
    urgency: LiteralString = f", {URGENCY} AS urgency" if listing.with_urgency else ""
    parts: LiteralString = f", {URGENCY_PARTS} AS parts" if listing.with_parts else ""
    search: LiteralString = f" JOIN {compiled.words} AS w ON w.number = t.number" if compiled.words else ""
    rows: LiteralString = f"SELECT t.*, {order.columns()}{urgency}{parts} FROM todo.tasks t{search} WHERE {conditions}"
    limit: LiteralString = f"ORDER BY {order.order_by()} LIMIT %(limit)s::int"
    if compiled.status is None and order.is_indexed and order.keys[0].name != "created":
        # The indexes begin with the status: merge a page of each, where a sort would read all tasks of the space.
        pages: list[LiteralString] = [f"({rows} AND t.status = '{status}' {limit})" for status in STATUSES]
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


@lru_cache(512)
def _cached_statement(text: LiteralString) -> Sql:
    return Sql(text)

"""List tasks: a page after a cursor, in the order of an index where there is one."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import LiteralString

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.limits import MAX_COUNTED_TASKS, MAX_SHOWN_LINKS
from todo_cli.contract.preferences import DEFAULT_SORT
from todo_cli.contract.task_types import TaskLinks
from todo_cli.contract.tasks import ListTasks, Task, TaskPage
from todo_cli.core.dispatch import handler
from todo_cli.core.filters.filter_query import compile_filter, parse_with_views
from todo_cli.core.filters.sorting import MAX_VOLATILE_ROWS, Order, read_sort
from todo_cli.core.tasks.list_statement import Listing, build_statement
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid
from todo_cli.parsing.filter_ast import FieldTerm, Node, make_and

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
    """Return the page and its order. The sign-in returns the user's own sort: where it matters, the page is read again."""
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
    listing = Listing(
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

        sql = _cached_statement(look_back(build_statement(listing)))
        text = read_past(await tx.finish(sql, **values, **past_values(moment)), moment)
        return msgspec.structs.replace(decode(text or "", _ListedPage), as_of=moment)
    text = await tx.finish(_cached_statement(build_statement(listing)), **values)
    return decode(text or "", _ListedPage)


def _field_terms(request: ListTasks) -> list[Node]:
    """Return the request's own fields as terms of a filter."""
    status = [] if request.status in ("open", "all") else [("status", ":", request.status)]
    fields = [(name, sign, getattr(request, field)) for field, name, sign in FIELD_TERMS]
    return [FieldTerm(name, sign, str(value), -1) for name, sign, value in [*status, *fields] if value is not None]


@lru_cache(512)
def _cached_statement(text: LiteralString) -> Sql:
    return Sql(text)

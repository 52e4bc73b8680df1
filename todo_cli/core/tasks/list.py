"""Listing tasks: a page behind a cursor, in the order of an index where there is one."""

from __future__ import annotations

from functools import lru_cache
from typing import LiteralString, NamedTuple

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.tasks import ListTasks, Task, TaskPage
from todo_cli.core.dispatch import handler
from todo_cli.core.filters.compiler import STATUSES, CompiledFilter, compile_filter, parse_with_views
from todo_cli.core.filters.sorting import MAX_VOLATILE_ROWS, Order
from todo_cli.core.filters.urgency import URGENCY
from todo_cli.core.tasks.task_json_sql import computed_pairs, task_json
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid
from todo_cli.parsing.filter_ast import FieldTerm, Node, make_and

USUAL = "due"

HOME: LiteralString = """(SELECT json_build_object('filter', filter, 'sort', sort) FROM todo.views
  WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid AND is_default)"""

# the fields of a request as the filter says them; = takes a project's name as it is, behind starts where the words end
FIELDS = (
    ("project", "project", "="), ("tag", "tag", "="), ("priority", "priority", ":"), ("due", "due", ":"),
    ("due_before", "due", "<"), ("due_after", "due", "behind"),
)  # fmt: skip


class _Home(msgspec.Struct):
    filter: str
    sort: str | None


class _Row(msgspec.Struct):
    key: list[str | None]
    task: Task
    urgency: float | None = None


class _Answer:
    """The rows, the default view where it was asked for, the order that they have."""

    def __init__(self, text: str | None, order: Order) -> None:
        decoded = decode(text or "", _Rows)
        self.rows, self.home, self.order = decoded.rows, decoded.home, order


class _Rows(msgspec.Struct):
    rows: list[_Row]
    home: _Home | None = None


class _Page(NamedTuple):
    """What one statement is to find: rows by a filter, in an order, behind a cursor."""

    found: CompiledFilter
    order: Order
    behind: LiteralString
    urgent: bool
    home: bool


@handler(ListTasks)
async def list_tasks(tx: Transaction, request: ListTasks) -> TaskPage:
    """A page of tasks. Work grows with the page where an index has the order, else with what matches."""
    answer = await _asked(tx, request)
    if answer.home:
        request = msgspec.structs.replace(
            request, filter=answer.home.filter, home=False, sort=_sort(request, answer.home.sort)
        )
        answer = await _asked(tx, request)
    order, most = answer.order, _most(request, answer.order)
    page, more = answer.rows[:most], len(answer.rows) > most
    following = order.make_cursor(page[-1].key) if more and not order.is_volatile else None
    tasks = tuple(_task(row) for row in page)
    return (
        TaskPage(tasks=tasks, next=following, cut=True)
        if more and order.is_volatile
        else TaskPage(tasks=tasks, next=following)
    )


def _most(request: ListTasks, order: Order) -> int:
    return min(request.limit, MAX_VOLATILE_ROWS) if order.is_volatile else request.limit


def _sort(request: ListTasks, of_view: str | None) -> str:
    """The request's, unless it is the usual one and the view has its own."""
    return of_view if of_view and request.sort == USUAL else request.sort


def _task(row: _Row) -> Task:
    return row.task if row.urgency is None else msgspec.structs.replace(row.task, urgency=row.urgency)


async def _asked(tx: Transaction, request: ListTasks) -> _Answer:
    text = await parse_with_views(tx, request.filter or "")
    order = Order(_sort(request, text.sort))
    ranked = any(key.name == "rank" for key in order.keys)
    node = make_and([*_fields(request), text.node])
    found = await compile_filter(tx, node, status=None if request.status == "all" else request.status, ranked=ranked)
    if ranked and found.words is None:
        raise Invalid("the sort rank needs words to look for", hint="for example: todo list milk --sort rank")
    behind, after = order.continue_after(request.cursor) if request.cursor else ("", {})
    urgent = any(key.name == "urgency" for key in order.keys)
    sql = _statement(_Page(found, order, behind, urgent, request.home and not request.filter))
    return _Answer(await tx.finish(sql, limit=_most(request, order) + 1, **found.values, **after), order)


def _fields(request: ListTasks) -> list[Node]:
    """What the request's own fields narrow down."""
    said = [(name, sign, getattr(request, field)) for field, name, sign in FIELDS]
    status = [] if request.status in ("open", "all") else [("status", ":", request.status)]
    return [FieldTerm(name, sign, str(value), -1) for name, sign, value in [*status, *said] if value is not None]


def _statement(page: _Page) -> Sql:
    """One statement: its text has only what this page needs, so that the planner sees plain conditions."""
    order, found = page.order, page.found
    conditions = " AND ".join(filter(None, ["t.space_id = %(space)s::uuid", page.behind, found.where]))
    urgency: LiteralString = f", {URGENCY} AS urgency" if page.urgent else ""
    searched: LiteralString = f" JOIN {found.words} AS w ON w.number = t.number" if found.words else ""
    rows: LiteralString = f"SELECT t.*, {order.columns()}{urgency} FROM todo.tasks t{searched} WHERE {conditions}"
    limited: LiteralString = f"ORDER BY {order.order_by()} LIMIT %(limit)s::int"
    if found.status is None and order.is_indexed and order.keys[0].name != "created":
        # the indexes begin with the status: a page of each, merged, where sorting would read all that is stored
        each: list[LiteralString] = [f"({rows} AND t.status = '{status}' {limited})" for status in STATUSES]
        rows = f"""SELECT * FROM ({" UNION ALL ".join(each)}) AS u"""
        limited = f"ORDER BY {order.order_by_columns()} LIMIT %(limit)s::int"
    return _sql(f"""SELECT json_build_object({f"'home', {HOME}, " if page.home else ""}'rows', coalesce(json_agg(
  json_build_object('key', {order.keys_json("page")}, 'task', {task_json("page", note=False, more=computed_pairs("page"))}
  {", 'urgency', page.urgency" if page.urgent else ""})), '[]'))::text
FROM ({rows} {limited}) AS page""")


@lru_cache(512)
def _sql(text: LiteralString) -> Sql:
    return Sql(text)

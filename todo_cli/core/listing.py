"""Listing tasks: a page behind a cursor, in the order of an index."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, LiteralString

import msgspec

from todo_cli.contract.base import Number
from todo_cli.contract.tasks import ListTasks, Task, TaskPage
from todo_cli.contract.wire import decode
from todo_cli.core import words
from todo_cli.core.images import image, tags_of
from todo_cli.core.rules import Rules
from todo_cli.db.connect import Tx
from todo_cli.db.sql import Sql
from todo_cli.errors import Invalid

SORTS: dict[str, tuple[LiteralString, LiteralString]] = {  # name -> column (the number breaks ties), its type
    "due": ("due_sort", "timestamptz"),
    "priority": ("priority", "smallint"),
    "created": ("number", "bigint"),
    "updated": ("rev", "bigint"),
}

STATUSES: tuple[LiteralString, ...] = ("open", "done", "deleted")

# a day lies somewhere within these of its sort key, wherever the user is
SLACK = timedelta(hours=38)


def _where(it: ListTasks) -> list[LiteralString]:
    parts: list[LiteralString] = ["t.space_id = %(space)s::uuid"]
    if it.status != "all":
        parts.append("t.status = %(status)s")
    if it.project is not None:
        parts.append("t.project = %(project)s")
    if it.priority is not None:
        parts.append("t.priority = %(priority)s::smallint")
    if it.tag is not None:
        parts.append(
            "t.number IN (SELECT number FROM todo.task_tags WHERE space_id = %(space)s::uuid AND tag = %(tag)s)"
        )
    if it.due_after or it.due:
        parts.append(
            "t.due_sort >= %(floor)s::timestamptz AND (t.due_on >= %(from_day)s::date OR t.due_at >= %(from_at)s::timestamptz)"
        )
    if it.due_before or it.due:
        parts.append(
            "t.due_sort < %(ceiling)s::timestamptz AND (t.due_on < %(to_day)s::date OR t.due_at < %(to_at)s::timestamptz)"
        )
    return parts


def _statement(it: ListTasks) -> Sql:
    column, kind = SORTS[it.sort.removeprefix("-")]
    backwards = it.sort.startswith("-")
    sign: LiteralString = "<" if backwards else ">"
    way: LiteralString = "DESC" if backwards else "ASC"
    parts = _where(it)
    if it.cursor:
        parts.append(f"(t.{column}, t.number) {sign} (%(after)s::{kind}, %(after_number)s::bigint)")
    rows: LiteralString = f"""SELECT * FROM todo.tasks t WHERE {" AND ".join(parts)}"""
    order: LiteralString = f"ORDER BY t.{column} {way}, t.number {way} LIMIT %(limit)s::int"
    if it.status == "all" and (column != "number" or it.project is not None):
        # the indexes begin with the status: a page of each, merged, where sorting would read all that is stored
        each: list[LiteralString] = [f"({rows} AND t.status = '{status}' {order})" for status in STATUSES]
        rows = f"""SELECT * FROM ({" UNION ALL ".join(each)}) AS t"""
    return _compiled(f"""SELECT coalesce(json_agg(json_build_object('key', page.{column}::text, 'task',
  {image("page", tags_of("page"), note=False, build="json_build_object")})), '[]')::text
FROM ({rows} {order}) AS page""")


@cache
def _compiled(text: LiteralString) -> Sql:
    return Sql(text)


class _Row(msgspec.Struct):
    key: str
    task: Task


async def list_tasks(tx: Tx, it: ListTasks) -> TaskPage:
    """A page of tasks. Work grows with the page, not with what is stored."""
    after = _read_cursor(it) if it.cursor else {}
    days = await _days(tx, it)
    given = {"status": it.status, "project": it.project, "tag": it.tag, "priority": it.priority}
    text = await tx.answer(_statement(it), limit=it.limit + 1, **given, **after, **days)
    rows = decode(text or "[]", list[_Row])
    page = rows[: it.limit]
    following = _cursor(it, page[-1]) if len(rows) > it.limit else None
    return TaskPage(tasks=tuple(row.task for row in page), next=following)


def _cursor(it: ListTasks, last: _Row) -> str:
    return urlsafe_b64encode(msgspec.json.encode([it.sort, last.key, last.task.number])).decode().rstrip("=")


def _read_cursor(it: ListTasks) -> dict[str, Any]:
    text = it.cursor or ""
    try:
        padded = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        sort, key, number = msgspec.json.decode(padded, type=tuple[str, str, Number])
        key = _checked_key(sort, key)
    except (ValueError, msgspec.DecodeError):
        raise Invalid("the cursor is not one of ours", hint="take `next` of the page before") from None
    if sort != it.sort:
        raise Invalid(f"the cursor belongs to the sort {sort!r}", hint="keep the same options from page to page")
    return {"after": key, "after_number": number}


def _checked_key(sort: str, key: str) -> str:
    """The key as Postgres reads it for sure; raises ValueError."""
    column = sort.removeprefix("-")
    if column == "due":
        return key if key == "infinity" else datetime.fromisoformat(key).isoformat()
    if not 0 <= int(key) <= (4 if column == "priority" else 2**63 - 1):
        raise ValueError(key)
    return str(int(key))


async def _days(tx: Tx, it: ListTasks) -> dict[str, Any]:
    days: dict[str, Any] = {}
    if start := it.due or it.due_after:
        day, at = await _edge(tx, start, whole=bool(it.due), behind=not it.due)
        days |= {"from_day": day, "from_at": at, "floor": at - SLACK}
    if stop := it.due or it.due_before:
        day, at = await _edge(tx, stop, whole=bool(it.due), behind=bool(it.due))
        days |= {"to_day": day, "to_at": at, "ceiling": at + SLACK}
    return days


async def _edge(tx: Tx, when: str, *, whole: bool, behind: bool) -> tuple[date, datetime]:
    """The first day, and the first instant, at the beginning of what the words name, or behind its end."""
    from todo_cli.language.dates import day_bounds, zone_of

    zone, resolved = await words.zone(tx), await words.resolved(tx, when)
    if isinstance(resolved, datetime):
        local = resolved.astimezone(zone_of(zone)).date()
        if not whole:
            return local + timedelta(days=behind), resolved.astimezone(UTC)
        resolved = local
    return resolved + timedelta(days=behind), day_bounds(resolved, zone)[1 if behind else 0]


HANDLERS: Rules = {ListTasks: list_tasks}

"""Read the journal: who changed what, and when."""

from __future__ import annotations

from typing import Any, LiteralString

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.journal import ChangePage, ListChanges
from todo_cli.contract.limits import MAX_FULL_TASKS, MAX_INTEGER, MAX_SEARCHED_CHANGES, MAX_TASKS_PER_CHANGE
from todo_cli.core.dispatch import handler
from todo_cli.core.filters.filter_query import compile_filter, parse_with_views
from todo_cli.core.history.log_sql import build_log
from todo_cli.core.history.logged_changes import LoggedChange
from todo_cli.core.history.moments import read_moment
from todo_cli.core.tasks.select import missing_tasks
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid, NotFound

MAX_LOGGED_TASKS = 10
"""Tasks of one change that the log shows."""


class FoundChanges(msgspec.Struct):
    """What the statement of the log answers. `first` is where it stopped to look for changes of the whole space."""

    task_exists: bool
    person_exists: bool
    token_exists: bool
    first: int | None
    rows: list[LoggedChange]


@handler(ListChanges)
async def list_changes(tx: Transaction, request: ListChanges) -> ChangePage:
    """Return a page of changes, the newest first.

    The changes of one task are found by following the rev in each change's row before it.
    """
    if request.seq is not None:
        return await _show_change(tx, request)
    found = await find_changes(tx, request, limit=request.limit + 1)
    rows = found.rows[: request.limit]
    is_brief = request.number is None or request.limit > MAX_FULL_TASKS
    changes = tuple(row.to_change(is_brief=is_brief) for row in rows)
    return ChangePage(changes=changes, next=_find_next(found, request))


async def _show_change(tx: Transaction, request: ListChanges) -> ChangePage:
    """Return the page of one change with all its tasks; raises NotFound."""
    seq = request.seq or 0
    if msgspec.structs.replace(request, seq=None, limit=ListChanges().limit) != ListChanges():
        raise Invalid("seq cannot be combined with other fields", hint="send it alone")
    single = msgspec.structs.replace(request, before=min(seq + 1, MAX_INTEGER), limit=1, seq=None)
    found = await find_changes(tx, single, limit=1, max_shown=MAX_TASKS_PER_CHANGE)
    if [row.seq for row in found.rows] != [seq]:
        raise NotFound(f"there is no change {seq}", hint="see the newest with: todo log")
    return ChangePage(changes=(found.rows[0].to_change(is_brief=False),))


def _find_next(found: FoundChanges, request: ListChanges) -> int | None:
    """Return the cursor of the next page: behind a full page, else behind the stretch of the journal that was read."""
    if len(found.rows) > request.limit:
        return found.rows[request.limit - 1].seq
    return found.first if found.first and found.first > 1 else None


async def find_changes(
    tx: Transaction, request: ListChanges, *, limit: int, max_shown: int = MAX_LOGGED_TASKS
) -> FoundChanges:
    """Read changes; raises NotFound for an unknown task, person or token."""
    since = await read_moment(tx, request.since, is_end=False) if request.since else None
    until = await read_moment(tx, request.until, is_end=True) if request.until else None
    matching, values = await compile_matching(tx, request.filter)
    text = await tx.finish(
        build_log(matching),
        number=request.number,
        before=request.before,
        limit=limit,
        by=request.by,
        token=request.token,
        via=request.via,
        since=since,
        until=until,
        max_searched=MAX_SEARCHED_CHANGES,
        max_shown=max_shown,
        **values,
    )
    found = decode(text or "", FoundChanges)
    if not found.task_exists:
        raise missing_tasks([request.number or 0], None)
    if not found.person_exists:
        raise NotFound(f"no member is named {request.by!r}", hint="see them with: todo space members")
    if not found.token_exists:
        raise NotFound(f"you have no token {request.token!r}", hint="see yours with: todo token list --all")
    return found


async def compile_matching(tx: Transaction, filter: str | None) -> tuple[LiteralString | None, dict[str, Any]]:
    """Return the conditions of the tasks that match a filter now, finished ones included, and their values."""
    if not filter:
        return None, {}
    parsed = await parse_with_views(tx, filter)
    compiled = await compile_filter(tx, parsed.node, status=None)
    return compiled.where, compiled.values

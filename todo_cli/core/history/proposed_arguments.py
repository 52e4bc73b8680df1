"""The arguments of a proposal: exact numbers, dates and fields in place of words that mean something else tomorrow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from todo_cli.contract.base import Request
from todo_cli.contract.edits import EditEachTask
from todo_cli.contract.tasks import AddTask, AddTasks
from todo_cli.core.history.plans import with_exact_numbers
from todo_cli.core.tasks.rows import NO_PRIORITY, TaskRow, date_of, format_date
from todo_cli.core.tasks.store import DecidedChange
from todo_cli.core.tasks.task_input import DATES


def fix_arguments(request: Request[Any], change: DecidedChange) -> dict[str, Any]:
    """Return the arguments with which the change is the same whenever it is made."""
    arguments = msgspec.to_builtins(request)
    if isinstance(request, AddTask):
        return {**arguments, **_read_fields(change.rows[0], is_parsed=request.parse not in (UNSET, False))}
    if isinstance(request, AddTasks):
        tasks = zip(arguments["tasks"], change.rows, strict=True)
        return {**arguments, "tasks": [{**task, **_read_fields(row, is_parsed=False)} for task, row in tasks]}
    if isinstance(request, EditEachTask):
        edits = zip(arguments["edits"], change.rows, strict=True)
        return {"edits": [{**edit, **_read_dates(edit, [row])} for edit, row in edits]}
    return {**with_exact_numbers(request.verb, arguments, change.before), **_read_dates(arguments, change.rows)}


def _read_fields(row: TaskRow, *, is_parsed: bool) -> dict[str, Any]:
    """Return the fields of a new task, also those that its title or the token's filter has given."""
    fields: dict[str, Any] = {}
    if row.project:
        fields["project"] = row.project
    if row.tags:
        fields["tags"] = list(row.tags)
    if row.priority != NO_PRIORITY:
        fields["priority"] = row.priority
    if row.repeat is None:
        fields |= {name: format_date(date) for name in DATES if (date := date_of(row, name))}
        fields |= {"title": row.title, "parse": False} if is_parsed else {}
    return fields


def _read_dates(arguments: dict[str, Any], rows: Sequence[TaskRow]) -> dict[str, str]:
    """Return the given dates as the rows have them, if all have the same."""
    dates = {}
    for name in DATES:
        found = {date_of(row, name) for row in rows}
        if isinstance(arguments.get(name), str) and len(found) == 1 and (date := found.pop()):
            dates[name] = format_date(date)
    return dates

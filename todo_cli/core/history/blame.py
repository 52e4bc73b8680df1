"""Find the changes that set the fields of a task."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from todo_cli.contract.blame import BlamedField, BlameTask, TaskBlame
from todo_cli.contract.journal import Change, ListChanges
from todo_cli.contract.limits import MAX_BLAMED_CHANGES
from todo_cli.core.dispatch import handler
from todo_cli.core.history.log import find_changes
from todo_cli.core.journal import SHOWN_FIELDS
from todo_cli.db.transaction import Transaction


@handler(BlameTask)
async def blame_task(tx: Transaction, request: BlameTask) -> TaskBlame:
    """Return each field with the newest change that set it; raises NotFound."""
    log = ListChanges(number=request.number)
    found = await find_changes(tx, log, limit=MAX_BLAMED_CHANGES + 1)
    changes = [row.to_change(is_brief=False) for row in found.rows[:MAX_BLAMED_CHANGES]]
    setters = find_setters(changes)
    titles = (difference.title for change in changes for difference in change.differences)
    return TaskBlame(
        number=request.number,
        title=next(titles, ""),
        fields=tuple(setters[name] for name in SHOWN_FIELDS if name in setters),
        cut=len(found.rows) > MAX_BLAMED_CHANGES,
    )


def find_setters(changes: list[Change]) -> dict[str, BlamedField]:
    """Return for each field the newest of the changes, which come newest first, that set it."""
    setters: dict[str, BlamedField] = {}
    for change in changes:
        for difference in change.differences:
            fields: dict[str, tuple[Any, Any]] = dict(difference.fields)
            if difference.added:
                fields.setdefault("title", (None, difference.title))
                fields.setdefault("status", (None, "open"))
            for name, (_, value) in fields.items():
                setters.setdefault(name, BlamedField(name=name, value=value, change=replace(change, differences=())))
    return setters

"""Assignees: the members of the space who may finish a task. An open task has no other."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from todo_cli.core import validation
from todo_cli.core.tasks.load import Loaded
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.errors import NotFound
from todo_cli.parsing.filter_vocabulary import NONE

ME = "me"


def read_assignee(name: str | None) -> str | None:
    """Return a member's name as it was written, null for `none`; raises Invalid unless it is one line."""
    name = validation.check_line("assignee", name) if name else None
    return None if name is None or name.lower() == NONE else name


def find_assignee(name: str | None, loaded: Loaded, effect: str = "changed") -> str | None:
    """Return the member's name, of `me` the caller's; raises NotFound for others than members who may finish tasks."""
    if name is None:
        return None
    for member, is_caller in loaded.assignable:
        if name == member or (is_caller and name.lower() == ME):
            return member
    raise NotFound(
        f"the space has no member {name!r} who may finish tasks; nothing was {effect}",
        hint="see its members and their roles with: todo space members",
    )


def drop_former_assignee(row: TaskRow, loaded: Loaded) -> TaskRow:
    """Return the row without an assignee who has left, or may no longer finish tasks; finished tasks keep theirs."""
    if row.assigned_to is None or row.status != "open":
        return row
    is_former = all(row.assigned_to != member for member, _ in loaded.assignable)
    return replace(row, assigned_to=None) if is_former else row


def drop_former_assignees(rows: Sequence[TaskRow], loaded: Loaded) -> list[TaskRow]:
    """Return the rows, each without an assignee who cannot finish it any more."""
    return [drop_former_assignee(row, loaded) for row in rows]

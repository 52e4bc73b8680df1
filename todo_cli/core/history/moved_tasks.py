"""Name the users who changed tasks that a plan, a proposal or an undo finds changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

import msgspec

from todo_cli.contract.registry import label_of

MAX_NAMED_TASKS = 5

MOVED_TASK: LiteralString = """json_build_object(
    'number', moved.number, 'title', t.title, 'verb', c.verb, 'seq', c.seq,
    'user', (SELECT m.name FROM todo.find_members(ARRAY[c.user_id]) m))"""
"""The task `t` of the number `moved.number`, and the change `c` that it was last in."""

JOIN_LAST_CHANGE: LiteralString = """
  LEFT JOIN todo.tasks t ON t.space_id = %(space)s::uuid AND t.number = moved.number
  LEFT JOIN todo.changes c ON c.space_id = %(space)s::uuid AND c.seq = t.rev"""


class MovedTask(msgspec.Struct):
    """A task and its last change; without a title the task is not there any more."""

    number: int
    title: str | None = None
    verb: str | None = None
    seq: int | None = None
    user: str | None = None

    def describe(self) -> str:
        """Return who changed the task last: "#3 Milk by ada (edit, change 12)"."""
        if self.title is None:
            return f"#{self.number}"
        return f"#{self.number} {self.title[:40]} by {self.user} ({label_of(self.verb or '')}, change {self.seq})"


class MovedTasks(msgspec.Struct):
    """What a statement returns of several."""

    tasks: list[MovedTask]


def describe_tasks(tasks: Sequence[MovedTask]) -> str:
    """Return the first tasks by name, and how many more there are."""
    named = ", ".join(task.describe() for task in tasks[:MAX_NAMED_TASKS])
    return named if len(tasks) <= MAX_NAMED_TASKS else f"{named} and {len(tasks) - MAX_NAMED_TASKS} more"

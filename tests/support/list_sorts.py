"""The sorts of a list, the titles of one, and the key of a task in each sort."""

from __future__ import annotations

from typing import Any

from tests.support.ask import Ask
from todo_cli.contract.tasks import ListTasks, Task

SORTS = [f"{sign}{key}" for key in ("due", "priority", "created", "updated") for sign in ("", "-")]


def titles(ask: Ask, **filters: Any) -> str:
    """Return the titles of a list, in its order."""
    return "".join(task.title for task in ask(ListTasks(**filters)).tasks)


def sort_key(task: Task, sort: str) -> Any:
    """Return the value that the sort compares."""
    match sort.removeprefix("-"):
        case "due":
            end = (task.due or "9999") if "T" in (task.due or "T") else f"{task.due}T23:59:59Z"
            return end, task.number
        case "priority":
            return task.priority or 4, task.number
        case "created":
            return task.number
        case _:
            return task.rev, task.number

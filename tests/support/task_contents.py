"""The content of tasks, which undo restores."""

from __future__ import annotations

from typing import Any

from tests.support.ask import Ask
from todo_cli.contract.tasks import ListTasks, Task

CONTENT = (
    "number",
    "id",
    "title",
    "note",
    "due",
    "project",
    "tags",
    "priority",
    "status",
    "completed_at",
    "created_at",
)


def content(task: Task) -> dict[str, Any]:
    """What a task says, without when and by which change."""
    return {name: getattr(task, name) for name in CONTENT}


def contents(ask: Ask) -> dict[int, dict[str, Any]]:
    """Every task's content."""
    tasks = ask(ListTasks(status="all", limit=1_000)).tasks
    return {task.number: content(ask.show(task.number)) for task in tasks}

"""Recurring tasks."""

from __future__ import annotations

from typing import Any

from tests.support.ask import Ask
from todo_cli.contract.tasks import Changed, CompleteTasks, ListTasks, Task

MONDAY = "2030-01-07"


def every(ask: Ask, words: str = "every week", due: str | None = MONDAY, **fields: Any) -> Task:
    """Add a recurring task."""
    return ask.add("Water", every=words, due=due, **fields)


def done(ask: Ask, *numbers: int) -> Changed:
    """Complete tasks."""
    return ask(CompleteTasks(numbers=numbers))


def dues(ask: Ask) -> list[tuple[int, str | None]]:
    """Return number and date of open tasks."""
    return [(task.number, task.due) for task in ask(ListTasks(sort="created")).tasks]

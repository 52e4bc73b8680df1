"""Requests that many tests of tasks send."""

from __future__ import annotations

from typing import Any

from tests.support.ask import Ask
from todo_cli.contract.tasks import EditTasks, ListTasks


def edit(ask: Ask, *numbers: int, **fields: Any) -> None:
    """Edit tasks."""
    ask(EditTasks(numbers=numbers, **fields))


def numbers_of(ask: Ask, **filters: object) -> list[int]:
    """Return the numbers of a list."""
    return [task.number for task in ask(ListTasks(**filters)).tasks]  # type: ignore[arg-type]

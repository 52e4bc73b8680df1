"""Read the tasks that a form shows, with their notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from todo_cli.cli.session import Session
from todo_cli.contract.limits import MAX_BATCH_READS, MAX_FORM_TASKS
from todo_cli.contract.tasks import ListTasks, ShowTask, Task
from todo_cli.errors import Conflict, Invalid, NotFound

ALSO_DEFERRED = "(defer:any or defer:none)"
"""A list leaves out deferred tasks unless its filter names them; an edit by filter does not."""


def read_tasks(session: Session, named: dict[str, Any]) -> list[Task]:
    """Return the tasks of numbers or of a filter. Raise NotFound, Conflict for the trash, and Invalid for too many."""
    numbers = named.get("numbers") or _find_numbers(session, named["filter"])
    if len(numbers) > MAX_FORM_TASKS:
        raise Invalid(
            f"at most {MAX_FORM_TASKS} tasks can be edited in one text", hint="name fewer, or name the fields: --due …"
        )
    tasks = read_numbers(session, numbers)
    if trashed := [task.number for task in tasks if task.status == "deleted"]:
        raise Conflict(f"task #{trashed[0]} is in the trash", hint=f"restore it first: todo restore {trashed[0]}")
    return tasks


def _find_numbers(session: Session, filter: str) -> Sequence[int]:
    page = session.send(ListTasks(filter=f"({filter}) and {ALSO_DEFERRED}", limit=MAX_FORM_TASKS + 1))
    if not page.tasks:
        raise NotFound(f"no task matches {filter[:100]!r}", hint="test it with: todo list FILTER")
    return [task.number for task in page.tasks]


def read_numbers(session: Session, numbers: Sequence[int]) -> list[Task]:
    """Return the tasks in this order; one request for every 20 of them. Raise NotFound."""
    if len(numbers) == 1:
        return [session.send(ShowTask(number=numbers[0]))]
    tasks: list[Task] = []
    for start in range(0, len(numbers), MAX_BATCH_READS):
        tasks += session.send_all(*(ShowTask(number=number) for number in numbers[start : start + MAX_BATCH_READS]))
    return tasks

"""Report parts of titles that look like a date but were not read as one."""

from __future__ import annotations

from collections.abc import Iterable

from todo_cli.cli.session import Session
from todo_cli.contract.tasks import Task

MAX_REPORTED_LINES = 20


def print_near_misses(session: Session, tasks: Iterable[tuple[int | None, Task]]) -> None:
    """Print the near misses of added tasks, at most 20. A task from stdin comes with the number of its line."""
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape
    from todo_cli.parsing.near_misses import find_near_misses

    today, reported = session.clock.now.date(), 0
    for line, task in tasks:
        if task.due is not None or task.repeat is not None:
            continue
        near_misses = find_near_misses(task.title, today)
        if not near_misses:
            continue
        if reported == MAX_REPORTED_LINES:
            text.note("more lines have words that were not read as a date")
            return
        reported += 1
        quoted = ", ".join(f'"{words}"' for words in near_misses)
        text.note(escape(f"{f'line {line}: ' if line else ''}not read as a date: {quoted}"))

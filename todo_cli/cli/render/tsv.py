"""Print a list of tasks in a pipe."""

from __future__ import annotations

from collections.abc import Iterable

from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.text import write
from todo_cli.contract.tasks import Task


def write_tsv(tasks: Iterable[Task]) -> None:
    """Print a tab-separated line per task: number, status, priority, due, project, tags, title."""
    for task in tasks:
        cells = [
            str(task.number),
            task.status,
            f"p{task.priority}" if task.priority else "",
            task.due or "",
            task.project or "",
            ",".join(task.tags),
            task.title,
        ]
        write("\t".join(escape(cell) for cell in cells))

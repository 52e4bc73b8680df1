"""The line below a list: how many tasks it has, and how many it hides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from todo_cli.cli.render.cells import cut, measure
from todo_cli.cli.render.colors import Line, Piece
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.text import is_overdue
from todo_cli.contract.limits import MAX_COUNTED_TASKS
from todo_cli.contract.tasks import Task, TaskPage

DEFERRED_COMMAND = ": todo list is:deferred"


def format_footer(page: TaskPage, view: ListView, more: str, width: int) -> list[Line]:
    """Return `13 open · 3 overdue · 2 blocked · 5 deferred: todo list is:deferred` behind an empty line.

    A list that is longer than the page begins with `50 of 214 shown · todo list --all`; `more` is that command.
    """
    dot = f" {view.signs.dot} "
    deferred = f"{page.deferred:,} deferred" if page.deferred else ""
    moment = [f"as of {page.as_of.astimezone(view.zone):%a %Y-%m-%d %H:%M}"] if page.as_of else []
    if page.next or page.cut:
        full = [*moment, _count_shown(page), more, deferred]
        short = [*moment, _count_shown(page), deferred]
    else:
        full = [*moment, *count_states(page.tasks, view), deferred]
        short = [*moment, *_count_statuses(page.tasks), deferred]
    choices = [
        dot.join(filter(None, full)) + (DEFERRED_COMMAND if deferred else ""),
        dot.join(filter(None, full)),
        dot.join(filter(None, short)),
    ]
    line = next((choice for choice in choices if measure(choice) <= width), choices[-1])
    return [[], [Piece(cut(line, width, view.signs.ellipsis), "grey")]] if line else []


def _count_shown(page: TaskPage) -> str:
    if not page.total:
        return f"{len(page.tasks):,} shown"
    plus = "+" if page.total >= MAX_COUNTED_TASKS else ""
    return f"{len(page.tasks):,} of {page.total:,}{plus} shown"


def _count_statuses(tasks: Sequence[Task]) -> Iterator[str]:
    for status in ("open", "done", "deleted"):
        if count := sum(task.status == status for task in tasks):
            yield f"{count:,} {status}"


def count_states(tasks: Sequence[Task], view: ListView) -> Iterator[str]:
    """Yield `13 open`, `3 overdue`, `2 blocked`: the counts that are not 0."""
    yield from _count_statuses(tasks)
    open_tasks = [task for task in tasks if task.status == "open"]
    if overdue := sum(bool(task.due) and is_overdue(task.due or "", view.zone, view.now) for task in open_tasks):
        yield f"{overdue:,} overdue"
    if blocked := sum(task.blocked is True for task in open_tasks):
        yield f"{blocked:,} blocked"

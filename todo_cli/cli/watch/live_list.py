"""The list of `todo watch` on a terminal: its rows, which of them have just changed, and which have just gone."""

from __future__ import annotations

import time
from collections.abc import Container, Iterator, Sequence
from typing import NamedTuple

from todo_cli.cli.render.colors import Line, Piece, Role
from todo_cli.cli.render.list_columns import format_heading, format_rows
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.task_rows import make_groups
from todo_cli.contract.journal import Change
from todo_cli.contract.tasks import Task, TaskPage

HIGHLIGHT_SECONDS = 2.0
"""A changed row is reverse, and a finished one struck through, for so long."""
CHANGED_MARK = "*"
"""Before a row that has just changed, where there are no colours."""


class _FinishedTask(NamedTuple):
    """A task that is no longer listed, shown until a moment of the monotonic clock."""

    task: Task
    until: float


class _ListLine(NamedTuple):
    """A line of the list; `number` is that of its task, None in a heading."""

    number: int | None
    line: Line


class LiveList:
    """The tasks of the last page, and what has happened to them."""

    def __init__(self, *, colored: bool) -> None:
        self.page = TaskPage(tasks=())
        self.last_change: Change | None = None
        self._colored = colored
        self._is_loaded = False
        self._changed: dict[int, float] = {}
        self._finished: dict[int, _FinishedTask] = {}
        self._shown: list[Task] = []
        self._ended: set[int] = set()
        self._changes: list[Change] = []

    def add_changes(self, changes: Sequence[Change]) -> None:
        """Remember the changes until the list is read again."""
        self._changes += changes

    def update(self, page: TaskPage) -> None:
        """Take the list as it is now."""
        until = time.monotonic() + HIGHLIGHT_SECONDS
        former = {task.number: task for task in self.page.tasks}
        current = {task.number: task for task in page.tasks}
        if self._is_loaded:
            changed = (n for n, task in current.items() if n not in former or former[n].rev != task.rev)
            self._changed |= dict.fromkeys(changed, until)
            self._ended = (self._ended | _find_ended(self._changes)) - current.keys()
            gone = {
                n: _FinishedTask(task, until) for n, task in former.items() if n not in current and n in self._ended
            }
            self._finished |= gone
        self._finished = {n: finished for n, finished in self._finished.items() if n not in current}
        numbers = former.keys() | current.keys()
        for change in self._changes:
            if any(difference.number in numbers for difference in change.differences):
                self.last_change = change
        self._changes, self.page, self._is_loaded = [], page, True
        self._shown = _insert_finished(page.tasks, self._shown, self._finished.keys())

    def has_ended(self, number: int) -> bool:
        """Whether the task was completed or deleted while it was watched."""
        return number in self._ended

    def expire(self) -> float | None:
        """Drop what was shown long enough; return the moment of the next, None without one."""
        now = time.monotonic()
        self._changed = {n: until for n, until in self._changed.items() if until > now}
        self._finished = {n: finished for n, finished in self._finished.items() if finished.until > now}
        listed = {task.number for task in self.page.tasks} | self._finished.keys()
        self._shown = [task for task in self._shown if task.number in listed]
        moments = [*self._changed.values(), *(finished.until for finished in self._finished.values())]
        return min(moments, default=None)

    def format(self, view: ListView, width: int, height: int) -> list[Line]:
        """Return the lines; at most `height`, of which the last then says how many tasks are not shown."""
        lines = list(self._format_tasks(view, width))
        total = max(len(self.page.tasks), self.page.total or 0)
        if len(lines) > height or total > len(self.page.tasks):
            lines = lines[: max(0, height - 1)]
            while lines and lines[-1].number is None:
                lines.pop()
            shown = len({line.number for line in lines} - {None} - self._finished.keys())
            more = f" {view.signs.ellipsis} {total - shown:,} more"
            return [*(line.line for line in lines), [Piece(more, "grey")]]
        return [line.line for line in lines] or [[Piece("Nothing to show now.", "grey")]]

    def _format_tasks(self, view: ListView, width: int) -> Iterator[_ListLine]:
        groups = make_groups(self._shown, view)
        row_lines = format_rows([row for group in groups for row in group.rows], view, width)
        is_first = True
        for group in groups:
            if group.heading:
                if not is_first:
                    yield _ListLine(None, [])
                yield _ListLine(None, format_heading(group.heading, len(group.rows), view, width))
            is_first = False
            for row in group.rows:
                number = int(row.number)
                for line in next(row_lines):
                    yield _ListLine(number, self._mark(number, line, view))

    def _mark(self, number: int, line: Line, view: ListView) -> Line:
        """Return the line of a task, marked where the task has just changed or gone."""
        role: Role
        if number in self._finished:
            role, mark = "finished", view.signs.done[:1]
        elif number in self._changed:
            role, mark = "reverse", CHANGED_MARK
        else:
            return line
        text = "".join(piece.text for piece in line).rstrip()
        return [Piece(text, role)] if self._colored else [Piece(mark + text[1:])]


def _find_ended(changes: Sequence[Change]) -> set[int]:
    """Return the tasks that the changes have completed or deleted."""
    return {
        difference.number
        for change in changes
        for difference in change.differences
        if difference.fields.get("status", (None, None))[1] in ("done", "deleted")
    }


def _insert_finished(tasks: Sequence[Task], former: Sequence[Task], finished: Container[int]) -> list[Task]:
    """Return the tasks with the finished ones where they were: each behind the task that stood before it."""
    result = list(tasks)
    current = {task.number for task in tasks}
    before: int | None = None
    for task in former:
        if task.number in finished and task.number not in current:
            places = [place for place, each in enumerate(result) if each.number == before]
            result.insert(places[0] + 1 if places else 0, task)
        elif task.number not in current:
            continue
        before = task.number
    return result

"""Turn tasks into the rows of a list: a subtask under its parent, and each row's texts with their roles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, tzinfo
from typing import NamedTuple

from todo_cli.cli.render.colors import Role
from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.signs import Signs, choose_signs
from todo_cli.cli.render.text import (
    describe_repeat,
    format_age,
    format_due,
    format_duration,
    is_due_today,
    is_overdue,
)
from todo_cli.cli.session import Session
from todo_cli.contract.task_types import LinkedTask
from todo_cli.contract.tasks import Task

MAX_INDENT_LEVELS = 4


class ListView(NamedTuple):
    """How a list is shown: the reader's time zone and moment, the signs, and the choices of the command."""

    zone: tzinfo | None
    now: datetime
    signs: Signs
    absolute: bool = False  # dates as 2026-12-24 09:00
    as_tree: bool = True
    with_urgency: bool = False
    wrap_titles: bool = False

    @property
    def today(self) -> date:
        """The reader's day."""
        return self.now.astimezone(self.zone).date()


def open_view(session: Session) -> ListView:
    """Return how lists are shown in this session: in the user's time zone, with the signs of the terminal."""
    now = session.local_now()
    return ListView(
        zone=now.tzinfo, now=now, signs=choose_signs(session.display.signs), absolute=session.absolute_dates
    )


class ListRow(NamedTuple):
    """The texts of one task in a list. `branch` draws its place below its parent, `suffix` stands behind the title."""

    number: str
    priority: str
    priority_role: Role
    mark: str
    mark_role: Role
    branch: str
    title: str
    title_role: Role
    suffix: str
    due: str
    due_role: Role
    project: str
    tags: tuple[str, ...]
    facts: str
    urgency: str


PRIORITY_ROLES: dict[int, Role] = {1: "p1", 2: "p2", 3: "p3"}


def make_rows(tasks: Sequence[Task], view: ListView) -> list[ListRow]:
    """Return the rows of the list; as a tree, subtasks follow their parent."""
    numbers = {task.number for task in tasks}
    nested = _nest(tasks) if view.as_tree else ((task, 0, False) for task in tasks)
    rows = []
    for task, depth, is_last in nested:
        is_orphan = task.parent is not None and (depth == 0 or task.parent not in numbers)
        rows.append(_make_row(task, view, _format_branch(depth, view.signs, is_last=is_last), is_orphan=is_orphan))
    return rows


def _nest(tasks: Sequence[Task]) -> Iterator[tuple[Task, int, bool]]:
    """Yield the tasks in their order, each followed by its subtasks: the task, its depth, whether it is the last."""
    numbers = {task.number for task in tasks}
    children: dict[int | None, list[Task]] = {}
    for task in tasks:
        children.setdefault(task.parent if task.parent in numbers else None, []).append(task)
    waiting = [(task, 0, False) for task in reversed(children.get(None, []))]
    while waiting:
        task, depth, is_last = waiting.pop()
        yield task, depth, is_last
        below = children.get(task.number, [])
        waiting += [(child, depth + 1, child is below[-1]) for child in reversed(below)]


def _format_branch(depth: int, signs: Signs, *, is_last: bool) -> str:
    if depth == 0:
        return ""
    shown = min(depth, MAX_INDENT_LEVELS)
    deeper = signs.ellipsis if depth > MAX_INDENT_LEVELS else ""
    return "  " * (shown - 1) + (signs.last_branch if is_last else signs.branch) + deeper


def _make_row(task: Task, view: ListView, branch: str, *, is_orphan: bool) -> ListRow:
    mark, mark_role = _choose_mark(task, view)
    due, due_role = format_due_cell(task, view)
    is_open = task.status == "open"
    suffixes = [view.signs.recurs if task.repeat else "", f"{view.signs.parent}{task.parent}" if is_orphan else ""]
    return ListRow(
        number=str(task.number),
        priority=f"p{task.priority}" if task.priority else "",
        priority_role=PRIORITY_ROLES.get(task.priority or 0, "") if is_open else "grey",
        mark=mark,
        mark_role=mark_role,
        branch=branch,
        title=escape(task.title),
        title_role="finished" if not is_open else "grey" if task.blocked else "",
        suffix=" ".join(suffix for suffix in suffixes if suffix),
        due=due,
        due_role=due_role,
        project=escape(f"#{task.project}") if task.project else "",
        tags=tuple(escape(f"@{tag}") for tag in task.tags),
        facts=escape(", ".join(_list_facts(task, view))),
        urgency=f"{task.urgency:.1f}" if view.with_urgency and isinstance(task.urgency, float) else "",
    )


def _choose_mark(task: Task, view: ListView) -> tuple[str, Role]:
    """Return the sign of the task's state; the first that applies."""
    if task.status != "open":
        return "", ""
    if task.started_at:
        return view.signs.started, "started"
    if task.blocked:
        return view.signs.blocked, "blocked"
    if is_claimed(task, view.now):
        return view.signs.claimed, "claimed"
    return (view.signs.deferred, "grey") if is_deferred(task, view) else ("", "")


def is_claimed(task: Task, now: datetime) -> bool:
    """Whether a worker holds the task now."""
    return task.claimed_until is not None and task.claimed_until > now


def is_deferred(task: Task, view: ListView) -> bool:
    """Whether the task is hidden until a later date."""
    return task.defer is not None and not is_overdue(task.defer, view.zone, view.now)


def format_due_cell(task: Task | LinkedTask, view: ListView) -> tuple[str, Role]:
    """Return the due date with its role; of a finished task when it was done or deleted."""
    if task.status != "open":
        ended_at = None
        if isinstance(task, Task):
            ended_at = task.deleted_at if task.status == "deleted" else task.completed_at
        age = f" {format_age(ended_at, view.now, view.zone, absolute=view.absolute)}" if ended_at else ""
        return f"{task.status}{age}", "grey"
    if not task.due:
        return "", ""
    words = format_due(task.due, view.zone, view.now, absolute=view.absolute)
    if is_overdue(task.due, view.zone, view.now):
        return words, "overdue"
    return words, "today" if is_due_today(task.due, view.zone, view.now) else ""


def _list_facts(task: Task, view: ListView) -> Iterator[str]:
    """Yield the rest in words: `started 20m ago`, `after #19`, `claimed by bob`, `deferred to Mon`, `every month`."""
    if task.status != "open":
        return
    if task.started_at:
        yield f"started {format_age(task.started_at, view.now, view.zone, absolute=view.absolute)}"
    elif task.tracked:
        yield f"worked {format_duration(task.tracked)}"
    if task.blocked:
        yield f"after {' '.join(f'#{number}' for number in task.after)}"
    if is_claimed(task, view.now):
        yield f"claimed by {task.claimed_by}"
    if task.defer and is_deferred(task, view):
        yield f"deferred to {format_due(task.defer, view.zone, view.now, absolute=view.absolute)}"
    if task.repeat:
        yield describe_repeat(task.repeat, view.zone)

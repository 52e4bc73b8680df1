"""Turn tasks into the rows of a list: each row's texts with their roles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from msgspec import UNSET

from todo_cli.cli.render.cells import cut
from todo_cli.cli.render.colors import Role
from todo_cli.cli.render.days import local_clock, local_day
from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.task_groups import TaskGroup, group_tasks
from todo_cli.cli.render.task_tree import TreeNode, format_branch, nest_tasks
from todo_cli.cli.render.text import (
    describe_repeat,
    format_age,
    format_due,
    format_duration,
    is_due_today,
    is_overdue,
)
from todo_cli.contract.task_types import LinkedTask, TaskLinks
from todo_cli.contract.tasks import Task

MAX_PARENT_CELLS = 24
"""Of the title of a parent behind the title of its subtask."""


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
    assignee: str
    facts: str
    urgency: str


PRIORITY_ROLES: dict[int, Role] = {1: "p1", 2: "p2", 3: "p3"}


class RowGroup(NamedTuple):
    """The rows below one heading, which is empty in a list without groups."""

    heading: str
    rows: list[ListRow]


def make_groups(tasks: Sequence[Task], view: ListView) -> list[RowGroup]:
    """Return the rows of the list in groups; as a tree, subtasks follow their parent."""
    nodes = nest_tasks(tasks) if view.as_tree else (TreeNode(task, task) for task in tasks)
    return [RowGroup(group.heading, _make_rows(group, view)) for group in group_tasks(nodes, view)]


def _make_rows(group: TaskGroup, view: ListView) -> list[ListRow]:
    rows = [_make_row(node, view, group.day) for node in group.nodes]
    return [row._replace(project="") for row in rows] if view.group == "project" else rows


def _make_row(node: TreeNode, view: ListView, day: date | None) -> ListRow:
    task = node.task
    mark, mark_role = _choose_mark(task, view)
    due, due_role = format_due_cell(task, view, day)
    is_open = task.status == "open"
    return ListRow(
        number=str(task.number),
        priority=f"p{task.priority}" if task.priority else "",
        priority_role=PRIORITY_ROLES.get(task.priority or 0, "") if is_open else "grey",
        mark=mark,
        mark_role=mark_role,
        branch=format_branch(node, view.signs),
        title=escape(task.title),
        title_role="finished" if not is_open else "grey" if task.blocked else "",
        suffix=_format_suffix(node, view),
        due=due,
        due_role=due_role,
        project=escape(f"#{task.project}") if task.project else "",
        tags=tuple(escape(f"@{tag}") for tag in task.tags),
        assignee=escape(f"for {task.assigned_to}") if task.assigned_to else "",
        facts=escape(", ".join(_list_facts(task, view))),
        urgency=f"{task.urgency:.1f}" if view.with_urgency and isinstance(task.urgency, float) else "",
    )


def _format_suffix(node: TreeNode, view: ListView) -> str:
    """Return what stands behind the title: `1/4 ↻  ‹Move house`."""
    task = node.task
    done = task.subtasks_done or 0
    total = done + (task.subtasks or 0)
    signs = [f"{done}/{total}" if total else "", view.signs.recurs if task.repeat else ""]
    parent = ""
    if task.parent is not None and node.depth == 0:
        linked = task.links.parent if view.name_parents and task.links else None
        name = escape(linked.title) if linked else str(task.parent)
        parent = view.signs.parent + cut(name, MAX_PARENT_CELLS, view.signs.ellipsis)
    suffix = "".join(f" {sign}" for sign in signs if sign)
    return f"{suffix}  {parent}" if parent else suffix


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


def is_claimed(task: Task | LinkedTask, now: datetime) -> bool:
    """Whether a worker holds the task now."""
    return task.claimed_until is not None and task.claimed_until > now


def is_deferred(task: Task, view: ListView) -> bool:
    """Whether the task is hidden until a later date."""
    return task.defer is not None and not is_overdue(task.defer, view.zone, view.now)


def format_due_cell(task: Task | LinkedTask, view: ListView, day: date | None = None) -> tuple[str, Role]:
    """Return the due date with its role; of a finished task when it was done or deleted.

    Below a heading that names its day, a task has only its time.
    """
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
    if day == local_day(task.due, view.zone) and not view.absolute:
        words = local_clock(task.due, view.zone)
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
        yield f"after {_name_blockers(task)}"
    if is_claimed(task, view.now):
        yield f"claimed by {task.claimed_by}"
    if task.defer and is_deferred(task, view):
        yield f"deferred to {format_due(task.defer, view.zone, view.now, absolute=view.absolute)}"
    if task.repeat:
        yield describe_repeat(task.repeat, view.zone)


def _name_blockers(task: Task) -> str:
    """Return `#19 Collect prices`; the numbers alone if there are several, or if the list has no titles."""
    blockers = (task.links or TaskLinks()).blockers if task.links is not UNSET else ()
    if len(blockers) == 1:
        return f"#{blockers[0].number} {blockers[0].title}"
    return " ".join(f"#{number}" for number in ([blocker.number for blocker in blockers] or task.after))

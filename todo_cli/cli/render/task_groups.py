"""Divide a list by the day that its tasks are due, or by their projects."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Literal, NamedTuple

from todo_cli.cli.render.days import format_heading_day, local_day
from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.task_tree import TreeNode
from todo_cli.cli.render.text import is_overdue
from todo_cli.contract.tasks import Task

Grouping = Literal["day", "project", "none"]
NEXT_DAYS = 7

_OVERDUE, _TODAY, _TOMORROW, _NEXT_DAYS, _LATER, _NO_DATE, _FINISHED = range(7)
_DAY_HEADINGS = ("Overdue", "Today", "Tomorrow", f"Next {NEXT_DAYS} days", "Later", "No date", "Finished")


class TaskGroup(NamedTuple):
    """The tasks below one heading. `day` is the day that the heading names."""

    heading: str
    nodes: list[TreeNode]
    day: date | None = None


def group_tasks(nodes: Iterable[TreeNode], view: ListView) -> list[TaskGroup]:
    """Return the groups in their order; a subtask is in the group of the task above it. Without groups: one."""
    nodes = list(nodes)
    if view.group == "day" and any(node.task.status == "open" for node in nodes):
        return _group_by_day(nodes, view)
    if view.group == "project":
        return _group_by_project(nodes)
    return [TaskGroup("", nodes)] if nodes else []


def _group_by_day(nodes: list[TreeNode], view: ListView) -> list[TaskGroup]:
    today = view.now.astimezone(view.zone).date()
    days = {_TODAY: today, _TOMORROW: today + timedelta(days=1)}
    groups: dict[int, list[TreeNode]] = {}
    for node in nodes:
        groups.setdefault(_find_day_group(node.root, view, today), []).append(node)
    return [
        TaskGroup(_format_day_heading(place, days.get(place), view), groups[place], days.get(place))
        for place in sorted(groups)
    ]


def _find_day_group(task: Task, view: ListView, today: date) -> int:
    if task.status != "open":
        return _FINISHED
    if not task.due:
        return _NO_DATE
    if is_overdue(task.due, view.zone, view.now):
        return _OVERDUE
    days = (local_day(task.due, view.zone) - today).days
    if days <= 1:
        return _TOMORROW if days == 1 else _TODAY
    return _NEXT_DAYS if days < NEXT_DAYS else _LATER


def _format_day_heading(place: int, day: date | None, view: ListView) -> str:
    name = _DAY_HEADINGS[place]
    if day is None:
        return name
    today = view.now.astimezone(view.zone).date()
    return f"{name} {view.signs.dot} {format_heading_day(day, today, absolute=view.absolute)}"


def _group_by_project(nodes: list[TreeNode]) -> list[TaskGroup]:
    groups: dict[str | None, list[TreeNode]] = {}
    for node in nodes:
        groups.setdefault(node.root.project, []).append(node)
    names = sorted(groups, key=lambda name: (name is None, (name or "").casefold(), name or ""))
    return [TaskGroup("No project" if name is None else escape(name), groups[name]) for name in names]

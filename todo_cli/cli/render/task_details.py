"""Format one task with everything about it for a pipe; `list_fields` names its fields for a terminal too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from todo_cli.cli.render.attachments import format_attachments
from todo_cli.cli.render.colors import Role
from todo_cli.cli.render.comments import format_comments
from todo_cli.cli.render.escape import escape, escape_block
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.reminders import describe_reminders
from todo_cli.cli.render.task_rows import PRIORITY_ROLES, format_due_cell, is_claimed
from todo_cli.cli.render.text import (
    describe_repeat,
    format_age,
    format_due,
    format_due_iso,
    format_duration,
)
from todo_cli.contract.task_types import LinkedTask, TaskLinks
from todo_cli.contract.tasks import Task

NAME_CELLS = 10
INDENT = "  "
FieldLine = tuple[str, str, Role]
"""Name, value and role."""


def format_plain_details(task: Task, view: ListView) -> Iterator[str]:
    """Yield the lines of the task for a pipe: `name value`, then the note, the attachments and the comments."""

    def format_date(due: str) -> str:
        return f"{format_due(due, view.zone, view.now)} ({format_due_iso(due, view.zone)})"

    yield escape(f"#{task.number} {task.title}")
    for name, value, _ in list_fields(task, view, format_date):
        yield f"{INDENT}{name:<{NAME_CELLS}}{value}"
    links = task.links or TaskLinks()
    kinds = (
        ("subtask", links.subtasks),
        ("blocker", links.blockers),
        ("blocks", links.blocked),
        ("led to", links.discovered),
    )
    for name, linked_tasks in kinds:
        for linked in linked_tasks:
            yield f"{INDENT}{name:<{NAME_CELLS}}{escape(f'#{linked.number} {linked.title}')} ({linked.status})"
    if task.note:
        yield from ("", escape_block(task.note))
    if task.attachments:
        yield from ("", *format_attachments(task.attachments, view.now, view.zone))
    if task.comments:
        yield ""
        yield from format_comments(task.comments, view.now, view.zone)


def list_fields(task: Task, view: ListView, format_date: Callable[[str], str]) -> Iterator[FieldLine]:
    """Yield the fields that are set: name, value and role."""
    for name, value, role in (*_list_own_fields(task, view, format_date), *_list_times(task, view)):
        if value:
            yield name, escape(value), role


def _list_own_fields(task: Task, view: ListView, format_date: Callable[[str], str]) -> Iterator[FieldLine]:
    yield "status", task.status, ""
    if task.due:
        yield "due", format_date(task.due), format_due_cell(task, view)[1] if task.status == "open" else ""
    yield "priority", f"p{task.priority}" if task.priority else "", PRIORITY_ROLES.get(task.priority or 0, "")
    yield "project", task.project or "", "project"
    yield "tags", " ".join(task.tags), "tag"
    yield "assigned", f"to {task.assigned_to}" if task.assigned_to else "", ""
    if task.repeat:
        yield "repeats", f"{describe_repeat(task.repeat, view.zone)} (occurrence {task.repeat.occurrence})", ""
    yield "deferred", format_date(task.defer) if task.defer else "", ""
    yield "scheduled", format_date(task.scheduled) if task.scheduled else "", ""
    yield "reminds", describe_reminders(task.remind, format_date), ""
    links = task.links or TaskLinks()
    yield "parent", _name_task(task.parent, links.parent), ""
    yield "found in", _name_task(task.discovered_from, links.source), ""
    yield "subtasks", f"{task.subtasks} open" if task.subtasks else "", ""
    blocked = " (blocked)" if task.blocked else ""
    yield "after", " ".join(f"#{number}" for number in task.after) + blocked, "blocked" if task.blocked else ""


def _name_task(number: int | None, linked: LinkedTask | None) -> str:
    if not number:
        return ""
    return f"#{number} {linked.title}" if linked else f"#{number}"


def _list_times(task: Task, view: ListView) -> Iterator[FieldLine]:
    yield "started", _format_age(task.started_at, view), "started"
    yield "worked", format_duration(task.tracked) if task.tracked else "", ""
    if task.claimed_until and is_claimed(task, view.now):
        until = f"{task.claimed_until.astimezone(view.zone):%Y-%m-%d %H:%M:%S}"
        fence = f" (fence {task.fence})" if task.fence else ""
        yield "claimed", f"by {task.claimed_by} until {until}{fence}", "claimed"
    yield "urgency", f"{task.urgency:.1f}" if isinstance(task.urgency, float) else "", ""
    yield "added", _format_age(task.created_at, view), ""
    yield "changed", _format_age(task.updated_at, view) if task.updated_at != task.created_at else "", ""
    yield "done", _format_age(task.completed_at, view), ""
    yield "rev", str(task.rev), "grey"
    yield "id", task.id, "grey"


def _format_age(when: datetime | None, view: ListView) -> str:
    return format_age(when, view.now, view.zone, absolute=view.absolute) if when else ""

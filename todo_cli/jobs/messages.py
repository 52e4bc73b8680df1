"""The messages of jobs: a reminder, a change of a space, a test; as text for people and as JSON for programs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from todo_cli.contract.registry import label_of
from todo_cli.core.journal import show_row
from todo_cli.core.journal_texts import JournalRow, has_reference
from todo_cli.parsing.dates import zone_of

LATE_AFTER = timedelta(minutes=1)
"""A reminder that goes out later than this says so."""
SMALLEST_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))


class ChannelAddress(msgspec.Struct, frozen=True):
    """A channel with its secrets, and the id of the delivery to it."""

    id: str
    channel: str
    kind: str
    target: str
    secret: str | None = None


class ReminderTask(msgspec.Struct, frozen=True):
    """The task of a reminder."""

    number: int
    title: str
    project: str | None = None
    priority: int | None = None
    due_on: date | None = None
    due_at: datetime | None = None


class SpaceChange(msgspec.Struct, frozen=True):
    """A change of a space, as the journal keeps it."""

    seq: int
    at: datetime
    verb: str
    space: str
    user: str | None = None
    request: dict[str, Any] = {}
    after: list[Any] | None = None


class JobMessage(msgspec.Struct, frozen=True):
    """What a job is to send: of `task` a reminder, of `change` a webhook's post, of neither a test."""

    now: datetime
    deliveries: tuple[ChannelAddress, ...] = ()
    zone: str | None = None
    moment: datetime | None = None
    task: ReminderTask | None = None
    change: SpaceChange | None = None
    has_dead: bool = False


class Notice(NamedTuple):
    """A message in the forms that the channels need. `event` names its kind."""

    event: str
    title: str
    text: str
    data: dict[str, Any]
    priority: int | None = None


def make_notice(message: JobMessage) -> Notice:
    """Return the message of a job."""
    if message.task and message.moment:
        return _make_reminder(message, message.task, message.moment)
    if message.change:
        return _make_change(message.change)
    text = "This is a test message of todo. Reminders will come here."
    return Notice("test", "Test of todo", text, {})


def _make_reminder(message: JobMessage, task: ReminderTask, moment: datetime) -> Notice:
    zone = zone_of(message.zone or "UTC")
    is_late = message.now - moment > LATE_AFTER
    due = _format_due(task, message.zone or "UTC")
    lines = [f"Due {due}." if due else "Reminder without a due date."]
    if task.project:
        lines.append(f"Project: {task.project}")
    if is_late:
        delay = _format_delay(message.now - moment)
        lines.append(f"This reminder is {delay} late: it was set for {moment.astimezone(zone):%a %d %b %H:%M}.")
    data = {
        "task": {
            "number": task.number,
            "title": task.title,
            "project": task.project,
            "priority": task.priority,
            "due": _due_text(task),
        },
        "moment": _instant_text(moment),
        "late": is_late,
    }
    return Notice("reminder", f"#{task.number} {task.title}", "\n".join(lines), data, task.priority)


def _format_due(task: ReminderTask, zone: str) -> str | None:
    if task.due_at:
        return f"{task.due_at.astimezone(zone_of(zone)):%a %d %b %Y %H:%M} ({zone})"
    return f"{task.due_on:%a %d %b %Y}" if task.due_on else None


def _due_text(task: ReminderTask) -> str | None:
    if task.due_at:
        return _instant_text(task.due_at)
    return task.due_on.isoformat() if task.due_on else None


def _instant_text(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _format_delay(delay: timedelta) -> str:
    """Return a delay in its largest whole unit: `3 hours`."""
    for name, seconds in SMALLEST_UNITS:
        count = int(delay.total_seconds() // seconds)
        if count:
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "a moment"


def _make_change(change: SpaceChange) -> Notice:
    command = label_of(change.verb)
    tasks = [_show_task(row) for row in change.after or () if isinstance(row, dict)]
    data = {
        "seq": change.seq,
        "at": _instant_text(change.at),
        "space": change.space,
        "user": change.user,
        "command": command,
        "verb": change.verb,
        "request": change.request,
        "tasks": tasks,
    }
    return Notice("change", f"{command} by {change.user}", f"Change {change.seq}.", data)


def _show_task(row: JournalRow) -> dict[str, Any]:
    """Return the fields of a changed task, without a long note, which the journal keeps apart."""
    shown = show_row(row)
    return {name: value for name, value in shown.items() if name != "note" or not has_reference(row)}

"""Format the reminders of a task."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from todo_cli.contract.task_types import Reminder


def describe_reminders(reminders: Sequence[Reminder] | None, format_date: Callable[[str], str]) -> str:
    """Return `1h before, tomorrow 09:00`."""
    return ", ".join(_describe(reminder, format_date) for reminder in reminders or ())


def _describe(reminder: Reminder, format_date: Callable[[str], str]) -> str:
    from todo_cli.parsing.reminders import format_lead

    return format_date(reminder.at.isoformat()) if reminder.at else format_lead(reminder.days, reminder.seconds)

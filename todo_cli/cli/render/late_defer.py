"""Warn of tasks that are hidden until after they are due."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo

from todo_cli.cli.render.text import note, parse_due
from todo_cli.contract.tasks import Task


def warn_of_late_defer(tasks: Iterable[Task], zone: tzinfo | None) -> None:
    """Print a warning for each task that is hidden until after it is due."""
    for task in tasks:
        if task.due and task.defer and _is_later(task.defer, task.due, zone):
            note(f"warning: #{task.number} is deferred until after its due date")


def _is_later(first: str, second: str, zone: tzinfo | None) -> bool:
    """Compare two instants as instants, and a day with anything by the day."""
    dates = parse_due(first), parse_due(second)
    if isinstance(dates[0], datetime) and isinstance(dates[1], datetime):
        return dates[0] > dates[1]
    days = [when.astimezone(zone).date() if isinstance(when, datetime) else when for when in dates]
    return days[0] > days[1]

"""The days on which a recurring task will be due after its current occurrence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, tzinfo

from todo_cli.cli.render.days import local_day
from todo_cli.cli.render.text import parse_due
from todo_cli.contract.tasks import Task


def list_coming_days(task: Task, end: date, zone: tzinfo | None) -> Iterator[date]:
    """Yield the days up to the end. A task that recurs from its completion has none that are known."""
    if not task.repeat or not task.due or task.repeat.from_done:
        return
    from todo_cli.parsing.recurrence import next_occurrence

    home = task.repeat.zone or str(zone)
    due, occurrence = parse_due(task.due), task.repeat.occurrence
    day = local_day(task.due, zone)
    while day <= end:
        coming = next_occurrence(task.repeat.rule, anchor=due, after=day, zone=home, occurrence=occurrence)
        if coming is None:
            return
        day = coming.astimezone(zone).date() if isinstance(coming, datetime) else coming
        if day <= end:
            yield day
        occurrence += 1

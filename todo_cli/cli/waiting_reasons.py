"""Explain why an open task is not ready: what blocks it, who has claimed it, until when it is put off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from todo_cli.cli.render.text import format_full_due, format_instant, parse_due
from todo_cli.contract.tasks import Task


def list_reasons(task: Task, now: datetime) -> tuple[str, ...]:
    """Return `blocked by #3 Paint`, `claimed by ada until …` and the like; `now` is in the user's time zone."""
    return tuple(_reasons(task, now))


def _reasons(task: Task, now: datetime) -> Iterator[str]:
    for blocker in (task.links and task.links.blockers) or ():
        yield f"blocked by #{blocker.number} {blocker.title}"
    if task.claimed_until and task.claimed_until > now:
        yield f"claimed by {task.claimed_by} until {_format(format_instant(task.claimed_until), now)}"
    for word, date in (("deferred until", task.defer), ("scheduled for", task.scheduled)):
        if date and _is_later(date, now):
            yield f"{word} {_format(date, now)}"


def _is_later(date: str, now: datetime) -> bool:
    when = parse_due(date)
    return when > now if isinstance(when, datetime) else when > now.date()


def _format(date: str, now: datetime) -> str:
    return format_full_due(date, now.tzinfo, now, absolute=True)

"""Print followed changes as lines: of text, or of JSON with a cursor."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from todo_cli.change_client.follow import Outage
from todo_cli.cli.render import text
from todo_cli.cli.render.changes import IMPLIED_FIELDS, describe_actor, format_difference
from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.list_view import ListView
from todo_cli.contract.change_feed import ChangeBatch, SentReminder
from todo_cli.contract.journal import Change
from todo_cli.contract.registry import label_of

MAX_LINE_TASKS = 5
"""Tasks of one change that its line names."""


class ChangeOutput(Protocol):
    """Prints what a watcher sees."""

    def show_batch(self, batch: ChangeBatch) -> None:
        """Show the changes of a batch."""

    def show_outage(self, outage: Outage | None) -> None:
        """Show that no changes arrive, or with None that they arrive again."""


class ChangeTexts:
    """A line for each change and reminder; an outage is reported once, on stderr."""

    def __init__(self, view: ListView) -> None:
        self._view, self._day, self._is_away = view, view.today, False

    def show_batch(self, batch: ChangeBatch) -> None:
        """Print a line for each change, then one for each reminder."""
        for change in batch.changes:
            text.write(f"{self._format_time(change.at)} {format_change(change, self._view._replace(now=change.at))}")
        for reminder in batch.reminders:
            text.write(f"{self._format_time(reminder.at)} {format_reminder(reminder, self._view)}")
        sys.stdout.flush()

    def show_outage(self, outage: Outage | None) -> None:
        """Report the beginning and the end of an outage."""
        if outage and not self._is_away:
            text.note(escape(f"no connection, trying again: {outage.reason}"))
        elif outage is None:
            text.note("connected again")
        self._is_away = outage is not None

    def _format_time(self, moment: datetime) -> str:
        """Return `09:52`; the day stands before it where it is another one than before."""
        at = moment.astimezone(self._view.zone)
        day = f"{at:%Y-%m-%d} " if at.date() != self._day else ""
        self._day = at.date()
        return f"{day}{at:%H:%M}"


class ChangeObjects:
    """A JSON object for each change and reminder; an outage is not reported."""

    def show_batch(self, batch: ChangeBatch) -> None:
        """Print the changes, then the reminders."""
        from todo_cli.cli.json_documents import WatchedChange, WatchedReminder
        from todo_cli.cli.render import json

        fields = Change.__struct_fields__
        json.write_lines(
            WatchedChange(cursor=change.seq, **{name: getattr(change, name) for name in fields})
            for change in batch.changes
        )
        fields = SentReminder.__struct_fields__
        json.write_lines(
            WatchedReminder(cursor=batch.cursor, **{name: getattr(reminder, name) for name in fields})
            for reminder in batch.reminders
        )
        sys.stdout.flush()

    def show_outage(self, outage: Outage | None) -> None:
        """Print nothing: a program sees the changes when they arrive."""


def format_reminder(reminder: SentReminder, view: ListView) -> str:
    """Return `reminder #9 Call the dentist: due today 15:00`."""
    due = ""
    if reminder.due:
        due = f": due {text.format_due(reminder.due, view.zone, reminder.at, absolute=view.absolute)}"
    return escape(f"reminder #{reminder.number} {reminder.title}") + due


def format_change(change: Change, view: ListView) -> str:
    """Return `done #31 Stand-up`; for several tasks their number first; at the end who made it, if not the caller."""
    actor = "" if change.mine and not change.by_model else f" {view.signs.dot} {escape(describe_actor(change))}"
    return f"{label_of(change.verb)} {_describe_effect(change, view)}".rstrip() + actor


def _describe_effect(change: Change, view: ListView) -> str:
    undoes = f"of {change.undoes} " if change.undoes else ""
    if change.tasks <= 1:
        return undoes + _describe_tasks(change, view, IMPLIED_FIELDS.get(change.verb, ()))
    shown = [escape(f"#{each.number} {each.title}") for each in change.differences[:MAX_LINE_TASKS]]
    more = [f"{change.tasks - len(shown):,} more"] if change.tasks > len(shown) else []
    return f"{undoes}{change.tasks:,} tasks: {', '.join([*shown, *more])}"


def _describe_tasks(change: Change, view: ListView, hidden: Sequence[str]) -> str:
    if not change.differences:
        return escape(change.about or "")
    return format_difference(change.differences[0], view, hidden)

"""Format the changes of the journal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.text import format_age, format_instant
from todo_cli.contract.journal import Change, Difference
from todo_cli.contract.registry import label_of

MAX_VALUE_CHARS = 60


def format_value(value: Any) -> str:
    """Return a field's value on one line, cut to 60 characters."""
    if value in (None, [], ()):
        return "none"
    text = " ".join(str(item) for item in value) if isinstance(value, (list, tuple)) else str(value)
    return text if len(text) <= MAX_VALUE_CHARS else text[: MAX_VALUE_CHARS - 1] + "…"


def format_difference(difference: Difference) -> str:
    """Return `#12 Pay rent: due none → 2026-12-01, status open → done`."""
    parts = []
    for name, (old, new) in difference.fields.items():
        value = format_value(new)
        parts.append(f"{name} {value}" if difference.added else f"{name} {format_value(old)} → {value}")
    return escape(f"#{difference.number} {difference.title}" + (f": {', '.join(parts)}" if parts else ""))


def format_change(change: Change, now: datetime) -> list[str]:
    """Return a line about the change, and one for each task that it changed."""
    about = f" {change.about}" if change.about else ""
    undoes = f" of {change.undoes}" if change.undoes else ""
    token = f" with {change.token}" if change.token else ""
    mark = "  (undone)" if change.undone else ""
    user = f"{change.user}{token} ({change.way})"
    head = f"{change.seq:>5}  {format_age(change.at, now)}  {user}  {label_of(change.verb)}{undoes}{about}{mark}"
    lines = [escape(head), *(f"       {format_difference(difference)}" for difference in change.differences)]
    more = change.tasks - len(change.differences)
    if change.tasks > 10 and more > 0:
        lines.append(f"       … and {more} more")
    return lines


def change_cells(change: Change) -> list[str]:
    """Return the cells for a pipe: seq, time, user, token, way, command, task numbers, undone."""
    numbers = ",".join(str(difference.number) for difference in change.differences)
    cells = [
        str(change.seq),
        format_instant(change.at),
        change.user,
        change.token,
        change.way,
        label_of(change.verb),
        numbers or change.about or "",
        "undone" if change.undone else "",
    ]
    return [escape(cell) for cell in cells]

"""The journal in words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.text import format_age
from todo_cli.contract.journal import Change, Difference
from todo_cli.contract.registry import label_of


def format_value(value: Any) -> str:
    """One value of a field, short."""
    if value in (None, [], ()):
        return "none"
    text = " ".join(str(item) for item in value) if isinstance(value, (list, tuple)) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def format_difference(request: Difference) -> str:
    """`#12 Pay rent: due none → 2026-12-01, status open → done`"""
    parts = [f"{name} {format_value(now)}" if request.added else f"{name} {format_value(was)} → {format_value(now)}"
             for name, (was, now) in request.fields.items()]  # fmt: skip
    return escape(f"#{request.number} {request.title}" + (f": {', '.join(parts)}" if parts else ""))


def format_change(change: Change, now: datetime) -> list[str]:
    """A change's head line and a line for each task it touched."""
    verb = label_of(change.verb)
    about = f" {change.about}" if change.about else ""
    undoes = f" of {change.undoes}" if change.undoes else ""
    with_token = f" with {change.token}" if change.token else ""
    mark = "  (undone)" if change.undone else ""
    who = f"{change.user}{with_token} ({change.way})"
    head = f"{change.seq:>5}  {format_age(change.at, now)}  {who}  {verb}{undoes}{about}{mark}"
    lines = [escape(head), *(f"       {format_difference(one)}" for one in change.differences)]
    more = change.tasks - len(change.differences)
    if change.tasks > 10 and more > 0:
        lines.append(f"       … and {more} more")
    return lines


def change_cells(change: Change) -> list[str]:
    """A change for a pipe: seq, time, user, token, way, verb, numbers, undone."""
    numbers = ",".join(str(one.number) for one in change.differences)
    verb = label_of(change.verb)
    cells = [str(change.seq), change.at.isoformat(), change.user, change.token, change.way, verb,
             numbers or change.about or "", "undone" if change.undone else ""]  # fmt: skip
    return [escape(cell) for cell in cells]

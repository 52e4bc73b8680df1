"""The days of a list: the local day of a date, and how headings name a day."""

from __future__ import annotations

from datetime import date, datetime, tzinfo

from todo_cli.cli.render.text import format_day, parse_due


def local_day(due: str, zone: tzinfo | None) -> date:
    """Return the day of a task's date in the zone."""
    when = parse_due(due)
    return when.astimezone(zone).date() if isinstance(when, datetime) else when


def local_clock(due: str, zone: tzinfo | None) -> str:
    """Return the time of a task's date as `17:00`, or an empty text for a day."""
    when = parse_due(due)
    return f"{when.astimezone(zone):%H:%M}" if isinstance(when, datetime) else ""


def format_heading_day(day: date, today: date, *, absolute: bool = False) -> str:
    """Return `Fri 27 Nov`, with the year where it is far from today; if absolute, `Fri 2026-11-27`."""
    return f"{day:%a} {day}" if absolute else f"{day:%a} {format_day(day, (day - today).days)}"

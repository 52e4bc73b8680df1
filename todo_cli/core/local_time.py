"""Write instants in messages as the user's clock shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

INSTANT_FIELDS = ("due", "defer", "scheduled", "started_at")


def format_local_time(instant: datetime, zone: str) -> str:
    """Return `2026-11-27 23:05` in the time zone."""
    from todo_cli.parsing.dates import zone_of

    return f"{instant.astimezone(zone_of(zone)):%Y-%m-%d %H:%M}"


def format_local_field(name: str, value: Any, zone: str) -> Any:
    """Return the value of a shown field; an instant in the time zone."""
    if name not in INSTANT_FIELDS or not isinstance(value, str) or "T" not in value:
        return value
    try:
        return format_local_time(datetime.fromisoformat(value), zone)
    except ValueError:  # a person's own login may have written it
        return value

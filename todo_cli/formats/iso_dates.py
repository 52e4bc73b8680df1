"""Dates in ISO form, as JSON and CSV of other tools have them, as neutral texts."""

from __future__ import annotations

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

from todo_cli.formats.moments import format_day, format_instant

_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:(?P<clock>[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(?P<zone>[Zz]|[+-]\d\d:?\d\d)?)?")


def is_iso(text: str) -> bool:
    """Return whether a text has the form of a day or of a time on a day."""
    return _ISO.fullmatch(text.strip()) is not None


def read_iso(value: object, zone: ZoneInfo) -> str | None:
    """Return the day or the instant of `2026-12-03`, `2026-12-03 18:30` (in the zone) or `2026-12-03T18:30:00Z`.

    The answer is null for every other value, and for a date outside of our calendar.
    """
    match = _ISO.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        if not match:
            return None
        if not match["clock"]:
            return format_day(date.fromisoformat(match[0]))
        moment = datetime.fromisoformat(match[0].upper())
        return format_instant(moment if match["zone"] else moment.replace(tzinfo=zone))
    except (ValueError, OverflowError):
        return None

"""Dates of other tools as the neutral texts: a day `2026-12-04`, or an instant `2026-12-04T13:30:00Z`."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

FIRST_DAY = date(1, 1, 2)
LAST_DAY = date(9999, 12, 30)
"""The calendar's ends, a day inside what Python can count, so that every zone has them."""


def format_day(day: date) -> str | None:
    """Return a day, None for one outside of our calendar."""
    return day.isoformat() if FIRST_DAY <= day <= LAST_DAY else None


def format_instant(instant: datetime) -> str | None:
    """Return an instant in UTC without fractions of a second, None for one outside of our calendar."""
    if not FIRST_DAY <= instant.date() <= LAST_DAY:
        return None
    return instant.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def read_moment(text: str) -> date | datetime:
    """Return the day, or the instant in UTC, of a neutral text."""
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def first_moment(text: str, zone: ZoneInfo) -> datetime:
    """Return the instant of a neutral text in UTC; of a day its first moment in the zone."""
    moment = read_moment(text)
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(), zone)
    return moment.astimezone(UTC)


def is_midnight(instant: datetime, zone: ZoneInfo) -> bool:
    """Return whether an instant is the first moment of a day in the zone."""
    return instant.astimezone(zone).time() == time()


def local_day(text: str, zone: ZoneInfo) -> str:
    """Return the day of a neutral text in the zone."""
    moment = read_moment(text)
    return moment.astimezone(zone).date().isoformat() if isinstance(moment, datetime) else text

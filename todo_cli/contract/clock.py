"""The time that decides what is today: the database's, in the user's time zone."""

from datetime import date, datetime
from typing import NamedTuple


class Clock(NamedTuple):
    """The database's time at one answer, and the user's time zone: the caller's, else the preference, else UTC."""

    now: datetime
    zone: str
    week_start: int = 0  # of the user's weeks: 0 is Monday

    @property
    def day(self) -> date:
        """Return the user's current day."""
        from zoneinfo import ZoneInfo

        return self.now.astimezone(ZoneInfo(self.zone)).date()

"""Name in our own words why a text is no date. Python's words differ between its versions."""

from __future__ import annotations

_REASONS = {
    "day ": "the month has no such day",
    "month must be": "a month is a number from 1 to 12",
    "year ": "years are 1 to 9999",
    "Invalid week": "the year has no such week",
    "hour must be": "an hour is a number from 0 to 23",
    "minute must be": "a minute is a number from 0 to 59",
    "second must be": "a second is a number from 0 to 59",
    "date value out of range": "years are 1 to 9999",
}
"""The beginning of a message of `datetime` -> what it means."""


def describe_date_error(error: Exception) -> str:
    """Return the reason, which is a message of `datetime` or one of ours."""
    message = str(error)
    return next((reason for start, reason in _REASONS.items() if message.startswith(start)), message)

"""Read a moment of the past: an instant, or a day, which is asked for from its beginning or to its end."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from todo_cli.contract.clock import Clock
from todo_cli.core import validation
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid

SHIFTS = (timedelta(), timedelta(days=1), timedelta(days=7), timedelta(days=366))
"""How far back words are read again that name a coming time: 9am, friday, 1 dec."""
LAST_INSTANT = timedelta(microseconds=1)  # of a day, before the next one begins
_COMING = r"\s*(?:in|next|tomorrow|tom|tmr|tmrw|this|\+)\b.*"


async def read_moment(tx: Transaction, words: str, *, is_end: bool) -> datetime:
    """Return the instant that the words mean; raises Invalid for a time that is yet to come.

    Words without a year name the past: "friday" is the last Friday, "2h" is two hours ago. A day without a time is its
    end with `is_end`, but not later than now, else its beginning.
    """
    clock = await tx.read_clock(with_week=True)
    tx.is_momentary = True
    return parse_moment(validation.check_text("time", words), clock, is_end=is_end)


def parse_moment(words: str, clock: Clock, *, is_end: bool) -> datetime:
    """Return the instant that the words mean by the clock; see `read_moment`."""
    from todo_cli.parsing.dates import day_bounds

    if age := _read_age(words):
        return clock.now - age
    when = _parse_past(words, clock)
    if isinstance(when, datetime):
        return when.astimezone(UTC)
    start, end = day_bounds(when, clock.zone)
    return min(end - LAST_INSTANT, clock.now) if is_end else start


def _read_age(words: str) -> timedelta | None:
    """Return the duration of `2h` or `90m`, None for other words."""
    from todo_cli.parsing.durations import parse_duration

    try:
        return timedelta(seconds=parse_duration(words))
    except Invalid:
        return None


def _parse_past(words: str, clock: Clock) -> date | datetime:
    """Return the newest day or instant up to now that the words mean."""
    shifts = SHIFTS[:1] if re.fullmatch(_COMING, words, re.IGNORECASE) else SHIFTS
    for shift in shifts:
        when = validation.parse_date_at(words, clock._replace(now=clock.now - shift))
        if when <= (clock.now if isinstance(when, datetime) else clock.day):
            return when
    raise Invalid(f"{words[:40]!r} is in the future", hint="name a time in the past: friday, 2h, '2026-11-27 18:00'")

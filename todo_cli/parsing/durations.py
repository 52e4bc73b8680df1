"""Parse durations such as `15m`, `1h30m`, `90s`, `2 days`, `1.5h` and `45`."""

from __future__ import annotations

import re

from todo_cli.errors import Invalid

SECONDS_PER_UNIT = {
    "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1,
    "m": 60, "min": 60, "mins": 60, "minute": 60, "minutes": 60,
    "h": 3_600, "hr": 3_600, "hrs": 3_600, "hour": 3_600, "hours": 3_600,
    "d": 86_400, "day": 86_400, "days": 86_400,
    "w": 604_800, "week": 604_800, "weeks": 604_800,
}  # fmt: skip  # aligned by hand

MAX_DURATION_SECONDS = 366 * 86_400

_PART = re.compile(r"\s*([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([a-z]*)\s*(?:,|and\b)?", re.IGNORECASE)


def parse_duration(text: str) -> float:
    """Return the duration in seconds. A number without a unit is seconds.

    Raise Invalid if the text is not a duration, or if the duration is zero or longer than a year.
    """
    seconds, place, text = 0.0, 0, text.strip()
    while part := _PART.match(text, place):
        unit = part[2].lower()
        if unit not in SECONDS_PER_UNIT and (unit or place or part.end() != len(text)):
            break
        seconds += float(part[1]) * SECONDS_PER_UNIT.get(unit, 1)
        place = part.end()
    if not text or place != len(text):
        raise Invalid(f"{text[:40]!r} is not a duration", hint="for example: 90s, 15m, 1h30m, 2d")
    if not 0 < seconds <= MAX_DURATION_SECONDS:
        raise Invalid(f"{text[:40]!r} is not between 0 and one year", hint="for example: 90s, 15m, 2d")
    return seconds

"""How long something takes, as people type it: `15m`, `1h30m`, `90s`, `2 days`, `1.5h`, `45`."""

from __future__ import annotations

import re

from todo_cli.errors import Invalid

SECONDS_PER_UNIT = {
    "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1,
    "m": 60, "min": 60, "mins": 60, "minute": 60, "minutes": 60,
    "h": 3_600, "hr": 3_600, "hrs": 3_600, "hour": 3_600, "hours": 3_600,
    "d": 86_400, "day": 86_400, "days": 86_400,
    "w": 604_800, "week": 604_800, "weeks": 604_800,
}  # fmt: skip

MAX_DURATION_SECONDS = 366 * 86_400

_PART = re.compile(r"\s*([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([a-z]*)\s*(?:,|and\b)?", re.IGNORECASE)


def parse_duration(text: str) -> float:
    """Seconds; a number alone is seconds. Raises Invalid for what is no duration, nothing, or more than a year."""
    total, place, text = 0.0, 0, text.strip()
    while found := _PART.match(text, place):
        unit = found[2].lower()
        if unit not in SECONDS_PER_UNIT and (unit or place or found.end() != len(text)):
            break
        total += float(found[1]) * SECONDS_PER_UNIT.get(unit, 1)
        place = found.end()
    if not text or place != len(text):
        raise Invalid(f"{text[:40]!r} is not a duration", hint="for example: 90s, 15m, 1h30m, 2d")
    if not 0 < total <= MAX_DURATION_SECONDS:
        raise Invalid(f"{text[:40]!r} is not more than nothing and at most a year", hint="for example: 90s, 15m, 2d")
    return total

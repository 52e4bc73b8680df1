"""RRULE text (RFC 5545 section 3.3.10) as values and back: what is allowed in a task's rule, in which order."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import NamedTuple

MAX_RRULE_CHARS = 500  # characters
FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
REFUSED_FREQUENCIES = ("HOURLY", "MINUTELY", "SECONDLY")
WEEKDAY_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MAX_COUNT = 10_000  # COUNT
MAX_INTERVAL = 1_000  # INTERVAL
# name: (field, lowest, highest, may be counted from the end)
LIST_PARTS = {
    "BYMONTH": ("months", 1, 12, False), "BYWEEKNO": ("weeks", 1, 53, True),
    "BYYEARDAY": ("year_days", 1, 366, True), "BYMONTHDAY": ("month_days", 1, 31, True),
    "BYHOUR": ("hours", 0, 23, False), "BYMINUTE": ("minutes", 0, 59, False),
    "BYSECOND": ("seconds", 0, 59, False), "BYSETPOS": ("positions", 1, 366, True),
}  # fmt: skip
PART_NAMES = ("FREQ", "INTERVAL", "UNTIL", "COUNT", *LIST_PARTS, "BYDAY", "WKST")


class Rule(NamedTuple):
    """One RRULE. `days` are (which, weekday): which is 0 for every one, else as in 2TU or -1FR; Monday is 0."""

    freq: str
    interval: int = 1
    until: date | datetime | None = None
    times: int | None = None
    months: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    days: tuple[tuple[int, int], ...] = ()
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    seconds: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    week_start: int = 0

    @property
    def timed(self) -> bool:
        """Whether the rule itself says at what time."""
        return bool(self.hours or self.minutes or self.seconds)


def parse_rrule(text: str) -> Rule:
    """The rule that an RRULE's text means; ValueError with the reason why it is none, or none for a task."""
    if len(text) > MAX_RRULE_CHARS:
        raise ValueError(f"longer than {MAX_RRULE_CHARS} characters")
    fields: dict[str, object] = {}
    for part in text.strip().upper().removeprefix("RRULE:").rstrip(";").split(";"):
        name, _, value = part.strip().partition("=")
        field, found = _field(name.strip(), value.replace(" ", ""))
        if field in fields:
            raise ValueError(f"{name} stands twice")
        fields[field] = found
    if "freq" not in fields:
        raise ValueError("FREQ is missing")
    rule = Rule(**fields)  # type: ignore[arg-type]  # _field gives each field its own type
    _check(rule)
    return rule


def _field(name: str, value: str) -> tuple[str, object]:
    if name in LIST_PARTS:
        field, lowest, highest, signed = LIST_PARTS[name]
        return field, tuple(sorted({_number(name, one, lowest, highest, signed) for one in value.split(",")}))
    readers = {"FREQ": ("freq", _frequency), "UNTIL": ("until", _until), "BYDAY": ("days", _days),
               "INTERVAL": ("interval", lambda request: _number(name, request, 1, MAX_INTERVAL)),
               "COUNT": ("times", lambda request: _number(name, request, 1, MAX_COUNT)),
               "WKST": ("week_start", lambda request: _weekday(request))}  # fmt: skip
    if name not in readers:
        raise ValueError(f"{name[:20]!r} is no part of a rule; known are {', '.join(PART_NAMES)}")
    field, read = readers[name]
    return field, read(value)


def _number(name: str, text: str, lowest: int, highest: int, signed: bool = False) -> int:
    if not re.fullmatch("[-+]?[0-9]{1,5}", text) or not lowest <= abs(int(text)) <= highest:
        raise ValueError(f"{name} must be {lowest} to {highest}, not {text[:20]!r}")
    if int(text) < 0 and not signed:
        raise ValueError(f"{name} cannot be negative")
    return int(text)


def _frequency(text: str) -> str:
    if text in REFUSED_FREQUENCIES:
        raise ValueError("a task recurs daily at the most; for several times a day give BYHOUR=9,17")
    if text not in FREQUENCIES:
        raise ValueError(f"FREQ must be {', '.join(FREQUENCIES)}, not {text[:20]!r}")
    return text


def _until(text: str) -> date | datetime:
    match = re.fullmatch("([0-9]{8})(?:T([0-9]{6})Z?)?", text)
    if not match:
        raise ValueError(f"UNTIL must be like 20271231 or 20271231T090000Z, not {text[:20]!r}")
    if match[2]:
        return datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return date.fromisoformat(match[1])


def _days(text: str) -> tuple[tuple[int, int], ...]:
    found = set()
    for one in text.split(","):
        match = re.fullmatch("([-+]?[0-9]{1,2})?([A-Z]{2})", one.strip())
        if not match:
            raise ValueError(f"BYDAY must be like MO,WE or 2TU or -1FR, not {one[:20]!r}")
        found.add((_number("BYDAY", match[1], 1, 53, True) if match[1] else 0, _weekday(match[2])))
    return tuple(sorted(found))


def _weekday(text: str) -> int:
    if text not in WEEKDAY_CODES:
        raise ValueError(f"a weekday must be one of {', '.join(WEEKDAY_CODES)}, not {text[:20]!r}")
    return WEEKDAY_CODES.index(text)


def _check(rule: Rule) -> None:
    """What RFC 5545 forbids, and what a task cannot mean."""
    numbered = any(which for which, _ in rule.days)
    several_times = max(len(rule.hours), 1) * max(len(rule.minutes), 1) * max(len(rule.seconds), 1)
    wrong = {
        "UNTIL and COUNT exclude each other": rule.until is not None and rule.times is not None,
        "BYDAY with a number needs FREQ=MONTHLY or YEARLY": numbered and rule.freq in ("DAILY", "WEEKLY"),
        "BYDAY with a number cannot stand with BYWEEKNO": numbered and bool(rule.weeks),
        "BYWEEKNO needs FREQ=YEARLY": bool(rule.weeks) and rule.freq != "YEARLY",
        "BYWEEKNO needs weeks that begin on Monday": bool(rule.weeks) and rule.week_start != 0,
        "BYYEARDAY needs FREQ=YEARLY": bool(rule.year_days) and rule.freq != "YEARLY",
        "BYMONTHDAY cannot stand with FREQ=WEEKLY": bool(rule.month_days) and rule.freq == "WEEKLY",
        "BYSETPOS needs another BY… to choose from": bool(rule.positions)
        and not (rule.months or rule.weeks or rule.year_days or rule.month_days or rule.days),
        "BYSETPOS chooses among days, so give one time": bool(rule.positions) and several_times > 1,
        "more than 24 times a day": several_times > 24,
    }
    for reason, is_so in wrong.items():
        if is_so:
            raise ValueError(reason)


def format_rrule(rule: Rule) -> str:
    """The rule as RRULE text: one way to write it, whatever way it was read."""
    parts = [f"FREQ={rule.freq}"]
    if rule.interval != 1:
        parts.append(f"INTERVAL={rule.interval}")
    if rule.until is not None:
        parts.append(f"UNTIL={_until_text(rule.until)}")
    if rule.times is not None:
        parts.append(f"COUNT={rule.times}")
    for name, (field, *_) in LIST_PARTS.items():
        if name == "BYHOUR" and rule.days:
            parts.append("BYDAY=" + ",".join(f"{which or ''}{WEEKDAY_CODES[day]}" for which, day in rule.days))
        if values := getattr(rule, field):
            parts.append(f"{name}={','.join(map(str, values))}")
    if rule.week_start:
        parts.append(f"WKST={WEEKDAY_CODES[rule.week_start]}")
    return ";".join(parts)


def _until_text(until: date | datetime) -> str:
    if isinstance(until, datetime):
        return f"{until.astimezone(UTC):%Y%m%dT%H%M%SZ}".zfill(16)
    return until.isoformat().replace("-", "")

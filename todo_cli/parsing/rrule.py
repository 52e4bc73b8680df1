"""Parse and format RRULE text (RFC 5545 section 3.3.10), restricted to the rules that a task can have."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import NamedTuple

MAX_RRULE_CHARS = 500
MAX_COUNT = 10_000
MAX_INTERVAL = 1_000
MAX_TIMES_A_DAY = 24

UNITS = {"HOURLY": "hour", "DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
FREQUENCIES = tuple(UNITS)
REFUSED_FREQUENCIES = ("MINUTELY", "SECONDLY")
WEEKDAY_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
# name: (field, lowest, highest, whether it may count from the end)
LIST_PARTS = {
    "BYMONTH": ("months", 1, 12, False),
    "BYWEEKNO": ("weeks", 1, 53, True),
    "BYYEARDAY": ("year_days", 1, 366, True),
    "BYMONTHDAY": ("month_days", 1, 31, True),
    "BYHOUR": ("hours", 0, 23, False),
    "BYMINUTE": ("minutes", 0, 59, False),
    "BYSECOND": ("seconds", 0, 59, False),
    "BYSETPOS": ("positions", 1, 366, True),
}
PART_NAMES = ("FREQ", "INTERVAL", "UNTIL", "COUNT", *LIST_PARTS, "BYDAY", "WKST")


class RecurrenceRule(NamedTuple):
    """One RRULE. `days` are pairs (n, weekday): n is 0 for every such weekday, else as in 2TU or -1FR; Monday is 0."""

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
    def has_time(self) -> bool:
        """Whether the rule itself names a time of day."""
        return bool(self.hours or self.minutes or self.seconds)

    @property
    def unit(self) -> str:
        """The period of the rule: hour, day, week, month or year."""
        return UNITS[self.freq]


def parse_rrule(text: str) -> RecurrenceRule:
    """Return the rule that the RRULE text means. Raise ValueError if it is invalid, or not a rule for a task."""
    if len(text) > MAX_RRULE_CHARS:
        raise ValueError(f"longer than {MAX_RRULE_CHARS} characters")
    fields: dict[str, object] = {}
    for part in text.strip().upper().removeprefix("RRULE:").rstrip(";").split(";"):
        name, _, text_value = part.strip().partition("=")
        field, value = _parse_part(name.strip(), text_value.replace(" ", ""))
        if field in fields:
            raise ValueError(f"{name} occurs twice")
        fields[field] = value
    if "freq" not in fields:
        raise ValueError("FREQ is missing")
    rule = RecurrenceRule(**fields)  # type: ignore[arg-type]  # _parse_part returns the type of each field
    _check_rule(rule)
    return rule


def _parse_part(name: str, value: str) -> tuple[str, object]:
    """Return the field of the rule that this part sets, and its value."""
    if name in LIST_PARTS:
        field, lowest, highest, is_signed = LIST_PARTS[name]
        return field, tuple(
            sorted({_parse_number(name, item, lowest, highest, is_signed) for item in value.split(",")})
        )
    readers = {
        "FREQ": ("freq", _parse_frequency),
        "UNTIL": ("until", _parse_until),
        "BYDAY": ("days", _parse_days),
        "INTERVAL": ("interval", lambda text: _parse_number(name, text, 1, MAX_INTERVAL)),
        "COUNT": ("times", lambda text: _parse_number(name, text, 1, MAX_COUNT)),
        "WKST": ("week_start", lambda text: _parse_weekday(text)),
    }
    if name not in readers:
        raise ValueError(f"{name[:20]!r} is not a part of a rule; known are {', '.join(PART_NAMES)}")
    field, read = readers[name]
    return field, read(value)


def _parse_number(name: str, text: str, lowest: int, highest: int, is_signed: bool = False) -> int:
    if not re.fullmatch("[-+]?[0-9]{1,5}", text) or not lowest <= abs(int(text)) <= highest:
        raise ValueError(f"{name} must be {lowest} to {highest}, not {text[:20]!r}")
    if int(text) < 0 and not is_signed:
        raise ValueError(f"{name} cannot be negative")
    return int(text)


def _parse_frequency(text: str) -> str:
    if text in REFUSED_FREQUENCIES:
        raise ValueError("a task recurs hourly at most")
    if text not in FREQUENCIES:
        raise ValueError(f"FREQ must be {', '.join(FREQUENCIES)}, not {text[:20]!r}")
    return text


def _parse_until(text: str) -> date | datetime:
    match = re.fullmatch("([0-9]{8})(?:T([0-9]{6})Z?)?", text)
    if not match:
        raise ValueError(f"UNTIL must be like 20271231 or 20271231T090000Z, not {text[:20]!r}")
    if match[2]:
        return datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return date.fromisoformat(match[1])


def _parse_days(text: str) -> tuple[tuple[int, int], ...]:
    days = set()
    for item in text.split(","):
        match = re.fullmatch("([-+]?[0-9]{1,2})?([A-Z]{2})", item.strip())
        if not match:
            raise ValueError(f"BYDAY must be like MO,WE or 2TU or -1FR, not {item[:20]!r}")
        days.add((_parse_number("BYDAY", match[1], 1, 53, True) if match[1] else 0, _parse_weekday(match[2])))
    return tuple(sorted(days))


def _parse_weekday(text: str) -> int:
    if text not in WEEKDAY_CODES:
        raise ValueError(f"a weekday must be one of {', '.join(WEEKDAY_CODES)}, not {text[:20]!r}")
    return WEEKDAY_CODES.index(text)


def _check_rule(rule: RecurrenceRule) -> None:
    """Raise ValueError for a combination that RFC 5545 forbids or that has no meaning for a task."""
    has_numbered_days = any(nth for nth, _ in rule.days)
    times_a_day = max(len(rule.hours), 1) * max(len(rule.minutes), 1) * max(len(rule.seconds), 1)
    has_day_parts = any((rule.months, rule.weeks, rule.year_days, rule.month_days, rule.days))
    errors = {
        "UNTIL and COUNT exclude each other": rule.until is not None and rule.times is not None,
        "BYDAY with a number needs FREQ=MONTHLY or YEARLY": has_numbered_days and rule.freq in ("DAILY", "WEEKLY"),
        "BYDAY with a number excludes BYWEEKNO": has_numbered_days and bool(rule.weeks),
        "BYWEEKNO needs FREQ=YEARLY": bool(rule.weeks) and rule.freq != "YEARLY",
        "BYWEEKNO needs weeks that begin on Monday": bool(rule.weeks) and rule.week_start != 0,
        "BYYEARDAY needs FREQ=YEARLY": bool(rule.year_days) and rule.freq != "YEARLY",
        "BYMONTHDAY excludes FREQ=WEEKLY": bool(rule.month_days) and rule.freq == "WEEKLY",
        "BYSETPOS needs another BY… to choose from": bool(rule.positions) and not has_day_parts,
        "BYSETPOS chooses among days, so give one time": bool(rule.positions) and times_a_day > 1,
        f"a rule has more than {MAX_TIMES_A_DAY} times a day": times_a_day > MAX_TIMES_A_DAY,
        "FREQ=HOURLY excludes every BY… part": rule.freq == "HOURLY" and (has_day_parts or rule.has_time),
    }
    for reason, applies in errors.items():
        if applies:
            raise ValueError(reason)


def format_rrule(rule: RecurrenceRule) -> str:
    """Return the rule as RRULE text, always in the same form."""
    parts = [f"FREQ={rule.freq}"]
    if rule.interval != 1:
        parts.append(f"INTERVAL={rule.interval}")
    if rule.until is not None:
        parts.append(f"UNTIL={_format_until(rule.until)}")
    if rule.times is not None:
        parts.append(f"COUNT={rule.times}")
    for name, (field, *_) in LIST_PARTS.items():
        if name == "BYHOUR" and rule.days:
            parts.append("BYDAY=" + ",".join(f"{nth or ''}{WEEKDAY_CODES[day]}" for nth, day in rule.days))
        if values := getattr(rule, field):
            parts.append(f"{name}={','.join(map(str, values))}")
    if rule.week_start:
        parts.append(f"WKST={WEEKDAY_CODES[rule.week_start]}")
    return ";".join(parts)


def _format_until(until: date | datetime) -> str:
    if isinstance(until, datetime):
        return f"{until.astimezone(UTC):%Y%m%dT%H%M%SZ}".zfill(16)
    return until.isoformat().replace("-", "")

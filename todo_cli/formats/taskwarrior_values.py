"""Values of Taskwarrior: dates, durations of recurrence, and the due date of a later period."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from todo_cli.formats.moments import format_day, format_instant, is_midnight, read_moment
from todo_cli.formats.rules import make_rule, normalize_rule, split_rule

_STAMP = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d)Z")
_SECONDS = re.compile(r"\d{1,14}")
_WORDS = {
    "daily": ("DAILY", 1),
    "day": ("DAILY", 1),
    "weekly": ("WEEKLY", 1),
    "sennight": ("WEEKLY", 1),
    "biweekly": ("WEEKLY", 2),
    "fortnight": ("WEEKLY", 2),
    "monthly": ("MONTHLY", 1),
    "month": ("MONTHLY", 1),
    "bimonthly": ("MONTHLY", 2),
    "quarterly": ("MONTHLY", 3),
    "semiannual": ("MONTHLY", 6),
    "annual": ("YEARLY", 1),
    "yearly": ("YEARLY", 1),
    "biannual": ("YEARLY", 2),
    "biyearly": ("YEARLY", 2),
}
_WEEKDAYS = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
_DURATION = re.compile(r"(\d{1,4}) ?([a-z]+)")
_ISO_DURATION = re.compile(r"P(\d{1,4})([DWMY])")
_UNITS = {
    **dict.fromkeys(("d", "day", "days"), ("DAILY", 1)),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), ("WEEKLY", 1)),
    **dict.fromkeys(("mo", "mos", "mth", "mths", "mnths", "month", "months"), ("MONTHLY", 1)),
    **dict.fromkeys(("q", "qtr", "qtrs", "qrtr", "qrtrs", "quarter", "quarters"), ("MONTHLY", 3)),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), ("YEARLY", 1)),
}
_ISO_UNITS = {"D": "DAILY", "W": "WEEKLY", "M": "MONTHLY", "Y": "YEARLY"}


def read_stamp(value: Any) -> datetime | None:
    """Return the instant of `20261102T080000Z` or of seconds since 1970, None for anything else."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    try:
        if _SECONDS.fullmatch(text):
            return datetime.fromtimestamp(int(text), UTC)
        match = _STAMP.fullmatch(text)
        if not match:
            return None
        year, month, day, hour, minute, second = (int(part) for part in match.groups())
        leap = timedelta(seconds=1 if second == 60 else 0)
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC) + leap
    except (ValueError, OverflowError, OSError):
        return None


def read_date(value: Any, zone: ZoneInfo) -> str | None:
    """Return a date: the day where the instant is midnight in the zone. None where it is none of our calendar."""
    stamp = read_stamp(value)
    if stamp is None or (text := format_instant(stamp)) is None:
        return None
    return format_day(stamp.astimezone(zone).date()) if is_midnight(stamp, zone) else text


def read_instant(value: Any) -> str | None:
    """Return an instant, None where it is none of our calendar."""
    stamp = read_stamp(value)
    return format_instant(stamp) if stamp else None


def write_stamp(text: str, zone: ZoneInfo) -> str:
    """Return a day or an instant as Taskwarrior writes it: a day is its midnight in the zone."""
    moment = read_moment(text)
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=zone)
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ").zfill(16)


def read_rule(record: dict[str, Any], zone: ZoneInfo) -> str | None:
    """Return the rule of a recurring record, which ends at its `until`. None for periods finer than a day."""
    rule = _read_period(str(record.get("recur", "")).strip().lower() or "-")
    until = read_stamp(record.get("until"))
    if rule is None or until is None:
        return rule
    due = read_date(record.get("due"), zone)
    has_time = due is not None and "T" in due
    end = until.strftime("%Y%m%dT%H%M%SZ") if has_time else until.astimezone(zone).strftime("%Y%m%d")
    return normalize_rule(f"{rule};UNTIL={end}")


def _read_period(text: str) -> str | None:
    if text in _WORDS:
        return make_rule(*_WORDS[text])
    if text == "weekdays":
        return normalize_rule(_WEEKDAYS)
    if match := _ISO_DURATION.fullmatch(text.upper()):
        return make_rule(_ISO_UNITS[match[2]], int(match[1]))
    match = _DURATION.fullmatch(text)
    if match and match[2] in _UNITS:
        unit, months = _UNITS[match[2]]
        return make_rule(unit, int(match[1]) * months)
    return None


def write_period(rule: str) -> str | None:
    """Return the period of a rule without its end, None where Taskwarrior has none for it."""
    rule = ";".join(part for part in rule.split(";") if not part.startswith("UNTIL="))
    if rule == normalize_rule(_WEEKDAYS):
        return "weekdays"
    simple = split_rule(rule)
    unit = {"DAILY": "d", "WEEKLY": "w", "MONTHLY": "mo", "YEARLY": "y"}.get(simple[0]) if simple else None
    return f"{simple[1]}{unit}" if simple and unit else None


def due_after(record: dict[str, Any], periods: int, zone: ZoneInfo) -> str | None:
    """Return the due date of a template so many periods later, None without a rule or at its end."""
    from todo_cli.parsing.rrule import parse_rrule
    from todo_cli.parsing.rrule_dates import generate_occurrences

    due, rule = read_date(record.get("due"), zone), read_rule(record, zone)
    if due is None or rule is None:
        return due
    anchor: date | datetime = read_moment(due)
    occurrences = generate_occurrences(parse_rrule(rule), anchor, date.min, zone)
    later = next(islice(occurrences, periods, None), None)
    if later is None:
        return None
    return format_instant(later) if isinstance(later, datetime) else format_day(later)

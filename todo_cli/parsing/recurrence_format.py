"""Write a recurrence rule in words that parse as the same rule."""

from __future__ import annotations

from datetime import UTC, date, datetime

from todo_cli.parsing.dates import When, name_zone
from todo_cli.parsing.recurrence_days import WORKDAYS
from todo_cli.parsing.recurrence_parser import parse_rule, split_clauses
from todo_cli.parsing.rrule import RecurrenceRule, format_rrule, parse_rrule

DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def describe_recurrence(rule: str, from_done: bool = False, start: When | None = None, zone: str | None = None) -> str:
    """Return words that parse as the same recurrence, such as `every month on the 31st at 09:00 EST`, or RRULE text.

    The zone is named behind a time; without a time it does not matter.
    """
    parsed = parse_rrule(rule)
    zone_word = name_zone(zone) if zone and parsed.has_time else ""
    words = format_rule(parsed, zone_word) or format_rrule(parsed)
    begin = start.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(start, datetime) else start
    return f"{words}{' after done' if from_done else ''}{f' starting {begin}' if begin else ''}"


def format_rule(rule: RecurrenceRule, zone: str = "") -> str | None:
    """Return the rule in words, with the zone behind its times; None if no words express it."""
    base = rule._replace(hours=(), minutes=(), seconds=(), until=None, times=None)
    count = f"for {rule.times} times" if rule.times else ""
    parts = (_format_base(base), _format_clocks(rule))
    week = f"(weeks start {DAY_NAMES[rule.week_start]})" if rule.week_start else ""
    words = " ".join(filter(None, (*parts, count, week)))
    try:
        clauses = split_clauses(words)
        parsed = parse_rule(clauses["rule"], *(clauses.get(name, "") for name in ("at", "times", "week")))
    except ValueError:
        return None
    if parsed._replace(until=rule.until) != rule:
        return None
    behind = f" {week}" if week else ""
    return f"every {' '.join(filter(None, (*parts, zone, count)))}{_format_until(rule.until)}{behind}"


def _format_base(rule: RecurrenceRule) -> str:
    period = rule.unit if rule.interval == 1 else f"{rule.interval} {rule.unit}s"
    if rule.freq == "WEEKLY" and rule.days:
        days = "weekday" if rule.days == WORKDAYS else ", ".join(DAY_NAMES[day] for _, day in rule.days)
        return days if rule.interval == 1 else f"{period} on {days}"
    days = _format_days(rule)
    return f"{period} on {days}" if days else period


def _format_days(rule: RecurrenceRule) -> str:
    if rule.freq == "YEARLY" and len(rule.months) == 1 and rule.month_days:
        return f"{MONTH_NAMES[rule.months[0] - 1]} {rule.month_days[-1]}"
    if rule.days == WORKDAYS and rule.positions:
        return f"the {_format_ordinal(rule.positions[0])} weekday"
    if rule.days:
        days = ", ".join(f"{_format_ordinal(nth)} {DAY_NAMES[day]}" for nth, day in rule.days)
        return f"the {days}{f' of {MONTH_NAMES[rule.months[0] - 1]}' if len(rule.months) == 1 else ''}"
    month_days = [day for day in rule.month_days if day > 0]
    if rule.positions:
        month_days = [*month_days[: len(rule.positions) - 1], *month_days[-1:]]
    names = [_format_ordinal(day) for day in month_days] + (["last day"] if -1 in rule.month_days else [])
    return "the " + ", ".join(names) if names else ""


def _format_ordinal(number: int) -> str:
    if number < 0:
        return "last"
    return f"{number}{'th' if 10 < number < 14 else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _format_clocks(rule: RecurrenceRule) -> str:
    if len(rule.minutes) != 1 or not rule.hours or len(rule.seconds) > 1:
        return "at ?" if rule.has_time else ""
    clocks = [":".join(f"{part:02}" for part in (hour, *rule.minutes, *rule.seconds)) for hour in rule.hours]
    return "at " + " and ".join(filter(None, (", ".join(clocks[:-1]), clocks[-1])))


def _format_until(until: date | datetime | None) -> str:
    if isinstance(until, datetime):
        return f" until {until.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
    return f" until {until.isoformat()}" if until else ""

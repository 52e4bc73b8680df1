"""Recurrence rules between RRULE text and the simple intervals of other tools."""

from __future__ import annotations

from todo_cli.parsing.rrule import RecurrenceRule, format_rrule, parse_rrule


def normalize_rule(text: str) -> str | None:
    """Return RRULE text in the form in which a task stores it, None where a task cannot have the rule."""
    try:
        return format_rrule(parse_rrule(text))
    except (ValueError, OverflowError):
        return None


def make_rule(freq: str, interval: int) -> str | None:
    """Return the rule of a simple interval, such as every 2 weeks; None for an interval out of range."""
    return normalize_rule(f"FREQ={freq};INTERVAL={interval}")


def split_rule(rule: str) -> tuple[str, int] | None:
    """Return frequency and interval of a rule that has nothing else, None for other rules."""
    parsed = parse_rrule(rule)
    return (parsed.freq, parsed.interval) if parsed == RecurrenceRule(parsed.freq, parsed.interval) else None

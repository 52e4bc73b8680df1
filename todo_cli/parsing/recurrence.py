"""What recurs: words to a rule (RFC 5545 RRULE text), a rule to its next date, and a rule to words. Pure.

The anchor is the first occurrence's due date. What a rule leaves open is as in the anchor: `every month` from 31
January falls on 28 February and on 31 March, `every year` from 29 February on 28 February in common years. RRULE text
that names a day (BYMONTHDAY=31) passes over months without it, as RFC 5545 says; the words `every 31st` do not.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from todo_cli.errors import Invalid
from todo_cli.parsing.dates import When, parse_date, zone_of
from todo_cli.parsing.recurrence_parser import WORDS, format_rule, parse_rule, split_clauses
from todo_cli.parsing.rrule import PART_NAMES, Rule, format_rrule, parse_rrule
from todo_cli.parsing.rrule_dates import generate_occurrences

MAX_RECURRENCE_CHARS = 600  # characters
EXAMPLES = "try: every day, every 2 weeks, every mon,thu, every 2nd tuesday, every month on the 31st, 3 days after done"
DAY = timedelta(days=1)


class Recurrence(NamedTuple):
    """A rule as RRULE text, whether it counts from when a task is done, and the first day or instant if named."""

    rule: str
    from_done: bool = False
    start: When | None = None


def parse_recurrence(words: str, *, zone: str, now: datetime) -> Recurrence:
    """What recurs according to the words, or to RRULE text; Invalid with examples when they mean nothing of the kind.

    - `every day|week|month|quarter|year|weekday|weekend` (Saturdays), `every 3 days`, `every other week`, `daily`,
      `weekly`, `biweekly`, `monthly`, `quarterly`, `yearly`; `every morning` is 9am, `evening` 7pm.
    - `every mon,wed,fri`, `every 2 weeks on mon`, `every 15th`, `every month on the 1st and 15th`, `every last day`,
      `every 2nd tuesday` and `every last friday` (of the month), `every last weekday`, `every jan 15`.
    - `at 9am`, `until 2027-01-01`, `for 10 times`, `starting monday` follow, in any order.
    - `every! 3 days`, `3 days after done`: counted from the day when the task is done.
    - The 29th to the 31st are the last day of a shorter month. Hours and minutes are no interval for a task.
    """
    try:
        return _read(words, zone, now)
    except (ValueError, OverflowError) as error:
        raise Invalid(f"{words[:60]!r} is no recurrence: {error}", hint=_hint(words)) from None


def is_recurrence(words: str, *, zone: str, now: datetime) -> bool:
    """Whether `repeat` reads the words; costs less than its refusal, which looks for what was meant."""
    try:
        _read(words, zone, now)
    except (ValueError, OverflowError):
        return False
    return True


def _read(words: str, zone: str, now: datetime) -> Recurrence:
    if len(words) > MAX_RECURRENCE_CHARS:
        raise ValueError(f"longer than {MAX_RECURRENCE_CHARS} characters")
    clauses = split_clauses(words)
    what = clauses["what"]
    if what.startswith(("freq=", "rrule:")):
        rule = parse_rrule(what)
        if any(name in clauses for name in ("at", "times", "until")):
            raise ValueError("time, count and end stand inside RRULE text: BYHOUR, COUNT, UNTIL")
    else:
        rule = parse_rule(what, clauses.get("at", ""), clauses.get("times", ""))
    if "until" in clauses:
        rule = rule._replace(until=_day(clauses["until"], zone, now))
        if rule.times:
            raise ValueError("until and a number of times exclude each other")
    start = _day(clauses["start"], zone, now) if "start" in clauses else None
    if _first(rule, start, zone, now) is None:
        raise ValueError("there is no such day before it ends")
    return Recurrence(format_rrule(rule), "done" in clauses, start)


def _day(words: str, zone: str, now: datetime) -> When:
    try:
        found = parse_date(words, zone=zone, now=now)
    except Invalid as refusal:
        raise ValueError(refusal.detail) from None
    return found.astimezone(UTC).replace(microsecond=0) if isinstance(found, datetime) else found


def _hint(words: str) -> str:
    from difflib import get_close_matches

    text = words[:100].lower()
    known = [name.lower() + "=" for name in PART_NAMES] if "=" in text else sorted(WORDS)
    for word in text.replace("=", "= ").replace(";", " ").replace(",", " ").split():
        near = [] if word in known or len(word) < 4 else get_close_matches(word, known, n=1, cutoff=0.75)
        if near and word.isalpha() | word.endswith("="):
            return f"did you mean {near[0].upper() if '=' in near[0] else near[0]}? {EXAMPLES}"
    return EXAMPLES


def first_occurrence(rule: str, *, zone: str, now: datetime, start: When | None = None) -> When:
    """The first occurrence from `now` or from `start` on, for a task that recurs but has no due date.

    A date (today if it fits), or an instant when the rule names a time or the start is one. An interval counts from
    it, so it plays no part yet: `every 2 weeks on mon` begins next Monday. Invalid when the rule has ended.
    """
    found = _first(parse_rrule(rule), start, zone, now)
    if found is None:
        raise Invalid(f"{rule[:100]!r} has no occurrence from now on", hint="give a later end, or a due date")
    return found


def _first(rule: Rule, start: When | None, zone: str, now: datetime) -> When | None:
    place = zone_of(zone)
    here = now.astimezone(place)
    begin = start if start is not None else here.date()
    day = begin.astimezone(place).date() if isinstance(begin, datetime) else begin
    for found in generate_occurrences(rule._replace(interval=1), begin, day, place):
        early = isinstance(found, datetime) and found < (begin if isinstance(begin, datetime) else here)
        if not (early and (start is None or isinstance(begin, datetime))):
            return None if _ended(rule, found) else found
    return None


def next_occurrence(
    rule: str, *, anchor: When, after: When, zone: str, from_done: bool = False, occurrence: int | None = None
) -> When | None:
    """The next occurrence strictly after `after`; None when there is none: the rule, or the calendar, has ended.

    anchor: the first occurrence's due, which counts as the first whether or not it fits the rule. A date gives dates,
    an instant gives instants at its wall-clock time in `zone`; a time in the rule wins over the anchor's.
    after: a date stands for all of that day, in `zone`.
    from_done: `after` is when the task was done; the interval counts from that day, at the anchor's time of day.
    occurrence: the number of the occurrence just finished, 1 for the first. COUNT is compared with it; without it
    the occurrences since the anchor are counted, and with `from_done`, where nothing can be, COUNT is not looked at.
    """
    known, place = parse_rrule(rule), zone_of(zone)
    if known.times and occurrence is not None and occurrence >= known.times:
        return None
    done_on = after.astimezone(place).date() if isinstance(after, datetime) else after
    if from_done:
        anchor = after = _moved(anchor, done_on, zone)
    elif not _later(anchor, after, zone):
        count = known.times if occurrence is None else None
        since = anchor if count else done_on - DAY
        day = since.astimezone(place).date() if isinstance(since, datetime) else since
        return _next(known, anchor, after, day, zone, count)
    else:
        return None if _ended(known, anchor) else anchor
    return _next(known, anchor, after, done_on, zone, None)


def _moved(anchor: When, day: date, zone: str) -> When:
    if not isinstance(anchor, datetime):
        return day
    place = zone_of(zone)
    return datetime.combine(day, anchor.astimezone(place).time(), place).astimezone(UTC)


def _next(rule: Rule, anchor: When, after: When, since: date, zone: str, count: int | None) -> When | None:
    seen = 1
    last: When = anchor
    for found in generate_occurrences(rule, anchor, since, zone_of(zone)):
        if not _later(found, anchor, zone) or not _later(found, last, zone):
            continue
        last, seen = found, seen + 1
        if (count and seen > count) or _ended(rule, found):
            return None
        if _later(found, after, zone):
            return found
    return None


def _later(one: When, other: When, zone: str) -> bool:
    """Instants by the instant; with a date, or both, by the day in `zone`."""
    if isinstance(one, datetime) and isinstance(other, datetime):
        return one.astimezone(UTC) > other.astimezone(UTC)
    place = zone_of(zone)
    day, limit = (it.astimezone(place).date() if isinstance(it, datetime) else it for it in (one, other))
    return day > limit


def _ended(rule: Rule, found: When) -> bool:
    """Whether it lies past UNTIL, a date of which is itself still inside."""
    until = rule.until
    if isinstance(found, datetime) and isinstance(until, datetime):
        return found.astimezone(UTC) > until
    if until is None:
        return False
    return (found.date() if isinstance(found, datetime) else found) > (
        until.date() if isinstance(until, datetime) else until
    )


def describe_recurrence(rule: str, from_done: bool = False, start: When | None = None) -> str:
    """`every month on the 31st at 09:00 until 2027-01-01`: words that read as the same, or RRULE text."""
    known = parse_rrule(rule)
    words = format_rule(known) or format_rrule(known)
    begin = start.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(start, datetime) else start
    return f"{words}{' after done' if from_done else ''}{f' starting {begin}' if begin else ''}"

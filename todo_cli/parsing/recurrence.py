"""Parse a recurrence to a rule (RRULE text of RFC 5545), and compute the dates of a rule.

The anchor is the due date of the first occurrence. A part that the rule leaves open is taken from the anchor:
`every month` from 31 January falls on 28 February and on 31 March, `every year` from 29 February on 28 February in
common years. RRULE text that names a day (BYMONTHDAY=31) skips months without it, as RFC 5545 says; the words
`every 31st` do not.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from todo_cli.errors import Invalid
from todo_cli.parsing.dates import When, is_time_of_day, name_zone, parse_date, split_zone, zone_of
from todo_cli.parsing.recurrence_parser import WORDS, parse_clock, parse_rule, set_clocks, split_clauses
from todo_cli.parsing.rrule import PART_NAMES, RecurrenceRule, format_rrule, parse_rrule
from todo_cli.parsing.rrule_dates import generate_occurrences

MAX_RECURRENCE_CHARS = 600
EXAMPLES = "try: every day, every 2 weeks, every mon,thu, every 2nd tuesday, every month on the 31st, 3 days after done"
_DAY = timedelta(days=1)
_RRULE_STARTS = ("freq=", "rrule:")


class Recurrence(NamedTuple):
    """A rule as RRULE text, whether it counts from the completion of a task, and its first day or instant if named.

    zone: the time zone of its times, if the words name one.
    """

    rule: str
    from_done: bool = False
    start: When | None = None
    zone: str | None = None


def parse_recurrence(words: str, *, zone: str, now: datetime, week_start: int = 0) -> Recurrence:
    """Return the recurrence that words or RRULE text mean. Raise Invalid with examples if they mean none.

    - `every hour|day|week|month|quarter|year|weekday|weekend` (Saturdays), `every 3 days`, `every 3rd day`,
      `every other week`, `daily`, `weekly`, `biweekly`, `monthly`, `quarterly`, `yearly`; `every morning` is 9am.
    - `every mon,wed,fri`, `every 2 weeks on mon`, `every 15th`, `every month on the 1st and 15th`, `every last day`,
      `every 2nd tuesday` and `every last friday` (of the month), `every 4th thursday of november`,
      `every last weekday`, `every jan 15`.
    - `at 9am`, `at 9am and 5pm`, `until 2027-01-01`, `for 10 times` and `starting monday` follow, in any order.
    - `every 2 weeks on mon and sun` counts the user's weeks, or others with `weeks start sunday`.
    - `every! 3 days`, `3 days after done`: the interval counts from the day on which the task is completed.
    - A zone may follow the time: `every day at 9am EST`, `every monday at 10:00 America/New_York`.
    - The 29th to the 31st are the last day of a shorter month.
    """
    try:
        return _parse(words, zone, now, week_start)
    except (ValueError, OverflowError) as error:
        from todo_cli.parsing.date_errors import describe_date_error

        raise Invalid(
            f"{words[:60]!r} is not a recurrence: {describe_date_error(error)}", hint=_make_hint(words)
        ) from None


def is_recurrence(words: str, *, zone: str, now: datetime) -> bool:
    """Return whether `parse_recurrence` accepts the words. Cheaper than its error, which looks for suggestions."""
    try:
        _parse(words, zone, now)
    except (ValueError, OverflowError):
        return False
    return True


def move_time_to_rule(due: str | None, every: str | None) -> tuple[str | None, str | None]:
    """Give a time without a day to the rule beside it: `6pm` and `every sunday` mean `every sunday at 6pm`.

    Return the words of the due date and of the recurrence. They are unchanged if the rule has a time of its own, or if
    the due date names a day.
    """
    if not due or not every or not is_time_of_day(due):
        return due, every
    text, zone = split_zone(" ".join(due.split()))
    clock = text.removeprefix("at ").removeprefix("by ").removeprefix("@").strip()
    try:
        return None, _add_clock(every, clock, zone)
    except ValueError:
        return due, every


def _add_clock(every: str, clock: str, zone: str | None) -> str:
    """Return the words or the RRULE text with a time of day. Raise ValueError if they have one, or are no rule."""
    if every.strip().lower().startswith(_RRULE_STARTS):
        rule = parse_rrule(every)
        if rule.has_time or zone:
            raise ValueError("the rule has a time of its own, or none in a zone")
        return format_rrule(set_clocks(rule, [parse_clock(clock)]))
    clauses = split_clauses(every)
    rule = parse_rule(clauses["rule"])
    if "at" in clauses or rule.has_time or (rule.freq == "HOURLY" and "start" in clauses):
        raise ValueError("the rule has a time of its own")
    behind = f" {name_zone(zone)}" if zone else ""
    return f"{every} {'starting' if rule.freq == 'HOURLY' else 'at'} {clock}{behind}"


def _parse(words: str, zone: str, now: datetime, week_start: int = 0) -> Recurrence:
    if len(words) > MAX_RECURRENCE_CHARS:
        raise ValueError(f"longer than {MAX_RECURRENCE_CHARS} characters")
    text, named_zone = split_zone(" ".join(words.split()))
    clauses, zone = split_clauses(text), named_zone or zone
    rule_words = clauses["rule"]
    if rule_words.startswith(_RRULE_STARTS):
        rule = parse_rrule(rule_words)
        if any(name in clauses for name in ("at", "times", "until", "week")):
            raise ValueError("RRULE text has its own time, count, end and weeks: BYHOUR, COUNT, UNTIL, WKST")
    else:
        rule = parse_rule(rule_words, *(clauses.get(name, "") for name in ("at", "times", "week")))
        if "week" not in clauses and rule.freq == "WEEKLY" and rule.interval > 1 and rule.days:
            rule = rule._replace(week_start=week_start)
    if "until" in clauses:
        rule = rule._replace(until=_parse_day(clauses["until"], zone, now, week_start))
        if rule.times:
            raise ValueError("an end date and a number of times cannot be combined")
    start = _parse_day(clauses["start"], zone, now, week_start) if "start" in clauses else None
    if _find_first(rule, start, zone, now) is None:
        raise ValueError("it has no day before its end")
    return Recurrence(format_rrule(rule), "done" in clauses, start, named_zone)


def _parse_day(words: str, zone: str, now: datetime, week_start: int) -> When:
    try:
        when = parse_date(words, zone=zone, now=now, week_start=week_start)
    except Invalid as error:
        raise ValueError(error.detail) from None
    return when.astimezone(UTC).replace(microsecond=0) if isinstance(when, datetime) else when


def _make_hint(words: str) -> str:
    from difflib import get_close_matches

    text = words[:100].lower()
    known = [name.lower() + "=" for name in PART_NAMES] if "=" in text else sorted(WORDS)
    for word in text.replace("=", "= ").replace(";", " ").replace(",", " ").split():
        similar = [] if word in known or len(word) < 4 else get_close_matches(word, known, n=1, cutoff=0.75)
        if similar and word.isalpha() | word.endswith("="):
            return f"did you mean {similar[0].upper() if '=' in similar[0] else similar[0]}? {EXAMPLES}"
    return EXAMPLES


def first_occurrence(rule: str, *, zone: str, now: datetime, start: When | None = None) -> When:
    """Return the first occurrence from `now` or from `start` on, for a task that recurs but has no due date.

    It is a date (today if that fits the rule), or an instant if the rule names a time or the start is an instant. An
    interval counts from the first occurrence, so it plays no part yet: `every 2 weeks on mon` begins next Monday. Only
    a rule in hours begins one interval from now. Raise Invalid if the rule has ended.
    """
    found = _find_first(parse_rrule(rule), start, zone, now)
    if found is None:
        raise Invalid(f"{rule[:100]!r} has no occurrence from now on", hint="give a later end, or a due date")
    return found


def _find_first(rule: RecurrenceRule, start: When | None, zone: str, now: datetime) -> When | None:
    home = zone_of(zone)
    local_now = now.astimezone(home)
    if rule.freq == "HOURLY" and start is None:
        start = (now.astimezone(UTC) + timedelta(hours=rule.interval)).replace(second=0, microsecond=0)
    begin = start if start is not None else local_now.date()
    day = begin.astimezone(home).date() if isinstance(begin, datetime) else begin
    interval = rule.interval if rule.freq == "HOURLY" else 1
    for when in generate_occurrences(rule._replace(interval=interval), begin, day, home):
        is_early = isinstance(when, datetime) and when < (begin if isinstance(begin, datetime) else local_now)
        if not (is_early and (start is None or isinstance(begin, datetime))):
            return None if _has_ended(rule, when) else when
    return None


def next_occurrence(
    rule: str, *, anchor: When, after: When, zone: str, from_done: bool = False, occurrence: int | None = None
) -> When | None:
    """Return the next occurrence strictly after `after`, or None if the rule or the calendar has ended.

    anchor: the due date of the first occurrence, which counts as the first even if it does not fit the rule. A date
        gives dates. An instant gives instants at its wall-clock time in `zone`. A time in the rule wins over it.
    after: a date means the whole of that day in `zone`.
    from_done: `after` is the completion of the task. The interval counts from that day, at the anchor's time of day.
    occurrence: the number of the occurrence that was completed, 1 for the first, which COUNT is compared with. Without
        it the occurrences since the anchor are counted. With `from_done` they cannot be, and COUNT is ignored.
    """
    parsed, home = parse_rrule(rule), zone_of(zone)
    if parsed.times and occurrence is not None and occurrence >= parsed.times:
        return None
    done_on = after.astimezone(home).date() if isinstance(after, datetime) else after
    if from_done:
        if parsed.freq != "HOURLY":
            after = _move_to_day(anchor, done_on, zone)
        return _find_next(parsed, after, after, done_on, zone, None)
    if _is_later(anchor, after, zone):
        return None if _has_ended(parsed, anchor) else anchor
    count = parsed.times if occurrence is None else None
    since = anchor if count else done_on - _DAY
    day = since.astimezone(home).date() if isinstance(since, datetime) else since
    return _find_next(parsed, anchor, after, day, zone, count)


def _move_to_day(anchor: When, day: date, zone: str) -> When:
    if not isinstance(anchor, datetime):
        return day
    home = zone_of(zone)
    return datetime.combine(day, anchor.astimezone(home).time(), home).astimezone(UTC)


def _find_next(
    rule: RecurrenceRule, anchor: When, after: When, since: date, zone: str, count: int | None
) -> When | None:
    occurrence = 1
    previous: When = anchor
    for when in generate_occurrences(rule, anchor, since, zone_of(zone)):
        if not _is_later(when, anchor, zone) or not _is_later(when, previous, zone):
            continue
        previous, occurrence = when, occurrence + 1
        if (count and occurrence > count) or _has_ended(rule, when):
            return None
        if _is_later(when, after, zone):
            return when
    return None


def _is_later(first: When, second: When, zone: str) -> bool:
    """Compare two instants as instants, and a date with anything by the day in `zone`."""
    if isinstance(first, datetime) and isinstance(second, datetime):
        return first.astimezone(UTC) > second.astimezone(UTC)
    home = zone_of(zone)
    day, limit = (when.astimezone(home).date() if isinstance(when, datetime) else when for when in (first, second))
    return day > limit


def _has_ended(rule: RecurrenceRule, when: When) -> bool:
    """Return whether `when` is after UNTIL. A date in UNTIL includes that day."""
    until = rule.until
    if isinstance(when, datetime) and isinstance(until, datetime):
        return when.astimezone(UTC) > until
    if until is None:
        return False
    return (when.date() if isinstance(when, datetime) else when) > (
        until.date() if isinstance(until, datetime) else until
    )

"""Generate the occurrences of a rule: days by filtering each of its periods, then the clock of a time zone.

For whole days, every BY… part of RFC 5545 is a filter over the days of one period (a day, week, month or year) once the
parts that DTSTART implies are added. A search starts in the period that it asks about, however old the anchor is.
"""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from todo_cli.parsing.dates import EARLIEST, LATEST, When
from todo_cli.parsing.rrule import RecurrenceRule

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

# A rule has ended after so many periods in a row without a day: 29 February may be 8 years away, and on a Monday 40.
MAX_EMPTY_PERIODS = {"DAILY": 20_000, "WEEKLY": 3_000, "MONTHLY": 1_200, "YEARLY": 100}


class _ExpansionPlan(NamedTuple):
    """A rule with the parts that its anchor implies. `day_of_month` is the anchor's, or a shorter month's last day."""

    rule: RecurrenceRule
    anchor: date
    day_of_month: int | None


def generate_occurrences(rule: RecurrenceRule, anchor: When, since: date, zone: ZoneInfo) -> Iterator[When]:
    """Yield every occurrence from the day `since` on, at or after the anchor's day, in order.

    Occurrences are instants if the anchor is one or the rule names a time, else dates. A local time that daylight
    saving skips moves forward by the gap. A local time that occurs twice is the first (RFC 5545 section 3.3.5).
    """
    if rule.freq == "HOURLY":
        yield from _generate_hours(rule, anchor, since, zone)
        return
    local = anchor.astimezone(zone) if isinstance(anchor, datetime) else None
    start = local.date() if local else anchor
    clocks = _list_clocks(rule, local.time() if local else time()) if local or rule.has_time else ()
    for day in _generate_days(_make_plan(rule, start), max(start, since)):
        if clocks:
            yield from sorted({_settle(datetime.combine(day, clock, zone), zone) for clock in clocks})
        else:
            yield day


def _generate_hours(rule: RecurrenceRule, anchor: When, since: date, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield instants that are a whole number of intervals after the anchor, in elapsed hours."""
    start = anchor if isinstance(anchor, datetime) else datetime.combine(anchor, time(), zone)
    start, step = start.astimezone(UTC), timedelta(hours=rule.interval)
    begin = datetime.combine(since, time(), zone).astimezone(UTC)
    instant = start + max(0, -((start - begin) // step)) * step
    while instant.date() <= LATEST:
        yield instant.astimezone(zone)
        instant += step


def _list_clocks(rule: RecurrenceRule, anchor: time) -> tuple[time, ...]:
    hours, minutes, seconds = (
        rule.hours or (anchor.hour,),
        rule.minutes or (anchor.minute,),
        rule.seconds or (anchor.second,),
    )
    return tuple(time(*clock) for clock in product(hours, minutes, seconds))


def _settle(local: datetime, zone: ZoneInfo) -> datetime:
    return local.astimezone(UTC).astimezone(zone)


def _make_plan(rule: RecurrenceRule, anchor: date) -> _ExpansionPlan:
    """Take from the anchor the parts that the rule leaves open (RFC 5545 section 3.3.10)."""
    day_of_month = None
    if (rule.freq == "WEEKLY" and not rule.days) or (rule.weeks and not rule.days):
        rule = rule._replace(days=((0, anchor.weekday()),))
    elif rule.freq in ("MONTHLY", "YEARLY") and not (rule.weeks or rule.year_days or rule.month_days or rule.days):
        day_of_month = anchor.day
        if rule.freq == "YEARLY" and not rule.months:
            rule = rule._replace(months=(anchor.month,))
    return _ExpansionPlan(rule, anchor, day_of_month)


def _generate_days(plan: _ExpansionPlan, since: date) -> Iterator[date]:
    empty_periods = 0
    for period in _generate_periods(plan, since):
        days = [day for day in period if _matches(plan, day)]
        if plan.rule.positions:
            indexes = (position - 1 if position > 0 else position for position in plan.rule.positions)
            days = sorted({days[index] for index in indexes if -len(days) <= index < len(days)})
        yield from (day for day in days if since <= day <= LATEST)
        empty_periods = 0 if days else empty_periods + 1
        if empty_periods > MAX_EMPTY_PERIODS[plan.rule.freq]:
            return


def _generate_periods(plan: _ExpansionPlan, since: date) -> Iterator[list[date]]:
    """Yield the days of each period of the rule, beginning with the period that contains `since`."""
    if plan.rule.freq in ("DAILY", "WEEKLY"):
        yield from _generate_short_periods(plan, since)
    else:
        yield from _generate_long_periods(plan, since)


def _generate_short_periods(plan: _ExpansionPlan, since: date) -> Iterator[list[date]]:
    """Yield days or weeks."""
    rule, anchor = plan.rule, plan.anchor
    length = 1 if rule.freq == "DAILY" else 7
    first = anchor.toordinal() - (0 if length == 1 else (anchor.weekday() - rule.week_start) % 7)
    step = length * rule.interval
    for start in range(first + (since.toordinal() - first) // step * step, LATEST.toordinal() + 1, step):
        ordinals = range(max(start, EARLIEST.toordinal()), min(start + length, LATEST.toordinal() + 1))
        yield [date.fromordinal(ordinal) for ordinal in ordinals]


def _generate_long_periods(plan: _ExpansionPlan, since: date) -> Iterator[list[date]]:
    """Yield months or years. A month is numbered by the months since year 0."""
    rule, is_monthly = plan.rule, plan.rule.freq == "MONTHLY"
    first, current = (day.year * 12 + day.month - 1 if is_monthly else day.year for day in (plan.anchor, since))
    last = LATEST.year * 12 + 11 if is_monthly else LATEST.year
    for index in range(first + (current - first) // rule.interval * rule.interval, last + 1, rule.interval):
        months = [index] if is_monthly else [index * 12 + month - 1 for month in rule.months or range(1, 13)]
        yield [day for month in months for day in _list_days_of_month(month, rule.months)]


def _list_days_of_month(index: int, allowed: tuple[int, ...]) -> list[date]:
    year, month = index // 12, index % 12 + 1
    if allowed and month not in allowed:
        return []
    return [date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1)]


def _matches(plan: _ExpansionPlan, day: date) -> bool:
    rule = plan.rule
    if rule.months and day.month not in rule.months:
        return False
    if not (plan.day_of_month or rule.month_days or rule.year_days or rule.weeks):
        return not rule.days or _matches_weekday(rule, day)
    length = monthrange(day.year, day.month)[1]
    if plan.day_of_month and day.day != min(plan.day_of_month, length):
        return False
    return (
        _matches_number(rule.month_days, day.day, length)
        and _matches_number(rule.year_days, day.timetuple().tm_yday, 365 + isleap(day.year))
        and (not rule.weeks or _matches_number(rule.weeks, day.isocalendar()[1], _count_weeks(day)))
        and (not rule.days or _matches_weekday(rule, day))
    )


def _matches_number(allowed: tuple[int, ...], number: int, length: int) -> bool:
    """Return whether the number is allowed, counted from the start or from the end."""
    return not allowed or number in allowed or number - length - 1 in allowed


def _count_weeks(day: date) -> int:
    return date(day.isocalendar()[0], 12, 28).isocalendar()[1]  # 28 December is always in the last week


def _matches_weekday(rule: RecurrenceRule, day: date) -> bool:
    weekday = day.weekday()
    if (0, weekday) in rule.days:
        return True
    if not any(weekday == allowed and nth for nth, allowed in rule.days):
        return False
    in_month = rule.freq == "MONTHLY" or bool(rule.months)
    number = day.day if in_month else day.timetuple().tm_yday
    length = monthrange(day.year, day.month)[1] if in_month else 365 + isleap(day.year)
    return ((number - 1) // 7 + 1, weekday) in rule.days or (-((length - number) // 7 + 1), weekday) in rule.days

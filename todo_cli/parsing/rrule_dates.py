"""When a rule comes round: days by filtering each of its periods, then the clock of a time zone.

Every BY… part of RFC 5545 is, for whole days, a filter over the days of one period (a day, week, month or year), once
what DTSTART implies is said. A search starts in the period that is asked about, however far back the anchor lies.
"""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from todo_cli.parsing.dates import EARLIEST, LATEST, When
from todo_cli.parsing.rrule import Rule

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

# Periods in a row without a day before a rule counts as ended: 29 February may be 8 years away, and on a Monday 40.
MAX_EMPTY_PERIODS = {"DAILY": 20_000, "WEEKLY": 3_000, "MONTHLY": 1_200, "YEARLY": 100}
DAY = timedelta(days=1)


class _Plan(NamedTuple):
    """A rule with what its anchor implies; `kept` is the anchor's day of the month, or a shorter month's last."""

    rule: Rule
    anchor: date
    kept: int | None


def generate_occurrences(rule: Rule, anchor: When, since: date, place: ZoneInfo) -> Iterator[When]:
    """Every occurrence from the day `since` on, at or after the anchor's day, in order: dates, or instants of the zone.

    They are instants when the anchor is one or the rule names a time. A local time that daylight saving skips moves
    forward by the gap, one that comes twice is the first (RFC 5545 section 3.3.5).
    """
    local = anchor.astimezone(place) if isinstance(anchor, datetime) else None
    start = local.date() if local else anchor
    clocks = _clocks(rule, local.time() if local else time()) if local or rule.timed else ()
    for day in _days(_planned(rule, start), max(start, since)):
        if clocks:
            yield from sorted({_settled(datetime.combine(day, clock, place), place) for clock in clocks})
        else:
            yield day


def _clocks(rule: Rule, usual: time) -> tuple[time, ...]:
    hours, minutes = rule.hours or (usual.hour,), rule.minutes or (usual.minute,)
    return tuple(time(*clock) for clock in product(hours, minutes, rule.seconds or (usual.second,)))


def _settled(local: datetime, place: ZoneInfo) -> datetime:
    return local.astimezone(UTC).astimezone(place)


def _planned(rule: Rule, anchor: date) -> _Plan:
    """What the rule leaves open is as in the anchor (RFC 5545 section 3.3.10)."""
    kept = None
    if (rule.freq == "WEEKLY" and not rule.days) or (rule.weeks and not rule.days):
        rule = rule._replace(days=((0, anchor.weekday()),))
    elif rule.freq in ("MONTHLY", "YEARLY") and not (rule.weeks or rule.year_days or rule.month_days or rule.days):
        kept = anchor.day
        if rule.freq == "YEARLY" and not rule.months:
            rule = rule._replace(months=(anchor.month,))
    return _Plan(rule, anchor, kept)


def _days(plan: _Plan, since: date) -> Iterator[date]:
    empty = 0
    for period in _periods(plan, since):
        found = [day for day in period if _fits(plan, day)]
        if plan.rule.positions:
            chosen = (p - 1 if p > 0 else p for p in plan.rule.positions)
            found = sorted({found[at] for at in chosen if -len(found) <= at < len(found)})
        yield from (day for day in found if since <= day <= LATEST)
        empty = 0 if found else empty + 1
        if empty > MAX_EMPTY_PERIODS[plan.rule.freq]:
            return


def _periods(plan: _Plan, since: date) -> Iterator[list[date]]:
    """The days of each period of the rule, from the one that `since` is in."""
    rule, anchor = plan.rule, plan.anchor
    if rule.freq in ("DAILY", "WEEKLY"):
        length = 1 if rule.freq == "DAILY" else 7
        first = anchor.toordinal() - (0 if length == 1 else (anchor.weekday() - rule.week_start) % 7)
        step = length * rule.interval
        for start in range(first + (since.toordinal() - first) // step * step, LATEST.toordinal() + 1, step):
            inside = range(max(start, EARLIEST.toordinal()), min(start + length, LATEST.toordinal() + 1))
            yield [date.fromordinal(one) for one in inside]
        return
    by_month = rule.freq == "MONTHLY"
    first, now = (day.year * 12 + day.month - 1 if by_month else day.year for day in (anchor, since))
    last = LATEST.year * 12 + 11 if by_month else LATEST.year
    for index in range(first + (now - first) // rule.interval * rule.interval, last + 1, rule.interval):
        months = [index] if by_month else [index * 12 + month - 1 for month in rule.months or range(1, 13)]
        yield [day for month in months for day in _month(month, rule.months)]


def _month(index: int, only: tuple[int, ...]) -> list[date]:
    year, month = index // 12, index % 12 + 1
    if only and month not in only:
        return []
    return [date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1)]


def _fits(plan: _Plan, day: date) -> bool:
    rule = plan.rule
    if rule.months and day.month not in rule.months:
        return False
    if not (plan.kept or rule.month_days or rule.year_days or rule.weeks):
        return not rule.days or _on_weekday(rule, day)
    length = monthrange(day.year, day.month)[1]
    if plan.kept and day.day != min(plan.kept, length):
        return False
    return (
        _either(rule.month_days, day.day, length)
        and _either(rule.year_days, day.timetuple().tm_yday, 365 + isleap(day.year))
        and (not rule.weeks or _either(rule.weeks, day.isocalendar()[1], _weeks(day)))
        and (not rule.days or _on_weekday(rule, day))
    )


def _either(wanted: tuple[int, ...], number: int, length: int) -> bool:
    """Whether it is wanted, counted from the start or from the end."""
    return not wanted or number in wanted or number - length - 1 in wanted


def _weeks(day: date) -> int:
    return date(day.isocalendar()[0], 12, 28).isocalendar()[1]  # 28 December is always in the last week


def _on_weekday(rule: Rule, day: date) -> bool:
    weekday = day.weekday()
    if (0, weekday) in rule.days:
        return True
    if not any(weekday == wanted and which for which, wanted in rule.days):
        return False
    in_month = rule.freq == "MONTHLY" or bool(rule.months)
    number = day.day if in_month else day.timetuple().tm_yday
    length = monthrange(day.year, day.month)[1] if in_month else 365 + isleap(day.year)
    return ((number - 1) // 7 + 1, weekday) in rule.days or (-((length - number) // 7 + 1), weekday) in rule.days

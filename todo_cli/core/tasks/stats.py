"""Show statistics of a space. The database counts by day; weeks and streaks are pure sums of these days."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.stats import ProjectTime, ShowStats, Stats, StatsDay, StatsWeek, Streak
from todo_cli.core.dispatch import handler
from todo_cli.core.tasks.stats_sql import (
    HEAT_DAYS,
    MAX_READ_CHANGES,
    MAX_READ_TASKS,
    MAX_SHOWN_PROJECTS,
    READ,
)
from todo_cli.db.transaction import Transaction

SHOWN_WEEKS = 12
ONE_DAY = timedelta(days=1)


class _CountedDays(msgspec.Struct):
    today: date
    burndown: tuple[StatsDay, ...]
    heat: dict[str, int]
    time: tuple[ProjectTime, ...]
    is_running: bool
    cut: bool


@handler(ShowStats)
async def show_stats(tx: Transaction, request: ShowStats) -> Stats:
    """Return the statistics. The work grows with the tasks of the space, up to a bound."""
    bounds = {"max_tasks": MAX_READ_TASKS, "max_changes": MAX_READ_CHANGES, "max_projects": MAX_SHOWN_PROJECTS}
    values = {"zone": tx.caller.zone, "days": request.days, "heat_days": HEAT_DAYS, **bounds}
    counted = decode(await tx.finish(READ, **values) or "", _CountedDays)
    tx.is_momentary |= counted.is_running  # the time of work that goes on
    week_start = tx.clock.week_start if tx.clock else 0
    done_by_day = {date.fromisoformat(day): done for day, done in counted.heat.items()}
    return Stats(
        burndown=counted.burndown,
        heat=counted.heat,
        weeks=sum_weeks(done_by_day, counted.today, week_start),
        streak=find_streak(done_by_day, counted.today),
        time=counted.time,
        cut=counted.cut,
    )


def sum_weeks(done_by_day: Mapping[date, int], today: date, week_start: int = 0) -> tuple[StatsWeek, ...]:
    """Return the last 12 weeks with the tasks done in each; the current one is the last. 0 is Monday."""

    def first_day(day: date) -> date:
        return day - timedelta(days=(day.weekday() - week_start) % 7)

    sums = {first_day(today) - timedelta(weeks=back): 0 for back in reversed(range(SHOWN_WEEKS))}
    for day, done in done_by_day.items():
        week = first_day(day)
        if week in sums:
            sums[week] += done
    return tuple(StatsWeek(week=week, done=done) for week, done in sums.items())


def find_streak(days: Collection[date], today: date) -> Streak:
    """Return the days in a row up to today and the longest row. A day that is not over yet does not end one."""
    longest = run = 0
    for day in sorted(days):
        run = run + 1 if day - ONE_DAY in days else 1
        longest = max(longest, run)
    current = 0
    day = today if today in days else today - ONE_DAY
    while day in days:
        current, day = current + 1, day - ONE_DAY
    return Streak(days=current, longest=longest)

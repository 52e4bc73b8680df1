"""Statistics of a space: what was added and done by day, and the time that was worked by project."""

from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

from todo_cli.contract.base import Request
from todo_cli.contract.limits import MAX_STATS_DAYS


class StatsDay(Struct, frozen=True, kw_only=True):
    """One day: the open tasks at its end, and the tasks that were added and done on it."""

    day: date
    open: int
    added: int
    done: int


class StatsWeek(Struct, frozen=True, kw_only=True):
    """One week, named by its Monday, and the tasks that were done in it."""

    week: date
    done: int


class Streak(Struct, frozen=True, kw_only=True):
    """Days in a row on which a task was done: those up to today or yesterday, and the most within a year."""

    days: int
    longest: int


class ProjectTime(Struct, frozen=True, kw_only=True):
    """The time that was worked on the tasks of a project; null is no project."""

    project: str | None
    seconds: int


class Stats(Struct, frozen=True, kw_only=True):
    """What happened in a space, by the days of the user's time zone.

    `burndown` has the asked number of days up to today, `heat` the done tasks of each day of the last 53 weeks that has
    some, `weeks` the last 12. `time` has the work of this month that has ended, with the work that goes on until now.
    `cut` says that tasks or changes beyond the newest were left out.
    """

    burndown: tuple[StatsDay, ...]
    heat: dict[str, int]
    weeks: tuple[StatsWeek, ...]
    streak: Streak
    time: tuple[ProjectTime, ...]
    cut: bool = False


class ShowStats(Request[Stats], frozen=True, kw_only=True):
    """Show statistics of the space: a burndown, the tasks done by day and week, streaks, and the time by project."""

    verb = "ShowStats"
    label = "stats"
    route = "GET /v1/stats"
    write = False
    is_versioned = True

    days: Annotated[int, Meta(ge=1, le=MAX_STATS_DAYS, description="days of the burndown")] = 60

"""The sign-in: the first statement of every request, and what it returns."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, json

from todo_cli.contract.clock import Clock
from todo_cli.contract.preferences import DEFAULT_TIMEZONE, NO_PREFERENCES, Preferences
from todo_cli.db.sql import Sql

# The sign-in comes first: only then may the preferences be read, and a write has waited for its lock. A function of
# another owner cannot set the role.
ENTER = Sql("""
WITH entered AS MATERIALIZED (
  SELECT todo.enter(%(schema)s::int, %(token)s, %(me)s::uuid, %(space)s::uuid, %(scope)s,
    %(write)s::boolean, %(way)s, %(verb)s, %(knows_limits)s::boolean) AS role),
limited AS MATERIALIZED (
  SELECT CASE WHEN role IS NOT NULL THEN set_config('role', role, true) END FROM entered)
SELECT json_build_object('now', clock_timestamp(),
    'version', nullif(current_setting('app.version', true), ''), 'preferences', (
    SELECT json_build_object('timezone', p.timezone, 'week_start', p.week_start, 'dates', p.dates,
        'theme', p.theme, 'signs', p.signs, 'project', p.project, 'sort', p.sort,
        'confirm', p.confirm, 'pager', p.pager, 'hints', p.hints, 'remind', p.remind)
      FROM todo.preferences p WHERE p.user_id = %(me)s::uuid))::text
  FROM limited""")


class Entry(Struct):
    """The database's time, and those of the user's preferences that a request needs."""

    now: datetime
    preferences: Preferences | None = None
    version: str | None = None
    """Of the space, for a read through a server: it changes with the tasks, and when a moment of a task comes."""

    def find_version(self, clock: Clock | None, estimate: Clock | None) -> str | None:
        """Return the version with the preferences and the local day; None if an estimate read dates by another day."""
        if self.version is None or clock is None or (estimate and estimate.day != clock.day):
            return None
        return f"{self.version} {clock.day} {json.encode(self.preferences).decode()}"

    def clock(self, zone: str | None) -> Clock:
        """Return the clock in the caller's time zone, else in the preferred one."""
        preferences = self.preferences or NO_PREFERENCES
        week_start = preferences.display.first_weekday
        return Clock(self.now, zone or preferences.timezone or DEFAULT_TIMEZONE, week_start)

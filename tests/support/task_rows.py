"""Rows of tasks, and what a write has loaded, for tests of rules without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from todo_cli.core.tasks.load import Loaded, Wanted
from todo_cli.core.tasks.rows import StoredRepeat, TaskRow

NOW = datetime(2026, 11, 27, 22, tzinfo=UTC)
EARLIER = NOW - timedelta(days=1)


def make_row(number: int = 1, **columns: Any) -> TaskRow:
    """Return an open task with a title, and with these columns."""
    values = {"id": f"id-{number}", "title": f"task {number}", "status": "open", "priority": 4, "tracked": 0, "rev": 1}
    return TaskRow(**({"number": number, "created_at": EARLIER, "updated_at": EARLIER} | values | columns))


def make_recurring(number: int = 1, **columns: Any) -> TaskRow:
    """Return an occurrence of a daily series that is due today."""
    today = NOW.date().isoformat()
    repeat = StoredRepeat(rule="FREQ=DAILY", from_done=False, zone="UTC", anchor=today, slot=today)
    given = {"repeat": repeat, "series": "series", "occurrence": 1, "due_on": NOW.date()}
    return make_row(number, **(given | columns))


def make_loaded(*rows: TaskRow, **members: Any) -> Loaded:
    """Return these rows as loaded from a space at seq 9, whose next task gets the number 100."""
    return Loaded(**({"seq": 9, "next_number": 100, "now": NOW, "rows": list(rows)} | members))


def want(*rows: TaskRow, **members: Any) -> Wanted:
    """Return what a write of these rows wants."""
    return Wanted(numbers=tuple(row.number for row in rows), **members)


TEXT = st.text(min_size=1, max_size=5)
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))

ROWS = st.builds(
    make_row,
    number=st.integers(1, 50),
    title=TEXT,
    status=st.sampled_from(["open", "done", "deleted"]),
    priority=st.integers(1, 4),
    tracked=st.integers(0, 10_000),
    note=st.none() | TEXT,
    project=st.none() | TEXT,
    due_on=st.none() | DAYS,
    defer_at=st.none() | INSTANTS,
    started_at=st.none() | INSTANTS,
    completed_at=st.none() | INSTANTS,
    parent=st.none() | st.integers(1, 50),
    tags=st.frozensets(TEXT, max_size=3).map(lambda tags: tuple(sorted(tags))),
    after=st.frozensets(st.integers(51, 60), max_size=3).map(lambda numbers: tuple(sorted(numbers))),
)
"""Rows of any content; their numbers may repeat."""

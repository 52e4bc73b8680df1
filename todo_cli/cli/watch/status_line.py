"""The last row of the live list: what is watched, how much there is, the last change or the outage."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from todo_cli.cli.render.cells import cut, measure
from todo_cli.cli.render.changes import describe_actor
from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.list_footer import count_states
from todo_cli.cli.render.list_view import ListView
from todo_cli.contract.journal import Change
from todo_cli.contract.limits import MAX_COUNTED_TASKS
from todo_cli.contract.tasks import TaskPage

END_HINT = "Ctrl-C ends"
MAX_FILTER_CELLS = 30


class Disconnection(NamedTuple):
    """Since when no changes arrive, and in how many seconds the next attempt is made."""

    since: datetime
    seconds_left: float


class WatchStatus(NamedTuple):
    """What the status line shows."""

    filter: str | None
    page: TaskPage
    last_change: Change | None
    disconnection: Disconnection | None


def format_status(status: WatchStatus, view: ListView, width: int) -> str:
    """Return `#home · 13 open · changed 09:52 by worker-1 · Ctrl-C ends`, as much of it as fits."""
    dot = f" {view.signs.dot} "
    name = [cut(escape(status.filter), MAX_FILTER_CELLS, view.signs.ellipsis)] if status.filter else []
    counts = list(_count_tasks(status.page, view))
    news = list(_describe_news(status, view))
    choices = ([*name, *counts, *news, END_HINT], [*name, *counts[:1], *news, END_HINT], [*counts[:1], *news], news)
    lines = [dot.join(parts) for parts in choices]
    line = next((line for line in lines if line and measure(line) <= width), lines[0])
    return cut(line, width, view.signs.ellipsis)


def _count_tasks(page: TaskPage, view: ListView) -> Iterator[str]:
    if page.next or page.cut:
        total = page.total or len(page.tasks)
        yield f"{total:,}{'+' if not page.total or total >= MAX_COUNTED_TASKS else ''} tasks"
    else:
        yield from count_states(page.tasks, view)


def _describe_news(status: WatchStatus, view: ListView) -> Iterator[str]:
    if status.disconnection:
        since = status.disconnection.since.astimezone(view.zone)
        seconds = max(0, math.ceil(status.disconnection.seconds_left))
        again = f"trying again in {seconds}s" if seconds else "trying again"
        yield f"no connection since {since:%H:%M}, {again}"
    elif status.last_change:
        at = status.last_change.at.astimezone(view.zone)
        yield f"changed {at:%H:%M} by {escape(describe_actor(status.last_change))}"

"""Draw the burndown of `todo stats`: the open tasks at the end of each day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from todo_cli.cli.render.bars import draw_column, join_edges
from todo_cli.cli.render.cells import wrap_line
from todo_cli.cli.render.colors import Line, Piece
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.signs import ASCII_SIGNS
from todo_cli.cli.render.text import format_day
from todo_cli.contract.stats import StatsDay

ROWS = 6
LABEL_CELLS = 5
MAX_PLOT_CELLS = 120
LABEL_GAP_CELLS = 15
MAX_FORECAST_DAYS = 3_650


def format_burndown(days: Sequence[StatsDay], view: ListView, width: int) -> list[Line]:
    """Return the heading with the sums, the curve as columns, its axis, and when the list would be empty."""
    sums = f"open {days[-1].open:,} · done {_sum_done(days):,} · added {sum(day.added for day in days):,}"
    title: Line = [Piece(f"Last {len(days)} days" if len(days) > 1 else "Today", "heading")]
    shown = _choose_days(days, min(width - LABEL_CELLS - 1, MAX_PLOT_CELLS))
    lines = [join_edges(title, [Piece(sums.replace("·", view.signs.dot), "grey")], width)]
    lines += _draw_columns(shown, view)
    lines.append(_draw_dates(shown, days[-1].day, view))
    forecast = _forecast(days, view)
    return [*lines, *([Piece(line, "grey")] for line in wrap_line(f"  {forecast}", width))] if forecast else lines


def _sum_done(days: Sequence[StatsDay]) -> int:
    return sum(day.done for day in days)


def _choose_days(days: Sequence[StatsDay], cells: int) -> list[StatsDay]:
    """Return the days that the cells show: each, or the last of several."""
    if len(days) <= cells:
        return list(days)
    return [days[(place + 1) * len(days) // cells - 1] for place in range(cells)]


def _draw_columns(shown: Sequence[StatsDay], view: ListView) -> list[Line]:
    top = max(2, max(day.open for day in shown))
    top += top % 2
    is_ascii = view.signs is ASCII_SIGNS
    lines: list[Line] = []
    for row in range(ROWS):
        label = {0: f"{top:,}", ROWS // 2: f"{top // 2:,}"}.get(row, "")
        below = ROWS - 1 - row  # rows of the plot under this one
        cells = (draw_column(round(day.open / top * ROWS * 8) - below * 8, view.signs) for day in shown)
        side = "|" if is_ascii else "│"
        lines.append([Piece(f"{label:>{LABEL_CELLS - 1}} {side}", "grey"), Piece("".join(cells), "added")])
    corner, line = ("+", "-") if is_ascii else ("└", "─")
    return [*lines, [Piece(f"{0:>{LABEL_CELLS - 1}} {corner}{line * len(shown)}", "grey")]]


def _draw_dates(shown: Sequence[StatsDay], today: date, view: ListView) -> Line:
    """Return the dates below the axis, the last of them at its end."""
    text = ""
    last = "today"
    for place in range(0, len(shown), LABEL_GAP_CELLS):
        label = format_day(shown[place].day, (shown[place].day - today).days)
        if place + len(label) + 1 <= len(shown) - len(last):
            text = f"{text:<{place}}{label}"
    text = f"{text:<{len(shown) - len(last)}}{last}"
    return [Piece(" " * (LABEL_CELLS + 1) + text, "grey")]


def _forecast(days: Sequence[StatsDay], view: ListView) -> str:
    """Return the day on which nothing would be open, if the number falls as it did in these days."""
    fallen, left = days[0].open - days[-1].open, days[-1].open
    if fallen <= 0 or left == 0 or left * len(days) > fallen * MAX_FORECAST_DAYS:
        return ""
    in_days = -(-left * len(days) // fallen)
    day = days[-1].day + timedelta(days=in_days)
    words = f"{day}" if view.absolute else format_day(day, in_days)
    return f"at this pace the list is empty on {words}"

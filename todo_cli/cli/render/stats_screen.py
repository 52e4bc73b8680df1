"""Lay out `todo stats`: the burndown, the year, streaks, and the time by project."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from todo_cli.cli.render.bars import draw_bar, draw_sparkline, fit_line, put_beside
from todo_cli.cli.render.burndown import format_burndown
from todo_cli.cli.render.cells import cut, measure, pad, wrap_words
from todo_cli.cli.render.colors import Line, Piece
from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.heat_map import format_heat_map
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.text import format_duration
from todo_cli.contract.stats import ProjectTime, Stats, Streak

ONE_COLUMN_CELLS = 80
TWO_COLUMN_WIDTH = 181
BURNDOWN_CELLS = 66
GAP_CELLS = 4
MAX_NAME_CELLS = 24
MAX_TIMES = 20


def format_stats(stats: Stats, view: ListView, width: int) -> list[Line]:
    """Return the lines of the statistics; from 181 columns on burndown and year stand side by side."""
    if width >= TWO_COLUMN_WIDTH:
        days = stats.burndown[-BURNDOWN_CELLS:]
        left = format_burndown(days, view, BURNDOWN_CELLS)
        right = format_heat_map(stats.heat, view, width - BURNDOWN_CELLS - GAP_CELLS, cell=2)
        lines = put_beside(left, right, BURNDOWN_CELLS, GAP_CELLS)
    else:
        narrow = min(width, ONE_COLUMN_CELLS)
        lines = [*format_burndown(stats.burndown, view, narrow), [], *format_heat_map(stats.heat, view, narrow)]
    lines += [[], *_write_streak(stats, view, width)]
    if stats.time:
        lines += [[], *_format_times(stats.time, view, width)]
    if stats.cut:
        lines += [[], [Piece(cut("older tasks and changes are left out", width, view.signs.ellipsis), "grey")]]
    return [fit_line(line, width) for line in lines]


def _write_streak(stats: Stats, view: ListView, width: int) -> Iterator[Line]:
    done = [week.done for week in stats.weeks]
    average = sum(done) / max(1, len(done))
    weeks = f"a week {average:.1f} done ({draw_sparkline(done, view.signs)})"
    text = f"{_name_streak(stats.streak)} {view.signs.dot} {weeks}"
    yield from ([Piece(line)] for line in wrap_words(text, width))


def _name_streak(streak: Streak) -> str:
    unit = "day" if streak.days == 1 else "days"
    return f"Streak {streak.days:,} {unit}, longest {streak.longest:,}"


def _format_times(times: Sequence[ProjectTime], view: ListView, width: int) -> list[Line]:
    """Return the time of this month by project, with bars where there is room."""
    shown = times[:MAX_TIMES]
    names = [escape(time.project) if time.project else "No project" for time in shown]
    durations = [format_duration(time.seconds) for time in shown]
    total = format_duration(sum(time.seconds for time in times))
    heading = f"Time {view.signs.dot} this month"
    room = max(1, width - max(map(len, [*durations, total])) - 2)
    name_cells = min(room, MAX_NAME_CELLS, max(measure(heading), *map(measure, names)))
    duration_cells = max(map(len, [*durations, total]))
    heading = cut(heading, name_cells, view.signs.ellipsis)
    bar_cells = choose_bar_cells(width)
    lines: list[Line] = [
        [
            Piece(pad(heading, name_cells), "heading"),
            Piece(f"  {total:>{duration_cells}}"),
        ]
    ]
    for name, duration, time in zip(names, durations, shown, strict=True):
        bar = draw_bar(time.seconds / times[0].seconds, bar_cells, view.signs)
        fitted = pad(cut(name, name_cells, view.signs.ellipsis), name_cells)
        lines.append([Piece(fitted), Piece(f"  {duration:>{duration_cells}}  "), Piece(bar, "added")])
    if len(times) > MAX_TIMES:
        lines.append([Piece(f"{view.signs.ellipsis} {len(times) - MAX_TIMES} more: todo stats --json", "grey")])
    return lines


def choose_bar_cells(width: int) -> int:
    """Return the cells of a bar on a terminal of that width; 0 for none."""
    for least, cells in ((120, 40), (64, 20), (48, 10)):
        if width >= least:
            return cells
    return 0


def format_stats_lines(stats: Stats) -> Iterator[str]:
    """Yield the lines for a pipe: a name and its values, separated by tabs."""
    yield f"open\t{stats.burndown[-1].open}"
    yield f"added\t{sum(day.added for day in stats.burndown)}"
    yield f"done\t{sum(day.done for day in stats.burndown)}"
    yield f"streak\t{stats.streak.days}"
    yield f"longest\t{stats.streak.longest}"
    yield from (f"week\t{week.week}\t{week.done}" for week in stats.weeks)
    yield from (f"time\t{escape(time.project or '')}\t{time.seconds}" for time in stats.time)

"""Lay out `todo calendar`: months with signs at the days, and the tasks of the coming two weeks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter

from todo_cli.cli.render.bars import fit_line, put_beside
from todo_cli.cli.render.cells import MIN_COLUMNS_WIDTH
from todo_cli.cli.render.colors import Line, Piece
from todo_cli.cli.render.coming_dates import list_coming_days
from todo_cli.cli.render.days import format_heading_day, local_day
from todo_cli.cli.render.list_columns import MIN_ONE_LINE_WIDTH, format_lines
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.month_grid import (
    MONTH_CELLS,
    DayMarks,
    count_months_in_a_row,
    format_legend,
    format_months,
    measure_months,
)
from todo_cli.cli.render.task_rows import ListRow, make_groups
from todo_cli.cli.render.text import is_overdue
from todo_cli.contract.tasks import Task

AGENDA_DAYS = 14
DAY_CELLS = 11
MIN_BESIDE_WIDTH = 160
BESIDE_GAP_CELLS = 4

DatedTask = tuple[date, Task]


def format_calendar(tasks: Sequence[Task], firsts: Sequence[date], view: ListView, width: int) -> list[Line]:
    """Return the months from the first days on, and below them, or beside them from 160 columns on, the agenda."""
    today = view.now.astimezone(view.zone).date()
    end = find_end_of_month(firsts[-1])
    dated = sorted(((local_day(task.due, view.zone), task) for task in tasks if task.due), key=itemgetter(0))
    in_a_row = min(len(firsts), count_months_in_a_row(width))
    months_cells = measure_months(in_a_row)
    marks = _mark_days(dated, firsts[0], end, view)
    months = format_months(firsts, marks, today, view.signs, in_a_row, week_start=view.week_start)
    months += format_legend(today, firsts[0] <= today <= end, view.signs, months_cells, width)
    begin = max(today, firsts[0])
    coming = [pair for pair in dated if begin <= pair[0] < begin + timedelta(days=AGENDA_DAYS) and pair[0] <= end]
    if width >= MIN_BESIDE_WIDTH:
        room = min(width - months_cells - BESIDE_GAP_CELLS, MIN_COLUMNS_WIDTH)
        agenda = list(_format_agenda(coming, view, room))
        lines = put_beside(months, agenda, months_cells, BESIDE_GAP_CELLS)
    else:
        agenda = list(_format_agenda(coming, view, min(width, MIN_COLUMNS_WIDTH)))
        lines = [*months, *([[]] if agenda else []), *agenda]
    if width < MONTH_CELLS:
        lines = [*(_take_blank(line) for line in months), *lines[len(months) :]]
    return [fit_line(line, width) for line in lines]


def _take_blank(line: Line) -> Line:
    """Return a line of a month without the blank before it, so that Sundays fit on the narrowest terminal."""
    return [line[0]._replace(text=line[0].text.removeprefix(" ")), *line[1:]] if line else line


def find_end_of_month(first: date) -> date:
    """Return the last day of a month."""
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _mark_days(dated: Sequence[DatedTask], begin: date, end: date, view: ListView) -> dict[date, DayMarks]:
    counts = Counter(day for day, _ in dated)
    late = {day for day, task in dated if is_overdue(task.due or "", view.zone, view.now)}
    recurring = {day for _, task in dated for day in list_coming_days(task, end, view.zone)}
    days = {day for day in (*counts, *recurring) if begin <= day <= end}
    return {day: DayMarks(counts[day], day in late, day in recurring) for day in days}


def _format_agenda(coming: Sequence[DatedTask], view: ListView, width: int) -> Iterator[Line]:
    """Yield a line per task, with its day before the first of each day; on a narrow terminal the day is a heading."""
    today = view.now.astimezone(view.zone).date()
    rows = [_make_agenda_row(day, task, view) for day, task in coming]
    is_narrow = width < MIN_ONE_LINE_WIDTH + DAY_CELLS
    drawn = format_lines(rows, view, width if is_narrow else width - DAY_CELLS)
    for day, pairs in groupby(coming, key=itemgetter(0)):
        heading = format_heading_day(day, today, absolute=view.absolute)
        if is_narrow:
            yield [Piece(heading, "heading")]
        for place, _ in enumerate(pairs):
            for line in next(drawn):
                yield line if is_narrow else [Piece(f"{heading if place == 0 else '':<{DAY_CELLS}}", "heading"), *line]


def _make_agenda_row(day: date, task: Task, view: ListView) -> ListRow:
    groups = make_groups([task], view._replace(group="day"))
    row = groups[0].rows[0]
    clock = row.due.rpartition(" ")[2]
    return row._replace(due=clock if ":" in clock else "", project="", tags=())

"""Draw months as grids of days: a sign behind a day says that tasks are due on it."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from todo_cli.cli.render.bars import put_beside
from todo_cli.cli.render.cells import measure
from todo_cli.cli.render.colors import Line, Piece, Role
from todo_cli.cli.render.signs import Signs

MONTH_CELLS = 22
GAP_CELLS = 3
MAX_MONTHS_IN_A_ROW = 3
SEVERAL_SIGN, OVERDUE_SIGN = ":", "!"
SATURDAY = 5


class DayMarks(NamedTuple):
    """What a day of the grid says: its number of due tasks, whether one is overdue, whether others will recur on it."""

    due: int = 0
    is_overdue: bool = False
    recurs: bool = False


def count_months_in_a_row(width: int) -> int:
    """Return how many months fit beside each other."""
    return max(1, min(MAX_MONTHS_IN_A_ROW, (width + GAP_CELLS) // (MONTH_CELLS + GAP_CELLS)))


def measure_months(count: int) -> int:
    """Return the cells of so many months in a row."""
    return count * MONTH_CELLS + (count - 1) * GAP_CELLS


def format_months(
    firsts: Sequence[date],
    marks: Mapping[date, DayMarks],
    today: date,
    signs: Signs,
    in_a_row: int,
    *,
    week_start: int = 0,
) -> list[Line]:
    """Return the months, which are named by their first days, so many in a row."""
    lines: list[Line] = []
    for start in range(0, len(firsts), in_a_row):
        months = firsts[start : start + in_a_row]
        blocks = [_format_month(first, marks, today, signs, week_start) for first in months]
        row = blocks[0]
        for place, block in enumerate(blocks[1:], 1):
            row = put_beside(row, block, measure_months(place), GAP_CELLS)
        lines += [*([[]] if lines else []), *row]
    return lines


def format_legend(today: date, is_shown: bool, signs: Signs, cells: int, width: int) -> list[Line]:
    """Return what the signs mean and, if the grid has it, which day is today: colour does not say it alone.

    The day stands at the right edge of the months, which are so many `cells` wide, or on a line of its own.
    """
    counts, overdue = f" {signs.dot} a task  {SEVERAL_SIGN} several", f"{OVERDUE_SIGN} overdue"
    words = f"{counts}  {overdue}"
    named = f"today is the {_format_ordinal(today.day)}" if is_shown else ""
    if named and measure(words) + len(named) + 2 <= cells:
        return [[Piece(words + " " * (cells - measure(words) - len(named)) + named, "grey")]]
    lines = [words] if measure(words) <= width else [counts, f" {overdue}"]
    return [[Piece(line, "grey")] for line in (*lines, *([f" {named}"] if named else []))]


def _format_ordinal(number: int) -> str:
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _format_month(
    first: date, marks: Mapping[date, DayMarks], today: date, signs: Signs, week_start: int
) -> list[Line]:
    weeks = calendar.Calendar(week_start)
    lines: list[Line] = [
        [Piece(_center(f"{first:%B %Y}"), "heading")],
        [Piece(" " + " ".join(calendar.day_abbr[day][:2] for day in weeks.iterweekdays()), "grey")],
    ]
    for week in weeks.monthdatescalendar(first.year, first.month):
        lines.append([Piece(" "), *_format_week(week, first.month, marks, today, signs)])
    return lines


def _center(name: str) -> str:
    return " " * ((MONTH_CELLS + 2 - len(name)) // 2) + name


def _format_week(
    week: Iterable[date], month: int, marks: Mapping[date, DayMarks], today: date, signs: Signs
) -> Iterable[Piece]:
    for day in week:
        if day.month != month:
            yield Piece("   ")
            continue
        shown = marks.get(day, DayMarks())
        blank = " " if day.day < 10 else ""
        yield from (Piece(blank), Piece(str(day.day), _choose_role(day, shown, today)))
        yield Piece(*_choose_sign(shown, signs))


def _choose_role(day: date, shown: DayMarks, today: date) -> Role:
    if day == today:
        return "reverse"
    if shown.is_overdue:
        return "overdue"
    if shown.due:
        return "heading"
    return "grey" if day.weekday() >= SATURDAY else ""


def _choose_sign(shown: DayMarks, signs: Signs) -> tuple[str, Role]:
    if shown.is_overdue:
        return OVERDUE_SIGN, "overdue"
    if shown.due > 1:
        return SEVERAL_SIGN, ""
    if shown.due:
        return signs.dot, ""
    return (signs.dot, "grey") if shown.recurs else (" ", "")

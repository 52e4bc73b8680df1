"""Draw the tasks done on each day of a year as a map of weeks and days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from todo_cli.cli.render.bars import join_edges
from todo_cli.cli.render.colors import Line, Piece, Role
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.signs import ASCII_SIGNS

MAX_WEEKS = 53
NARROW_WEEKS = 26
NARROW_WIDTH = 48
LABEL_CELLS = 5
MONTH_CELLS = 4
DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LEVELS = "·░▒▓█"
ASCII_LEVELS = ".:+*#"
LEAST_OF_LEVELS = (0, 1, 2, 4, 6)
"""The fewest done tasks of each level."""
ROLES: tuple[Role, ...] = ("grey", "heat1", "heat2", "heat3", "heat4")
LEGEND = ("0", "1", "2-3", "4-5", "6 and more")
SHORT_LEGEND = ("0", "1", "2-3", "4-5", "6+")


def format_heat_map(heat: Mapping[str, int], view: ListView, width: int, *, cell: int = 1) -> list[Line]:
    """Return the heading with the best day, the months, a row for each weekday, and the meaning of the signs."""
    today = view.now.astimezone(view.zone).date()
    weeks = MAX_WEEKS if width >= LABEL_CELLS + MAX_WEEKS * cell else NARROW_WEEKS
    weeks = min(weeks, (width - LABEL_CELLS) // cell)
    week_start = today - timedelta(days=(today.weekday() - view.week_start) % 7)
    first = week_start - timedelta(weeks=weeks - 1)
    done = {date.fromisoformat(day): count for day, count in heat.items()}
    shown = {day: count for day, count in done.items() if day >= first}
    period = "a year" if weeks == MAX_WEEKS else f"{weeks} weeks"
    title = [Piece(f"Done in {period}", "heading"), Piece(f" {view.signs.dot} {sum(shown.values()):,}", "grey")]
    lines = [join_edges(title, _write_best_day(shown), min(width, LABEL_CELLS + weeks * cell + 8))]
    lines.append([Piece(" " * LABEL_CELLS + _name_months(first, weeks, cell), "grey")])
    for row in range(7):
        days = [first + timedelta(weeks=week, days=row) for week in range(weeks)]
        name = "" if row % 2 else DAY_NAMES[(view.week_start + row) % 7]
        cells = [_write_day(day, shown, view, cell) for day in days if day <= today]
        lines.append([Piece(f"{name:<{LABEL_CELLS}}", "grey"), *_join_same_roles(cells)])
    return [*lines, *_write_legend(view, LEGEND if width > NARROW_WIDTH else SHORT_LEGEND, width)]


def _write_best_day(shown: Mapping[date, int]) -> Line:
    if not shown:
        return []
    best = max(shown, key=lambda day: (shown[day], day))
    return [Piece(f"best day {best.day} {best:%b}: {shown[best]:,}", "grey")]


def _name_months(first: date, weeks: int, cell: int) -> str:
    """Return the names of the months above the weeks in which they begin, as far as there is room."""
    text = ""
    for week in range(weeks):
        last_day = first + timedelta(weeks=week, days=6)
        place = week * cell
        begins = last_day.day <= 7
        if begins and (not text or place >= len(text) + 1) and place + MONTH_CELLS - 1 <= weeks * cell:
            text = f"{text:<{place}}{last_day:%b}"
    return text


def _level(count: int) -> int:
    return sum(count >= least for least in LEAST_OF_LEVELS) - 1


def _choose_levels(view: ListView) -> str:
    return ASCII_LEVELS if view.signs is ASCII_SIGNS else LEVELS


def _write_day(day: date, shown: Mapping[date, int], view: ListView, cell: int) -> Piece:
    level = _level(shown.get(day, 0))
    sign = _choose_levels(view)[level]
    return Piece(sign * cell if level else f"{sign:<{cell}}", ROLES[level])


def _join_same_roles(pieces: Line) -> Line:
    """Join neighbours of one role, so that a map has few escape sequences."""
    joined: Line = []
    for piece in pieces:
        if joined and joined[-1].role == piece.role:
            joined[-1] = Piece(joined[-1].text + piece.text, piece.role)
        else:
            joined.append(piece)
    return joined


def _write_legend(view: ListView, legend: Sequence[str], width: int) -> list[Line]:
    """Return what the signs mean, on as many lines as it takes."""
    lines: list[Line] = [[Piece(" " * LABEL_CELLS)]]
    room = width - LABEL_CELLS
    for sign, words, role in zip(_choose_levels(view), legend, ROLES, strict=True):
        cells = len(sign) + 1 + len(words)
        if cells > room:
            lines.append([Piece(" " * LABEL_CELLS)])
            room = width - LABEL_CELLS
        lines[-1] += [Piece(sign, role), Piece(f" {words}  ", "grey")]
        room -= cells + 2
    return lines

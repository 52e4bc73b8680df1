"""Bars and sparklines out of block characters, with a plain form for terminals that cannot show them."""

from __future__ import annotations

from collections.abc import Sequence

from todo_cli.cli.render.cells import measure, split_at
from todo_cli.cli.render.colors import Line, Piece
from todo_cli.cli.render.signs import ASCII_SIGNS, Signs

EIGHTHS = " ▏▎▍▌▋▊▉█"
HEIGHTS = " ▁▂▃▄▅▆▇█"
FULL, EMPTY = "█", "░"
ASCII_FULL, ASCII_EMPTY = "#", "."


def draw_bar(share: float, cells: int, signs: Signs, *, filled: bool = False) -> str:
    """Return a bar of `share` of the cells, to an eighth of a cell; `filled` draws the rest of them too."""
    share = min(max(share, 0.0), 1.0)
    if signs is ASCII_SIGNS:
        full = round(share * cells)
        return ASCII_FULL * full + (ASCII_EMPTY * (cells - full) if filled else "")
    eighths = round(share * cells * 8)
    bar = FULL * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")
    return bar + EMPTY * (cells - len(bar)) if filled else bar


def draw_sparkline(values: Sequence[float], signs: Signs) -> str:
    """Return a character for each value, as high as its share of the largest; digits where there are no blocks."""
    most = max(values, default=0) or 1
    if signs is ASCII_SIGNS:
        return "".join(str(round(value / most * 9)) for value in values)
    return "".join(HEIGHTS[max(1, round(value / most * 8))] for value in values)


def draw_column(eighths: int, signs: Signs) -> str:
    """Return one cell of a column that is filled from below by so many eighths."""
    eighths = min(max(eighths, 0), 8)
    if signs is ASCII_SIGNS:
        return ASCII_FULL if eighths >= 4 else " "
    return HEIGHTS[eighths]


def join_edges(left: Line, right: Line, width: int) -> Line:
    """Return a line with its right part at the edge; without the right part if it does not fit."""
    used = measure_line(left) + measure_line(right)
    return [*left, Piece(" " * (width - used)), *right] if used + 1 < width else left


def measure_line(line: Line) -> int:
    """Return the cells of a line."""
    return sum(measure(piece.text) for piece in line)


def fit_line(line: Line, width: int) -> Line:
    """Return as much of the line as fits."""
    fitted: Line = []
    for piece in line:
        text, rest = split_at(piece.text, width)
        fitted.append(piece._replace(text=text))
        width -= measure(text)
        if rest:
            break
    return fitted


def put_beside(left: Sequence[Line], right: Sequence[Line], left_cells: int, gap: int) -> list[Line]:
    """Return two blocks of lines side by side."""
    rows = []
    for place in range(max(len(left), len(right))):
        first = left[place] if place < len(left) else []
        second = right[place] if place < len(right) else []
        rows.append([*first, Piece(" " * (left_cells + gap - measure_line(first))), *second])
    return rows

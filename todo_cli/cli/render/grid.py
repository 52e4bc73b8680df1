"""Lay out any other table for a terminal: columns that fit the width, or stacked lines where they cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from todo_cli.cli.render.cells import longest_word, measure, pad, wrap_words
from todo_cli.cli.render.colors import Line, Piece
from todo_cli.cli.render.escape import escape

GAP = "  "
MIN_COLUMN_CELLS = 10


def format_grid(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[Line]:
    """Return the lines of the table. Long cells wrap between words, and no line is wider than `width`."""
    cells = [[escape(cell) for cell in row] for row in rows]
    used = [index for index in range(len(headings)) if any(row[index] for row in cells)]
    cells = [[row[index] for index in used] for row in cells]
    titles = [headings[index] for index in used]
    widths = _fit_widths([titles, *cells], width)
    if widths is None:
        return [line for row in cells for line in _stack(titles, row, width)]
    numeric = [
        all(row[index].replace(",", "").isdigit() or not row[index] for row in cells) for index in range(len(used))
    ]
    lines = [[piece._replace(role="grey") for piece in line] for line in _lay_out(titles, widths, numeric)]
    return lines + [line for row in cells for line in _lay_out(row, widths, numeric)]


def _fit_widths(rows: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """Return the widths of the columns; the one with the most room gives way first. None if they cannot fit."""
    columns = list(zip(*rows, strict=True))
    full = [max(measure(cell) for cell in column) for column in columns]
    least = [
        max(min(MIN_COLUMN_CELLS, cells), *(longest_word(cell) for cell in column))
        for cells, column in zip(full, columns, strict=True)
    ]
    room = width - len(GAP) * (len(columns) - 1)
    if sum(least) > room:
        return None
    while sum(full) > room:
        widest = max(range(len(full)), key=lambda index: full[index] - least[index])
        full[widest] -= 1
    return full


def _lay_out(row: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> Iterator[Line]:
    """Yield the lines of one row."""
    columns = [
        wrap_words(cell, cells) if measure(cell) > cells else [cell] for cell, cells in zip(row, widths, strict=True)
    ]
    for index in range(max(map(len, columns))):
        texts = [lines[index] if index < len(lines) else "" for lines in columns]
        padded = (
            pad(text, cells, "right" if is_number else "left")
            for text, cells, is_number in zip(texts, widths, numeric, strict=True)
        )
        yield [Piece(GAP.join(padded))]


def _stack(headings: Sequence[str], row: Sequence[str], width: int) -> Iterator[Line]:
    """Yield the first cell with a heading on a line of its own, and the others below with their headings."""
    first = next((index for index, heading in enumerate(headings) if heading), 0)
    pairs = list(zip(headings, row, strict=True))[first + 1 :]
    facts = ", ".join(f"{heading.lower()} {cell}".strip() for heading, cell in pairs if cell)
    yield from ([Piece(line)] for line in wrap_words(" ".join(row[: first + 1]), width))
    yield from ([Piece(GAP), Piece(line, "grey")] for line in wrap_words(facts, width - len(GAP)) if line)

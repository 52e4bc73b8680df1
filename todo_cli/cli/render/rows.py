"""Print rows: as a table on a terminal, tab-separated in a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.session import Session

Cell = str | datetime


def print_rows(session: Session, headings: Sequence[str], rows: Sequence[Sequence[Cell]], *, nothing: str) -> None:
    """Print the rows; a pipe gets no headings. A terminal gets `nothing` if there are no rows.

    An instant is printed as an age or a day on a terminal, and as in JSON in a pipe.
    """
    if session.is_terminal and not rows:
        text.note(nothing)
    elif session.is_terminal:
        from todo_cli.cli.render.cells import read_width
        from todo_cli.cli.render.grid import format_grid
        from todo_cli.cli.render.pager import print_screen

        now, absolute = session.local_now(), session.absolute_dates
        cells = [[_format_for_terminal(cell, now, absolute=absolute) for cell in row] for row in rows]
        print_screen(session, format_grid(headings, cells, read_width()))
    else:
        for row in rows:
            text.write("\t".join(escape(_format_for_pipe(cell)) for cell in row))


def _format_for_terminal(cell: Cell, now: datetime, *, absolute: bool) -> str:
    if isinstance(cell, str):
        return cell
    return text.format_age(cell, now, absolute=absolute) if cell <= now else f"{cell.astimezone(now.tzinfo):%Y-%m-%d}"


def _format_for_pipe(cell: Cell) -> str:
    return cell if isinstance(cell, str) else text.format_instant(cell)

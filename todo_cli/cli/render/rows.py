"""Print rows: as a table on a terminal, tab-separated in a pipe."""

from __future__ import annotations

from collections.abc import Sequence

from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.session import Session


def print_rows(session: Session, headings: Sequence[str], rows: Sequence[Sequence[str]], *, nothing: str) -> None:
    """Print the rows; a pipe gets no headings. A terminal gets `nothing` if there are no rows."""
    if session.is_terminal and not rows:
        text.note(nothing)
    elif session.is_terminal:
        from todo_cli.cli.render.cells import read_width
        from todo_cli.cli.render.grid import format_grid
        from todo_cli.cli.render.pager import print_screen

        print_screen(session, format_grid(headings, rows, read_width()))
    else:
        for row in rows:
            text.write("\t".join(escape(cell) for cell in row))

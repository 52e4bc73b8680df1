"""Print rows: as a table on a terminal, tab-separated in a pipe."""

from __future__ import annotations

from collections.abc import Sequence

from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.session import Session


def print_rows(session: Session, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print the rows; a pipe gets no headings."""
    if session.is_terminal:
        from todo_cli.cli.render import table

        table.print_grid(headings, rows, colored=session.use_color)
        return
    for row in rows:
        text.write("\t".join(escape(cell) for cell in row))

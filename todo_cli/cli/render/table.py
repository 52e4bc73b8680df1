"""Print tables on a terminal, with rich."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from todo_cli.cli.render.escape import escape

PRIORITY_STYLES = {1: "bold red", 2: "yellow", 3: "blue"}


def open_console(*, colored: bool) -> Console:
    """Return a console for stdout that takes no text for markup."""
    return Console(
        no_color=not colored,
        force_terminal=True if colored else None,
        markup=False,
        highlight=False,
        emoji=False,
    )


def print_grid(headings: Sequence[str], rows: Sequence[Sequence[str]], *, colored: bool) -> None:
    """Print any other table; its cells are escaped."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(escape(cell)) for cell in row))
    open_console(colored=colored).print(table)

"""Print tables on a terminal, with rich."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.text import format_due, is_overdue
from todo_cli.contract.tasks import Task

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


def print_tasks(rows: Sequence[Task], zone: tzinfo | None, now: datetime, *, colored: bool) -> None:
    """Print a table of tasks that fits the terminal's width. Long titles wrap; unimportant columns give way first."""
    out = open_console(colored=colored)
    columns = {"#": [str(task.number) for task in rows], "Title": [escape(task.title) for task in rows]}
    for name in OPTIONAL_COLUMNS:
        cells = [escape(_cell(task, name, zone, now)) for task in rows]
        if any(cells):
            columns[name] = cells
    widths = _fit_columns(columns, out.width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    for name, width in widths.items():
        table.add_column(name, width=width, overflow="fold", justify="right" if name == "#" else "left")
    for index, task in enumerate(rows):
        styles = {name: _style(task, name, zone, now) for name in widths}
        table.add_row(*(Text(columns[name][index], style=styles[name]) for name in widths))
    out.print(table)


OPTIONAL_COLUMNS = ("Due", "P", "Project", "Tags", "Status")
DROPPED_COLUMNS = ("Tags", "Status", "Project")
"""Left out in this order on a narrow terminal."""
GAP_COLUMNS = 2
MAX_CELL_COLUMNS = 24
TITLE_SHARE = 0.45


def _fit_columns(columns: dict[str, list[str]], width: int) -> dict[str, int]:
    """Return the widths of the columns to show. No column but the title is narrower than its longest word."""
    full = {name: max(cell_len(text) for text in (name, *cells)) for name, cells in columns.items()}
    least = {name: min(_longest_word(name, *cells), MAX_CELL_COLUMNS) for name, cells in columns.items()}
    least |= {name: full[name] for name in ("#", "Due", "P") if name in full}
    least["Title"] = min(full["Title"], int(width * TITLE_SHARE))
    for name in DROPPED_COLUMNS:
        if _room(least, width) < 0:
            least.pop(name, None)
    least["Title"] = max(least["Title"] + min(_room(least, width), 0), 1)
    room = max(_room(least, width), 0)
    widths = {}
    for name, minimum in least.items():
        widths[name] = min(full[name], minimum + room)
        room -= widths[name] - minimum
    return widths


def _room(widths: dict[str, int], width: int) -> int:
    return width - sum(widths.values()) - GAP_COLUMNS * (len(widths) - 1)


def _longest_word(*texts: str) -> int:
    return max(cell_len(word) for text in texts for word in text.split() or [""])


def _cell(task: Task, column: str, zone: tzinfo | None, now: datetime) -> str:
    match column:
        case "Due":
            return format_due(task.due, zone, now) if task.due else ""
        case "P":
            return f"p{task.priority}" if task.priority else ""
        case "Project":
            return task.project or ""
        case "Tags":
            return " ".join(f"@{tag}" for tag in task.tags)
        case _:
            return _marks(task, zone, now) if task.status == "open" else task.status


def _marks(task: Task, zone: tzinfo | None, now: datetime) -> str:
    marks = {
        "started": task.started_at,
        "blocked": task.blocked,
        "recurs": task.repeat,
        "deferred": task.defer and not is_overdue(task.defer, zone, now),
        "claimed": task.claimed_until and task.claimed_until > now,
    }
    return " ".join(name for name, value in marks.items() if value)


def _style(task: Task, column: str, zone: tzinfo | None, now: datetime) -> str:
    if column == "Title":
        return "" if task.status == "open" else "dim strike"
    if column == "P":
        return PRIORITY_STYLES.get(task.priority or 0, "")
    if column == "Due" and task.due and task.status == "open" and is_overdue(task.due, zone, now):
        return "bold red"
    return {"#": "cyan", "Project": "magenta", "Tags": "green", "Status": "dim"}.get(column, "")


def print_grid(headings: Sequence[str], rows: Sequence[Sequence[str]], *, colored: bool) -> None:
    """Print any other table; its cells are escaped."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(escape(cell)) for cell in row))
    open_console(colored=colored).print(table)

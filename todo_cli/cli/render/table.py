"""Print tables on a terminal, with rich."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from rich import box
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
    """Print a table of tasks that fits the terminal's width; long titles wrap."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    table.add_column("#", justify="right", style="cyan", no_wrap=True)
    shown = [column for column in _COLUMNS if any(_cell(task, column, zone, now) for task in rows)]
    table.add_column("Title", ratio=1, overflow="fold")
    out = open_console(colored=colored)
    max_width = min(24, max(10, out.width // 7))  # keep room for the title
    for column in shown:
        short = column in ("P", "Due")
        table.add_column(column, no_wrap=short, overflow="fold", max_width=24 if short else max_width)
    for task in rows:
        title = Text(escape(task.title), style="" if task.status == "open" else "dim strike")
        table.add_row(str(task.number), title, *(_text(task, column, zone, now) for column in shown))
    out.print(table)


_COLUMNS = ("Due", "P", "Project", "Tags", "Status")


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


def _text(task: Task, column: str, zone: tzinfo | None, now: datetime) -> Text:
    style = {"Project": "magenta", "Tags": "green", "Status": "dim"}.get(column, "")
    if column == "P":
        style = PRIORITY_STYLES.get(task.priority or 0, "")
    if column == "Due" and task.due and task.status == "open" and is_overdue(task.due, zone, now):
        style = "bold red"
    return Text(escape(_cell(task, column, zone, now)), style=style)


def print_grid(headings: Sequence[str], rows: Sequence[Sequence[str]], *, colored: bool) -> None:
    """Print any other table; its cells are escaped."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(escape(cell)) for cell in row))
    open_console(colored=colored).print(table)

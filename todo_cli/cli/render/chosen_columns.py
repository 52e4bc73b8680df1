"""Lists with chosen columns (`--columns`): a table with a head line on a terminal, tab-separated values in a pipe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from todo_cli.cli.render.cells import cut, measure, pad
from todo_cli.cli.render.colors import Line, Piece, Role
from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.task_rows import ListRow, RowGroup, make_groups
from todo_cli.cli.render.text import describe_repeat, format_age, format_due, format_duration, format_instant
from todo_cli.contract.tasks import Task

GAP = "  "
NARROW_COLUMNS = ("number", "priority", "mark")
"""The columns that have one blank behind them, as in a list."""
RIGHT_ALIGNED_COLUMNS = ("number", "urgency", "parent", "rev", "worked", "subtasks")
MIN_TITLE_CELLS = 8
MIN_CELLS = 4
HEADINGS = {"number": "#", "priority": "", "mark": ""}


class Column(NamedTuple):
    """A column with its cell for each row."""

    name: str
    heading: str
    cells: Sequence[Piece]
    is_right: bool = False


def format_chosen_columns(tasks: Sequence[Task], view: ListView, width: int, names: Sequence[str]) -> list[Line]:
    """Return the lines of the table: the named columns in their order, below their headings."""
    groups = make_groups(tasks, view)
    by_number = {str(task.number): task for task in tasks}
    rows = [(row, by_number[row.number]) for group in groups for row in group.rows]
    columns = [make_column(name, rows, view) for name in names]
    return lay_out_table(columns, groups, view, width)


def lay_out_table(columns: Sequence[Column], groups: Sequence[RowGroup], view: ListView, width: int) -> list[Line]:
    """Return the head line and the rows. Columns that are too wide are cut, the title first."""
    widths = _fit_widths(columns, width)
    heads = [Piece(column.heading, "grey") for column in columns]
    lines = [_lay_out_row(heads, columns, widths, view, width)]
    place = 0
    for group in groups:
        if group.heading:
            lines += [[], [Piece(cut(group.heading, width, view.signs.ellipsis), "heading")]]
        for _ in group.rows:
            cells = [column.cells[place] for column in columns]
            lines.append(_lay_out_row(cells, columns, widths, view, width))
            place += 1
    return lines


def make_column(name: str, rows: Sequence[tuple[ListRow, Task]], view: ListView) -> Column:
    """Return a column of --columns by its name."""
    cells = [_make_cell(name, row, task, view) for row, task in rows]
    return Column(name, HEADINGS.get(name, name.capitalize()), cells, name in RIGHT_ALIGNED_COLUMNS)


def _make_cell(name: str, row: ListRow, task: Task, view: ListView) -> Piece:
    match name:
        case "number":
            return Piece(row.number, "grey")
        case "priority":
            return Piece(row.priority, row.priority_role)
        case "mark":
            return Piece(row.mark, row.mark_role)
        case "title":
            return Piece(row.branch + row.title + row.suffix, row.title_role)
        case "due":
            return Piece(row.due, row.due_role)
        case "project":
            return Piece(row.project, "project")
        case "tags":
            return Piece(" ".join(row.tags), "tag")
    return Piece(escape(_format_value(name, task, view)), _STATUS_ROLES.get(task.status, ""))


_STATUS_ROLES: dict[str, Role] = {"done": "grey", "deleted": "grey"}


def _format_value(name: str, task: Task, view: ListView) -> str:
    """Return a rare field as people read it."""
    value = _VALUES[name](task)
    if value in (None, "", 0, ()):
        return ""
    if isinstance(value, datetime):
        return format_age(value, view.now, view.zone, absolute=view.absolute)
    match name:
        case "defer" | "scheduled":
            return format_due(str(value), view.zone, view.now, absolute=view.absolute)
        case "repeat":
            return describe_repeat(task.repeat, view.zone) if task.repeat else ""
        case "worked":
            return format_duration(task.tracked)
        case "urgency":
            return f"{value:.1f}"
    return _join_value(value)


def _join_value(value: object) -> str:
    return " ".join(f"#{number}" for number in value) if isinstance(value, tuple) else str(value)


def _name_mark(task: Task) -> str:
    return "started" if task.started_at else "blocked" if task.blocked is True else ""


def _count_subtasks(task: Task) -> str:
    total = (task.subtasks or 0) + (task.subtasks_done or 0)
    return f"{task.subtasks_done or 0}/{total}" if total else ""


_VALUES: dict[str, Callable[[Task], object]] = {
    "number": lambda task: task.number,
    "status": lambda task: task.status,
    "mark": _name_mark,
    "priority": lambda task: f"p{task.priority}" if task.priority else "",
    "due": lambda task: task.due,
    "project": lambda task: task.project,
    "tags": lambda task: ",".join(task.tags),
    "title": lambda task: task.title,
    "urgency": lambda task: task.urgency if isinstance(task.urgency, float) else None,
    "added": lambda task: task.created_at,
    "changed": lambda task: task.updated_at,
    "done": lambda task: task.completed_at,
    "started": lambda task: task.started_at,
    "defer": lambda task: task.defer,
    "scheduled": lambda task: task.scheduled,
    "parent": lambda task: task.parent,
    "subtasks": _count_subtasks,
    "after": lambda task: task.after,
    "repeat": lambda task: task.repeat.rule if task.repeat else None,
    "worked": lambda task: task.tracked,
    "claimed": lambda task: task.claimed_by,
    "assigned": lambda task: task.assigned_to,
    "rev": lambda task: task.rev,
    "id": lambda task: task.id,
}
"""Name -> the value of a field, for the columns that a pipe has too."""


def format_pipe_row(task: Task, names: Sequence[str]) -> str:
    """Return the values of the named columns, separated by tabs: dates as in JSON, durations in seconds."""
    return "\t".join(escape(_format_for_pipe(_VALUES[name](task))) for name in names)


def _format_for_pipe(value: object) -> str:
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


def _fit_widths(columns: Sequence[Column], width: int) -> list[int]:
    """Return the widths of the columns: the title gives way first, then the widest."""
    widths = [max([measure(column.heading), *(measure(cell.text) for cell in column.cells)]) for column in columns]
    room = width - 1 - sum(len(_gap_before(columns, place)) for place in range(1, len(columns)))
    for place, column in enumerate(columns):
        if column.name == "title":
            least = min(widths[place], MIN_TITLE_CELLS)
            widths[place] = max(least, widths[place] - max(0, sum(widths) - room))
    while sum(widths) > room and max(widths) > MIN_CELLS:
        widths[widths.index(max(widths))] -= 1
    return widths


def _gap_before(columns: Sequence[Column], place: int) -> str:
    return " " if columns[place - 1].name in NARROW_COLUMNS else GAP


def _lay_out_row(
    cells: Sequence[Piece], columns: Sequence[Column], widths: Sequence[int], view: ListView, width: int
) -> Line:
    """Return one row; what does not fit behind the last cells that do is left out."""
    line, used = [Piece(" ")], 1
    for place, (cell, column, cell_width) in enumerate(zip(cells, columns, widths, strict=True)):
        gap = _gap_before(columns, place) if place else ""
        used += len(gap) + cell_width
        if used > width:
            break
        text = pad(cut(cell.text, cell_width, view.signs.ellipsis), cell_width, "right" if column.is_right else "left")
        line += [Piece(gap), Piece(text, cell.role)]
    return line

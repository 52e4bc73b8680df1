"""Lay out projects and tags: their numbers of tasks, a bar of what is done, and the next due date."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from todo_cli.cli.render.bars import draw_bar, fit_line
from todo_cli.cli.render.cells import cut, measure, pad
from todo_cli.cli.render.colors import Line, Piece, Role
from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.stats_screen import choose_bar_cells
from todo_cli.cli.render.text import format_due, is_due_today, is_overdue
from todo_cli.contract.views import NameCount

GAP = "  "
MIN_NAME_CELLS = 10
SEPARATORS = (".", "/")
DROPPED_FIRST = ("Next due", "Done", "bar", "Overdue", "share")
"""The columns that give way on a narrow terminal, in this order."""


class NumberColumn(NamedTuple):
    """A column behind the names."""

    name: str
    heading: str
    cells: Sequence[Piece]

    @property
    def width(self) -> int:
        """Return the cells of the widest text."""
        return max(measure(self.heading), *(measure(cell.text) for cell in self.cells))


def format_names(
    counts: Sequence[NameCount], heading: str, view: ListView, width: int, *, with_bars: bool
) -> list[Line]:
    """Return the table. A project stands below its parent if both are shown."""
    names = list(_name_rows(counts)) if with_bars else [escape(count.name) for count in counts]
    columns = _make_columns(counts, view, choose_bar_cells(width) if with_bars else 0, with_share=with_bars)
    name_cells = max(measure(heading), *map(measure, names))
    columns, name_cells = _fit_columns(columns, name_cells, width)
    heads: Line = [Piece(pad(heading, name_cells), "grey")]
    heads += [Piece(GAP + pad(column.heading, column.width, "right"), "grey") for column in columns]
    lines = [heads]
    for place, name in enumerate(names):
        line: Line = [Piece(pad(cut(name, name_cells, view.signs.ellipsis), name_cells))]
        for column in columns:
            cell = column.cells[place]
            text = cell.text if column.name == "bar" else pad(cell.text, column.width, "right")
            line += [Piece(GAP), Piece(text, cell.role)]
        lines.append(line)
    return [fit_line(line, width) for line in lines]


def add_totals(counts: Sequence[NameCount]) -> list[NameCount]:
    """Return the counts with those of the projects below added to each project."""
    return [_add_parts(count, [other for other in counts if _is_below(other.name, count.name)]) for count in counts]


def _add_parts(count: NameCount, parts: Sequence[NameCount]) -> NameCount:
    every = [count, *parts]
    dates = [part.next_due for part in every if part.next_due]
    return replace(
        count,
        tasks=sum(part.tasks for part in every),
        done=sum(part.done or 0 for part in every),
        overdue=sum(part.overdue or 0 for part in every),
        next_due=min(dates, key=_find_end, default=None),
    )


def _find_end(due: str) -> str:
    """Return a key by which a day without a time counts from its end."""
    return due if "T" in due else f"{due}T24"


def _is_below(name: str, parent: str) -> bool:
    return any(name.startswith(parent + separator) for separator in SEPARATORS)


def _name_rows(counts: Sequence[NameCount]) -> Iterator[str]:
    """Yield the names; that of a project whose parent is shown is its last part, indented by its depth."""
    names = {count.name for count in counts}
    for count in counts:
        parents = [parent for parent in names if _is_below(count.name, parent)]
        if not parents:
            yield escape(count.name)
            continue
        nearest = max(parents, key=len)
        yield "  " * len(parents) + escape(count.name[len(nearest) + 1 :])


def _make_columns(
    counts: Sequence[NameCount], view: ListView, bar_cells: int, *, with_share: bool
) -> list[NumberColumn]:
    shares = [_find_share(count) for count in counts]
    bars = [Piece(draw_bar(share, bar_cells, view.signs, filled=True), "added") for share in shares]
    columns = [
        NumberColumn("Open", "Open", [_write_count(count.tasks, view) for count in counts]),
        NumberColumn("Overdue", "Overdue", [_write_count(count.overdue or 0, view, "overdue") for count in counts]),
        NumberColumn("Done", "Done", [_write_count(count.done or 0, view) for count in counts]),
    ]
    if bar_cells:
        columns.append(NumberColumn("bar", "", bars))
    if with_share:
        columns.append(NumberColumn("share", "", [Piece(f"{int(share * 100)} %", "grey") for share in shares]))
    return [
        *columns,
        NumberColumn("Next due", "Next due", [_write_due(count.next_due or "", view) for count in counts]),
    ]


def _find_share(count: NameCount) -> float:
    done = count.done or 0
    return done / (done + count.tasks) if done else 0.0


def _write_count(number: int, view: ListView, role: Role = "") -> Piece:
    return Piece(f"{number:,}", role) if number else Piece(view.signs.dot, "grey")


def _write_due(due: str, view: ListView) -> Piece:
    if not due:
        return Piece("")
    role: Role = "today" if is_due_today(due, view.zone, view.now) else ""
    role = "overdue" if is_overdue(due, view.zone, view.now) else role
    return Piece(format_due(due, view.zone, view.now, absolute=view.absolute), role)


def _fit_columns(columns: list[NumberColumn], name_cells: int, width: int) -> tuple[list[NumberColumn], int]:
    """Leave out columns until the names have their least width, and return them with the width of the names."""

    def name_room() -> int:
        return width - sum(column.width + len(GAP) for column in columns)

    for dropped in DROPPED_FIRST:
        if name_room() >= min(name_cells, MIN_NAME_CELLS):
            break
        columns = [column for column in columns if column.name != dropped]
    return columns, max(1, min(name_cells, name_room()))

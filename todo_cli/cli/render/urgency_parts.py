"""Explain the order of `todo next`: the urgency of each task, and the parts that make it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter

from todo_cli.cli.render.cells import cut, wrap_hanging
from todo_cli.cli.render.chosen_columns import Column, lay_out_table, make_column
from todo_cli.cli.render.colors import Line, Piece
from todo_cli.cli.render.list_columns import MIN_FACTS_WIDTH, MIN_ONE_LINE_WIDTH, format_rows, measure_lead
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.task_rows import ListRow, make_groups
from todo_cli.contract.tasks import Task, TaskPage

MIN_SHOWN_PART = 0.05
"""Smaller parts would be shown as 0.0."""
STACKED_INDENT_CELLS = 4
MIN_ALIGNED_WIDTH = 32
"""In cells; on a narrower terminal the parts do not stand below each other."""
NO_BREAK = "\x00"
"""Stands for a blank at which no line ends; a text that is shown never has it."""
EXPLAINED_COLUMNS = ("number", "priority", "mark", "title", "due", "project", "urgency")

ExplainedRow = tuple[ListRow, Task]


def format_explained(page: TaskPage, view: ListView, width: int) -> list[Line]:
    """Return the list with the parts of each urgency: as columns where there is room, else below each task."""
    groups = make_groups(page.tasks, view)
    by_number = {str(task.number): task for task in page.tasks}
    rows = [(row, by_number[row.number]) for group in groups for row in group.rows]
    if width >= MIN_FACTS_WIDTH:
        columns = [make_column(name, rows, view) for name in EXPLAINED_COLUMNS]
        columns = [column for column in columns if any(cell.text for cell in column.cells)]
        return lay_out_table([*columns, *_make_part_columns(rows)], groups, view, width)
    lines, list_rows = [_write_heading(page, view, width)], [row for row, _ in rows]
    indent = measure_lead(list_rows) if width >= MIN_ONE_LINE_WIDTH else STACKED_INDENT_CELLS
    for (_, task), row_lines in zip(rows, format_rows(list_rows, view, width), strict=True):
        lines += [*row_lines, *_write_parts(task, indent, width)]
    return lines


def _write_heading(page: TaskPage, view: ListView, width: int) -> Line:
    """Return `Next · 3 of 9 that wait for nothing`."""
    total = f" of {page.total:,}" if page.total else ""
    text = f" {view.signs.dot} {len(page.tasks):,}{total} that wait for nothing"
    return [Piece("Next", "heading"), Piece(cut(text, width - len("Next"), view.signs.ellipsis), "grey")]


def _list_parts(task: Task) -> list[tuple[str, float]]:
    """Return the parts that are shown, the largest first and the negative ones last."""
    parts = task.parts if isinstance(task.parts, dict) else {}
    shown = [(name, value) for name, value in parts.items() if abs(value) >= MIN_SHOWN_PART]
    return sorted(shown, key=itemgetter(1), reverse=True)


def _write_parts(task: Task, indent: int, width: int) -> Iterator[Line]:
    """Yield `19.6 = due 8.7 + priority 6.0 - blocked 5.0`, wrapped between the parts."""
    total = f"{task.urgency:.1f}" if isinstance(task.urgency, float) else ""
    if not _list_parts(task):
        yield [Piece(" " * indent), Piece(total)]
        return
    parts = [f"{name}{NO_BREAK}{abs(value):.1f}{_name_reason(task, name)}" for name, value in _list_parts(task)]
    signs = ["-" if value < 0 else "+" for _, value in _list_parts(task)]
    text = " ".join(f"{sign}{NO_BREAK}{part}" for sign, part in zip(signs, parts, strict=True))
    text = text if text.startswith("-") else text.removeprefix(f"+{NO_BREAK}")
    behind = indent if width < MIN_ALIGNED_WIDTH else indent + len(total) + 1
    first, *others = wrap_hanging(f"={NO_BREAK}{text}", width - indent - len(total) - 1, width - behind)
    yield [Piece(" " * indent), Piece(total), Piece(f" {first.replace(NO_BREAK, ' ')}".rstrip(), "grey")]
    yield from ([Piece(" " * behind), Piece(other.replace(NO_BREAK, " "), "grey")] for other in others)


def _name_reason(task: Task, name: str) -> str:
    """Return the tasks that wait for this one, which are the reason of `blocking`."""
    if name != "blocking" or not task.links:
        return ""
    return f"{NO_BREAK}({NO_BREAK.join(f'#{blocked.number}' for blocked in task.links.blocked)})"


def _make_part_columns(rows: Sequence[ExplainedRow]) -> Iterator[Column]:
    """Yield a column for each part that a task has, in the order of their largest values."""
    parts = [dict(_list_parts(task)) for _, task in rows]
    names = {name for part in parts for name in part}
    for name in sorted(names, key=lambda name: (-max(part.get(name, 0) for part in parts), name)):
        cells = [Piece(f"{part[name]:.1f}" if name in part else "", "grey") for part in parts]
        yield Column(f"part {name}", name, cells, is_right=True)

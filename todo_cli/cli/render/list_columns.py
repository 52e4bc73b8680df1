"""Lay out a list of tasks for a terminal: columns, one line a task, or stacked lines, by the width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from todo_cli.cli.render.bars import measure_line
from todo_cli.cli.render.cells import MIN_COLUMNS_WIDTH, cut, measure, pad, wrap_words
from todo_cli.cli.render.colors import Line, Piece, Role
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.task_rows import ListRow, make_groups
from todo_cli.contract.tasks import Task

MIN_FACTS_WIDTH = 120
MIN_ONE_LINE_WIDTH = 56
"""The least widths, in cells, of the forms of a list."""

GAP = "  "
MAX_TITLE_CELLS = 80
MAX_STACKED_TITLE_LINES = 2
TITLE_SHARE = 0.45
"""The part of the width that the title gets before the project and the tags."""

COLUMN_CELLS = {"due": 24, "project": 20, "tags": 24, "assignee": 20, "facts": 36, "urgency": 8}
"""The columns behind the title, and the most cells that each takes."""
SHRUNK_CELLS = 10
STEPS_TO_WHOLE_TITLE = (("shrink", "tags"), ("drop", "facts"))
STEPS_TO_LEAST_TITLE = (("shrink", "project"), ("drop", "tags"), ("drop", "assignee"), ("drop", "project"))
"""How columns give way, in this order: they shrink to ten cells, or they are left out. The first steps are taken until
each title is whole, the others until the titles have their least width."""
COLUMN_ROLES: dict[str, Role] = {"project": "project", "tags": "tag"}


def format_tasks(tasks: Sequence[Task], view: ListView, width: int) -> list[Line]:
    """Return the lines of the list; none is wider than `width`."""
    groups = make_groups(tasks, view)
    row_lines = format_rows([row for group in groups for row in group.rows], view, width)
    lines: list[Line] = []
    for group in groups:
        if group.heading:
            lines += [*([[]] if lines else []), format_heading(group.heading, len(group.rows), view, width)]
        lines += (line for _ in group.rows for line in next(row_lines))
    return lines


def format_heading(name: str, count: int, view: ListView, width: int) -> Line:
    """Return `Overdue · 3`, with the name in bold."""
    behind = f" {view.signs.dot} {count:,}"
    if view.group == "day" and measure(name) + len(behind) > width:
        name = name.partition(f" {view.signs.dot} ")[0]  # `Today`, without its date
    return [Piece(cut(name, max(1, width - len(behind)), view.signs.ellipsis), "heading"), Piece(behind, "grey")]


def format_rows(rows: Sequence[ListRow], view: ListView, width: int) -> Iterator[list[Line]]:
    """Yield the lines of each row, in the form for the width."""
    return _lay_out_columns(rows, view, width) if width >= MIN_COLUMNS_WIDTH else format_lines(rows, view, width)


def format_lines(rows: Sequence[ListRow], view: ListView, width: int) -> Iterator[list[Line]]:
    """Yield the lines of each row, in the form of a narrower terminal also where there is room for columns."""
    return _lay_out_lines(rows, view, width) if width >= MIN_ONE_LINE_WIDTH else _lay_out_stacked(rows, view, width)


def measure_lead(rows: Sequence[ListRow]) -> int:
    """Return the cells before the titles, except in the stacked form."""
    return _measure_lead(rows).cells


class _Lead(NamedTuple):
    """The cells of what stands before the title: the widths of number, priority and mark, 0 where no row has any."""

    number: int
    priority: int
    mark: int

    @property
    def cells(self) -> int:
        return 2 + self.number + sum(width + 1 for width in (self.priority, self.mark) if width)

    def write(self, row: ListRow) -> Line:
        """Return the pieces before the row's title."""
        line = [Piece(f" {pad(row.number, self.number, 'right')} ", "grey")]
        if self.priority:
            line.append(Piece(pad(row.priority, self.priority + 1), row.priority_role))
        if self.mark:
            line.append(Piece(pad(row.mark, self.mark + 1), row.mark_role))
        return line

    def write_blank(self) -> Line:
        """Return as many blanks, for the further lines of a title."""
        return [Piece(" " * self.cells)]


def _measure_lead(rows: Sequence[ListRow]) -> _Lead:
    return _Lead(
        number=max([2, *(measure(row.number) for row in rows)]),
        priority=max((measure(row.priority) for row in rows), default=0),
        mark=max((measure(row.mark) for row in rows), default=0),
    )


def _lay_out_columns(rows: Sequence[ListRow], view: ListView, width: int) -> Iterator[list[Line]]:
    lead = _measure_lead(rows)
    widths = _measure_columns(rows, width)
    titles = (measure(row.branch) + measure(row.title) + measure(row.suffix) for row in rows)
    longest = max((min(cells, MAX_TITLE_CELLS) for cells in titles), default=0)
    title = _fit_columns(widths, longest, width - lead.cells, least=min(longest, int(width * TITLE_SHARE)))
    for row in rows:
        first, *others = _write_title(row, view, title)
        line = [*lead.write(row), *first, Piece(" " * (title - measure_line(first)))]
        for name, cells in widths.items():
            line += [Piece(GAP), _write_cell(row, name, cells, view)]
        yield [line, *([*lead.write_blank(), *other] for other in others)]


def _measure_columns(rows: Sequence[ListRow], width: int) -> dict[str, int]:
    """Return the natural widths of the columns that a row fills."""
    names = [name for name in COLUMN_CELLS if name != "facts" or width >= MIN_FACTS_WIDTH]
    full = {name: max((measure(_cell_text(row, name)) for row in rows), default=0) for name in names}
    return {name: min(cells, COLUMN_CELLS[name]) for name, cells in full.items() if cells}


def _fit_columns(widths: dict[str, int], longest: int, room: int, *, least: int) -> int:
    """Shrink and drop columns until the title has the least width, and return the title's width."""

    def title_room() -> int:
        return room - sum(cells + len(GAP) for cells in widths.values())

    steps = [(step, longest) for step in STEPS_TO_WHOLE_TITLE] + [(step, least) for step in STEPS_TO_LEAST_TITLE]
    for (step, name), target in steps:
        missing = target - title_room()
        if missing <= 0 or name not in widths:
            continue
        if step == "drop":
            del widths[name]
        else:
            widths[name] = max(min(SHRUNK_CELLS, widths[name]), widths[name] - missing)
    return max(1, min(longest, title_room()))


def _cell_text(row: ListRow, name: str) -> str:
    return " ".join(row.tags) if name == "tags" else getattr(row, name)


def _write_cell(row: ListRow, name: str, cells: int, view: ListView) -> Piece:
    role = row.due_role if name == "due" else COLUMN_ROLES.get(name, "grey")
    if name == "urgency":
        return Piece(pad(row.urgency, cells, "right"), role)
    text = (
        _fit_tags(row.tags, cells, view) if name == "tags" else cut(_cell_text(row, name), cells, view.signs.ellipsis)
    )
    return Piece(pad(text, cells), role)


def _fit_tags(tags: Sequence[str], cells: int, view: ListView) -> str:
    """Return the tags that fit, and the number of the others: `@phone +2`."""
    for count in range(len(tags), 0, -1):
        rest = f" +{len(tags) - count}" if count < len(tags) else ""
        text = " ".join(tags[:count]) + rest
        if measure(text) <= cells or count == 1:
            return cut(" ".join(tags[:count]), cells - len(rest), view.signs.ellipsis) + rest
    return ""


def _lay_out_lines(rows: Sequence[ListRow], view: ListView, width: int) -> Iterator[list[Line]]:
    """Yield a line per task: project and tags behind the title as far as they fit, the due date at the right edge."""
    lead = _measure_lead(rows)
    due = max((measure(row.due) for row in rows), default=0)
    for row in rows:
        # a row without a due date leaves the room to its title
        edge = [Piece(GAP), Piece(pad(row.due, due, "right"), row.due_role)] if row.due else []
        room = width - lead.cells - measure_line(edge)
        first, *others = _write_title(row, view, room)
        tail = _write_tail(row, room - measure_line(first)) if not others else []
        blanks = Piece(" " * (room - measure_line(first) - measure_line(tail)))
        yield [[*lead.write(row), *first, *tail, blanks, *edge], *([*lead.write_blank(), *other] for other in others)]


def _write_tail(row: ListRow, room: int) -> Line:
    """Return the project, the tags and the assignee, up to the first that does not fit."""
    line: Line = []
    for bit in _list_tail(row):
        gap = " " if line else GAP
        room -= len(gap) + measure(bit.text)
        if room < 0:
            break
        line += [Piece(gap), bit]
    return line


def _list_tail(row: ListRow) -> Line:
    bits = [Piece(row.project, "project"), *(Piece(tag, "tag") for tag in row.tags), Piece(row.assignee, "grey")]
    return [bit for bit in bits if bit.text]


def _write_title(row: ListRow, view: ListView, cells: int) -> list[Line]:
    """Return the title with the tree before it and the signs behind it: on one line, or on several where it wraps."""
    branch = Piece(row.branch, "grey")
    room = max(1, cells - measure(row.branch) - measure(row.suffix))
    lines = wrap_words(row.title, room) if view.wrap_titles else [cut(row.title, room, view.signs.ellipsis)]
    pieces: list[Line] = [[branch, Piece(text, row.title_role)] for text in lines]
    for line in pieces[1:]:
        line[0] = Piece(" " * measure(row.branch))
    pieces[-1].append(Piece(row.suffix, "grey"))
    return pieces


def _lay_out_stacked(rows: Sequence[ListRow], view: ListView, width: int) -> Iterator[list[Line]]:
    """Yield the title on at most two lines, and below it a line of facts."""
    number = _measure_lead(rows).number
    indent = " " * (number + 2)
    for row in rows:
        marks = [(row.priority, row.priority_role), (view.signs.below if row.branch else "", "grey")]
        marks.append((row.mark, row.mark_role))
        lead = [Piece(f" {pad(row.number, number, 'right')} ", "grey")]
        lead += [Piece(f"{text} ", role) for text, role in marks if text]
        titles = _stack_title(row.title, row.suffix, view, width - measure_line(lead), width - len(indent))
        facts = _write_facts(row, width - len(indent))
        yield [
            [*lead, Piece(titles[0], row.title_role)],
            *([Piece(indent), Piece(title, row.title_role)] for title in titles[1:]),
            *([[Piece(indent), *facts]] if facts else []),
        ]


def _stack_title(title: str, suffix: str, view: ListView, first: int, other: int) -> list[str]:
    """Return the title and the signs behind it on lines; the first has another width than the others."""
    head = wrap_words(title, max(1, first))[0]
    rest = title[len(head) :].strip() if title.startswith(head) else " ".join(title.split())[len(head) :].strip()
    if not rest:
        return [head + suffix] if measure(head + suffix) <= first else [head, suffix.strip()]
    lines = wrap_words(rest, other - measure(suffix))
    if len(lines) > MAX_STACKED_TITLE_LINES - 1 and not view.wrap_titles:
        lines = [cut(rest, other - measure(suffix), view.signs.ellipsis)]
    return [head, *lines[:-1], lines[-1] + suffix]


def _write_facts(row: ListRow, room: int) -> Line:
    """Return due date, project, tags and assignee, up to the first that does not fit."""
    due = [Piece(row.due, row.due_role or "grey")] if row.due else []
    line: Line = []
    for bit in [*due, *_list_tail(row)]:
        room -= measure(bit.text) + (1 if line else 0)
        if room < 0:
            break
        line += [Piece(" "), bit] if line else [bit]
    return line

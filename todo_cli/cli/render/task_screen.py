"""Lay out one task for a terminal: its fields and note, the tasks around it, its comments, its history in short."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from todo_cli.cli.render.attachments import format_attachments
from todo_cli.cli.render.bars import measure_line
from todo_cli.cli.render.cells import cut, measure, pad, wrap_line, wrap_words
from todo_cli.cli.render.colors import Line, Piece, Role
from todo_cli.cli.render.comments import format_comments
from todo_cli.cli.render.escape import escape, escape_block
from todo_cli.cli.render.list_columns import MIN_ONE_LINE_WIDTH, format_lines
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.task_details import FieldLine, list_fields
from todo_cli.cli.render.task_history import format_history
from todo_cli.cli.render.task_rows import PRIORITY_ROLES, ListRow, format_due_cell, is_claimed
from todo_cli.cli.render.text import format_full_due
from todo_cli.contract.journal import ChangePage
from todo_cli.contract.task_types import LinkedTask, TaskLinks
from todo_cli.contract.tasks import Task

RenderNote = Callable[[str, int], Sequence[str]]
"""Returns the lines of an escaped Markdown text at a width."""
_MARKDOWN = re.compile(r"^\s*(#{1,6} |[-*+] |\d+\. |> |```)|\*\*\w|`|\[[^\]]+\]\(", re.MULTILINE)
INDENT = "  "
NAME_CELLS = 10
MIN_PAIRS_WIDTH = 72
MAX_PAIRED_CELLS = 20
"""Fields with short values stand side by side from this width on."""
HEADER_FIELDS = ("priority", "subtasks", "after", "id")
"""They stand in the header or in a section, or are in --json alone."""


def format_details(
    task: Task, view: ListView, width: int, history: ChangePage | None = None, *, render_note: RenderNote | None = None
) -> list[Line]:
    """Return the lines of the task; none is wider than `width` but those with an address that is.

    A note with the marks of Markdown is drawn by `render_note`, if it is given.
    """
    lines = [*_format_header(task, view, width), [], *_format_fields(task, view, width)]
    if task.note:
        lines += [[], *_format_note(task.note, width, render_note)]
    if task.links:
        lines += _format_links(task.links, view, width)
    if task.attachments:
        lines += _start_section(f"Attachments {view.signs.dot} {len(task.attachments)}")
        attachments = format_attachments(task.attachments, view.now, view.zone, absolute=view.absolute)
        lines += ([Piece(part)] for line in attachments for part in wrap_line(line, width))
    if task.comments:
        lines += _start_section(f"Comments {view.signs.dot} {len(task.comments)}")
        comments = format_comments(task.comments, view.now, view.zone, absolute=view.absolute)
        lines += ([Piece(part)] for line in comments for part in wrap_line(line, width))
    if history and history.changes:
        lines += _format_history(task, history, view, width)
    return lines


def _start_section(heading: str) -> list[Line]:
    return [[], [Piece(f"{INDENT}{heading}", "heading")]]


def _format_header(task: Task, view: ListView, width: int) -> Iterator[Line]:
    """Yield number and title with priority and due date at the right edge, or below them on a narrow terminal."""
    is_wide = width >= MIN_ONE_LINE_WIDTH
    number = f" {task.number:>2}{INDENT if is_wide else ' '}"
    edge = _join_facts(_list_header_facts(task, view, is_narrow=not is_wide), view)
    room = width - len(number) - (measure_line(edge) + len(INDENT) if is_wide and edge else 0)
    first, *others = wrap_words(escape(task.title), max(1, room))
    line: Line = [Piece(number, "grey"), Piece(first, "heading")]
    if is_wide and edge:
        line += [Piece(" " * (room - measure(first) + len(INDENT))), *edge]
    yield line
    yield from ([Piece(" " * len(number)), Piece(other, "heading")] for other in others)
    if edge and not is_wide:
        yield from _wrap_facts(_list_header_facts(task, view, is_narrow=True), len(number), view, width)


def _wrap_facts(facts: Iterator[Piece], indent: int, view: ListView, width: int) -> Iterator[Line]:
    """Yield the facts, as many on a line as fit."""
    line: Line = []
    for fact in facts:
        longer = _join_facts(iter([*line[::2], fact]), view)
        if line and indent + measure_line(longer) > width:
            yield [Piece(" " * indent), *line]
            longer = [fact._replace(text=cut(fact.text, width - indent, view.signs.ellipsis))]
        line = longer
    if line:
        yield [Piece(" " * indent), *line]


def _list_header_facts(task: Task, view: ListView, *, is_narrow: bool) -> Iterator[Piece]:
    if task.priority:
        yield Piece(f"p{task.priority}", PRIORITY_ROLES.get(task.priority, ""))
    due, role = format_due_cell(task, view)
    if due:
        yield Piece(due, role)
    if not is_narrow:
        return
    done = task.subtasks_done or 0
    if total := done + (task.subtasks or 0):
        yield Piece(f"{done}/{total} done")
    if names := _list_names(task):
        yield Piece(escape(" ".join(names)), "project" if task.project else "tag")


def _list_names(task: Task) -> list[str]:
    """Return `#House`, `@family`."""
    return [*([f"#{task.project}"] if task.project else []), *(f"@{tag}" for tag in task.tags)]


def _join_facts(facts: Iterator[Piece], view: ListView) -> Line:
    line: Line = []
    for fact in facts:
        line += [Piece(f" {view.signs.dot} ", "grey"), fact] if line else [fact]
    return line


def _format_fields(task: Task, view: ListView, width: int) -> Iterator[Line]:
    """Yield the fields that are set, two short ones side by side where there is room."""
    hidden = [*HEADER_FIELDS, *(["status"] if task.status == "open" else [])]
    hidden += ["due", "project", "tags"] if width < MIN_ONE_LINE_WIDTH else []
    shown_names = {"project": f"#{task.project}", "tags": " ".join(f"@{tag}" for tag in task.tags)}
    fields = [
        (field[0], escape(shown_names.get(field[0], field[1])), field[2])
        for field in list_fields(
            task, view, lambda due: format_full_due(due, view.zone, view.now, absolute=view.absolute)
        )
        if field[0] not in hidden
    ]
    waiting: FieldLine | None = None
    for field in fields:
        if width < MIN_PAIRS_WIDTH or measure(field[1]) > MAX_PAIRED_CELLS:
            yield from _write_field(waiting, width)
            yield from _write_field(field, width)
            waiting = None
        elif waiting is None:
            waiting = field
        else:
            first = [*_write_name(waiting[0]), Piece(pad(waiting[1], MAX_PAIRED_CELLS), waiting[2])]
            yield [*first, Piece(INDENT), *_write_name(field[0]), Piece(field[1], field[2])]
            waiting = None
    yield from _write_field(waiting, width)


def _write_name(name: str) -> Line:
    return [Piece(f"{INDENT}{name:<{NAME_CELLS}}", "grey")]


def _write_field(field: FieldLine | None, width: int) -> Iterator[Line]:
    if field is None:
        return
    name, value, role = field
    first, *others = wrap_words(value, width - NAME_CELLS - len(INDENT), break_long=False)
    yield [*_write_name(name), Piece(first, role)]
    yield from ([Piece(" " * (NAME_CELLS + len(INDENT))), Piece(other, role)] for other in others)


def _format_links(links: TaskLinks, view: ListView, width: int) -> Iterator[Line]:
    """Yield the sections of subtasks, blockers, tasks that wait for this one, and tasks that were found during it."""
    done = sum(subtask.status == "done" for subtask in links.subtasks)
    sections = (
        (f"Subtasks {done}/{len(links.subtasks)}", links.subtasks),
        ("Waits for", links.blockers),
        ("Holds up", links.blocked),
        ("Led to", links.discovered),
    )
    rows = [_make_row(task, view) for _, tasks in sections for task in tasks]
    cells = max(measure(view.signs.done), measure(view.signs.deleted))
    drawn = format_lines(rows, view, width - len(INDENT) - cells)
    for heading, tasks in sections:
        if tasks:
            yield from _start_section(heading)
        for task in tasks:
            sign = {"done": view.signs.done, "deleted": view.signs.deleted}.get(task.status, "")
            first, *others = next(drawn)
            role: Role = "added" if task.status == "done" else "grey"
            yield [Piece(INDENT), Piece(pad(sign, cells), role), *first]
            yield from ([Piece(" " * (len(INDENT) + cells)), *other] for other in others)


def _make_row(task: LinkedTask, view: ListView) -> ListRow:
    """Return the row of a task beside the shown one."""
    due, due_role = format_due_cell(task, view)
    is_open = task.status == "open"
    mark, mark_role = _choose_mark(task, view) if is_open else ("", "")
    return ListRow(
        number=str(task.number),
        priority=f"p{task.priority}" if task.priority else "",
        priority_role=PRIORITY_ROLES.get(task.priority or 0, "") if is_open else "grey",
        mark=mark,
        mark_role=mark_role,
        branch="",
        title=escape(task.title),
        title_role="finished" if not is_open else "grey" if task.blocked else "",
        suffix="",
        due=due,
        due_role=due_role,
        project="",
        tags=(),
        assignee="",
        facts="",
        urgency="",
    )


def _choose_mark(task: LinkedTask, view: ListView) -> tuple[str, Role]:
    if task.started_at:
        return view.signs.started, "started"
    if task.blocked:
        return view.signs.blocked, "blocked"
    return (view.signs.claimed, "claimed") if is_claimed(task, view.now) else ("", "")


def _format_history(task: Task, history: ChangePage, view: ListView, width: int) -> Iterator[Line]:
    """Yield the last changes of the task, each on one line or two."""
    more = f": todo log {task.number}" if history.next else ""
    last = f"last {len(history.changes)}" if history.next else str(len(history.changes))
    heading = f"History {view.signs.dot} {last}"
    yield from _start_section(heading + (more if len(INDENT + heading + more) <= width else ""))
    yield from format_history(task, history, view, width)


def _format_note(note: str, width: int, render_note: RenderNote | None) -> Iterator[Line]:
    if render_note and _MARKDOWN.search(note):
        yield from ([Piece(f"{INDENT}{line}")] for line in render_note(escape_block(note), width - len(INDENT)))
        return
    for line in escape_block(note).split("\n"):
        yield from ([Piece(part)] for part in wrap_line(f"{INDENT}{line}" if line.strip() else "", width))

"""Format the last changes of a task for its screen."""

from __future__ import annotations

from collections.abc import Iterator

from todo_cli.cli.render.cells import cut, measure, pad
from todo_cli.cli.render.changes import describe_actor, format_difference
from todo_cli.cli.render.colors import Line, Piece
from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.list_columns import MIN_ONE_LINE_WIDTH
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.text import format_age
from todo_cli.contract.journal import Change, ChangePage
from todo_cli.contract.registry import label_of
from todo_cli.contract.tasks import Task

INDENT = "  "


def format_history(task: Task, history: ChangePage, view: ListView, width: int) -> Iterator[Line]:
    """Yield the changes, each on one line; on a narrow terminal what it did stands below."""
    cells = [
        (
            str(change.seq),
            format_age(change.at, view.now, view.zone, absolute=view.absolute),
            escape(describe_actor(change)),
            label_of(change.verb),
        )
        for change in history.changes
    ]
    widths = [max(map(measure, column)) for column in zip(*cells, strict=True)]
    for change, (seq, age, actor, label) in zip(history.changes, cells, strict=True):
        head = f"  {pad(seq, widths[0], 'right')}  {pad(age, widths[1])}  {pad(actor, widths[2])}  "
        effect = _name_effect(task, change, view)
        if width < MIN_ONE_LINE_WIDTH:
            yield [Piece(cut(f"{INDENT}{head.rstrip()}", width, view.signs.ellipsis), "grey")]
            yield [Piece(cut(f"{INDENT * 3}{label}  {effect}".rstrip(), width, view.signs.ellipsis))]
            continue
        line = [Piece(f"{INDENT}{head}", "grey"), Piece(f"{pad(label, widths[3])}  {effect}")]
        text = "".join(piece.text for piece in line)
        yield line if measure(text) <= width else [Piece(cut(text, width, view.signs.ellipsis))]


def _name_effect(task: Task, change: Change, view: ListView) -> str:
    """Return what the change did to this task: `due 30 Nov → 1 Dec`."""
    for difference in change.differences:
        if difference.number == task.number:
            text = format_difference(difference, view)
            return text.removeprefix(escape(f"#{difference.number} {difference.title}")).removeprefix(": ")
    return ""

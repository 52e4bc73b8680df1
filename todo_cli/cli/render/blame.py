"""Format the fields of a task with the changes that set them."""

from __future__ import annotations

from collections.abc import Iterator

from todo_cli.cli.render.cells import cut, measure, pad
from todo_cli.cli.render.changes import FIELD_NAMES, describe_actor, format_field, format_value
from todo_cli.cli.render.colors import Line, Piece
from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.text import format_age, format_instant
from todo_cli.contract.blame import BlamedField, TaskBlame
from todo_cli.contract.registry import label_of

MAX_ACTOR_CELLS = 24
MIN_ONE_LINE_WIDTH = 72
"""In cells; on a narrower terminal the value stands below."""


def format_blame(answer: TaskBlame, view: ListView, width: int) -> Iterator[Line]:
    """Yield the lines: the task, then for each field the change, its age, who made it, and the value."""
    ellipsis = view.signs.ellipsis
    yield [Piece(cut(escape(f"#{answer.number} {answer.title}"), width, ellipsis), "heading")]
    ages = [format_age(field.change.at, view.now, view.zone, absolute=view.absolute) for field in answer.fields]
    actors = [cut(escape(describe_actor(field.change)), MAX_ACTOR_CELLS, ellipsis) for field in answer.fields]
    seq_cells = max((len(str(field.change.seq)) for field in answer.fields), default=0)
    age_cells, actor_cells = (max(map(measure, texts), default=0) for texts in (ages, actors))
    for field, age, actor in zip(answer.fields, ages, actors, strict=True):
        name = FIELD_NAMES.get(field.name, field.name)
        value = escape(format_field(field.name, field.value, view))
        facts = f"{pad(age, age_cells)}  {pad(actor, actor_cells)}"
        head: Line = [Piece(f" {pad(str(field.change.seq), seq_cells, 'right')}  {facts}", "grey")]
        if width < MIN_ONE_LINE_WIDTH:
            yield [Piece(cut("".join(piece.text for piece in head).rstrip(), width, ellipsis), "grey")]
            yield [Piece(cut(f"    {name} {value}", width, ellipsis))]
            continue
        used = measure(head[0].text) + 2
        yield [*head, Piece(cut(f"  {pad(name, 11)}{value}", width - used + 2, ellipsis))]


def blame_cells(field: BlamedField) -> list[str]:
    """Return the cells for a pipe: field, seq, time, user, token, way, command, value."""
    change = field.change
    actor = (change.user, change.token, change.way, label_of(change.verb))
    return [
        escape(cell)
        for cell in (field.name, str(change.seq), format_instant(change.at), *actor, format_value(field.value))
    ]

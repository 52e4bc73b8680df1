"""Draw the calls that wait for approval as a list of choices: a call, or a task of a call that names several."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from todo_cli.cli.render.cells import cut, measure, pad, wrap_words
from todo_cli.cli.render.changes import IMPLIED_FIELDS, VERB_ROLES, format_effect, name_task
from todo_cli.cli.render.colors import Line, Piece, Role
from todo_cli.cli.render.list_view import ListView
from todo_cli.contract.plans import Plan, choosable_numbers
from todo_cli.contract.registry import label_of
from todo_cli.contract.trash import DeleteTasks
from todo_cli.contract.turn_steps import PendingCall

MAX_SHOWN_CHOICES = 20
FIRST_CHOICES = 10
"""Of more choices than the former these are shown first."""
MARK_CELLS = 2
MIN_NAME_CELLS = 20
"""A title keeps so much where the changes beside it are long."""


class Choice(NamedTuple):
    """One thing to approve: the call at a place of the list, or only its task with this number."""

    place: int
    number: int | None


class _TaskEffect(NamedTuple):
    """A task of a choice, and what becomes of it."""

    name: str
    effect: str


class _Drawing(NamedTuple):
    """How all rows of a list are drawn: its width and those of its columns, in cells."""

    view: ListView
    width: int
    place: int
    label: int
    name: int = 0

    @property
    def indent(self) -> int:
        """Return where the names of tasks begin."""
        return MARK_CELLS + self.place + self.label + 2


def list_choices(calls: Sequence[PendingCall]) -> list[Choice]:
    """Return the choices of the calls in the order in which they are shown and counted."""
    return [
        Choice(place, number) for place, call in enumerate(calls) for number in choosable_numbers(call.plan) or [None]
    ]


def draw_heading(calls: Sequence[PendingCall], view: ListView) -> Line:
    """Return `Needs your yes · 3 changes, 1 deletion`."""
    verbs = [calls[choice.place].plan.verb for choice in list_choices(calls)]
    deletions = verbs.count(DeleteTasks.verb)
    counts = [_count(len(verbs) - deletions, "change"), _count(deletions, "deletion")]
    return [Piece(f"Needs your yes {view.signs.dot} {', '.join(filter(None, counts))}", "heading")]


def draw_choices(
    calls: Sequence[PendingCall], view: ListView, width: int, *, chosen: Collection[int] = (), shown: int | None = None
) -> Iterator[Line]:
    """Yield the lines of the numbered choices, exact to the last field; the first `shown` of them.

    With some `chosen`, by their numbers, those are ticked and the others are grey.
    """
    rows = [_list_rows(calls[choice.place].plan, choice, view) for choice in list_choices(calls)]
    labels = [label_of(calls[choice.place].plan.verb) for choice in list_choices(calls)]
    drawing = _measure_columns(rows, labels, view, width)
    for number, (label, parts) in enumerate(zip(labels, rows, strict=True), 1):
        if shown is not None and number > shown:
            more = f"{view.signs.ellipsis} {len(rows) - shown:,} more (l shows all)"
            yield [Piece(" " * (MARK_CELLS + drawing.place) + more, "grey")]
            return
        is_left = bool(chosen) and number not in chosen
        mark = (view.signs.deleted if is_left else view.signs.done) if chosen else ""
        place = f"{pad(str(number), drawing.place - 2, 'right')}  " if drawing.place else ""
        head: Line = [
            Piece(f"{pad(mark, MARK_CELLS)}{place}", "grey" if is_left else ""),
            Piece(f"{pad(label, drawing.label)}  ", "grey" if is_left else VERB_ROLES.get(label, "")),
        ]
        for row in parts:
            yield from _draw_row(head, row, drawing, "grey" if is_left else "")
            head = [Piece(" " * drawing.indent)]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}" if number else ""


def _measure_columns(rows: Sequence[list[_TaskEffect]], labels: Sequence[str], view: ListView, width: int) -> _Drawing:
    place = max(2, len(str(len(rows)))) + 2 if len(rows) > 1 else 0
    drawing = _Drawing(view, width, place, max(map(measure, labels), default=0))
    names = max((measure(row.name) for parts in rows for row in parts), default=0)
    return drawing._replace(name=min(names, max(MIN_NAME_CELLS, (width - drawing.indent) // 2)))


def _list_rows(plan: Plan, choice: Choice, view: ListView) -> list[_TaskEffect]:
    """Return the tasks of a choice; the last one of a call has also what follows from it, as a next occurrence."""
    hidden = IMPLIED_FIELDS.get(plan.verb, ())
    effects = {
        difference.number: _TaskEffect(
            name_task(difference.number, difference.title),
            format_effect(difference, view, hidden) or ("to the trash" if plan.verb == DeleteTasks.verb else ""),
        )
        for difference in plan.differences
    }
    titles = {target.number: target.title for target in plan.targets}
    if choice.number is None:
        unchanged = [_TaskEffect(name_task(number, title), "no changes") for number, title in titles.items()]
        return [*effects.values()] or unchanged or [_TaskEffect("no changes", "")]
    numbers = choosable_numbers(plan)
    own = effects.get(choice.number, _TaskEffect(name_task(choice.number, titles.get(choice.number, "")), "no changes"))
    is_last = choice.number == numbers[-1]
    return [own, *(row for number, row in effects.items() if is_last and number not in numbers)]


def _draw_row(head: Line, row: _TaskEffect, drawing: _Drawing, role: Role) -> Iterator[Line]:
    """Yield the row on one line, or its effect below the name where it does not fit."""
    room = drawing.width - drawing.indent
    if not row.effect:
        yield [*head, Piece(cut(row.name, room, drawing.view.signs.ellipsis), role)]
        return
    name = cut(row.name, drawing.name, drawing.view.signs.ellipsis)
    if drawing.name + 2 + measure(row.effect) <= room:
        yield [*head, Piece(f"{pad(name, drawing.name)}  {row.effect}", role)]
        return
    yield [*head, Piece(cut(row.name, room, drawing.view.signs.ellipsis), role)]
    for line in wrap_words(row.effect, max(1, room - 2)):
        yield [Piece(" " * (drawing.indent + 2)), Piece(line, role)]

"""Show the calls that wait for approval as a list of choices: a call, or a task of a call that names several."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from todo_cli.cli.render.changes import format_difference
from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.signs import UNICODE_SIGNS
from todo_cli.contract.plans import choosable_numbers
from todo_cli.contract.registry import label_of
from todo_cli.contract.turn_steps import PendingCall


class Choice(NamedTuple):
    """One thing to approve: the call at a place, or only its task with this number; and its lines."""

    place: int
    number: int | None
    lines: list[str]


def list_choices(calls: Sequence[PendingCall], view: ListView | None = None) -> list[Choice]:
    """Return the choices of the calls in the order in which they are shown and counted.

    Their lines are those of the view; without one, instants are in UTC.
    """
    view = view or ListView(UTC, datetime.now(UTC), UNICODE_SIGNS)
    return [choice for place, call in enumerate(calls) for choice in _split_call(place, call, view)]


def _split_call(place: int, call: PendingCall, view: ListView) -> list[Choice]:
    plan = call.plan
    numbers = choosable_numbers(plan)
    lines = {difference.number: format_difference(difference, view) for difference in plan.differences}
    titles = {target.number: target.title for target in plan.targets}
    if not numbers:
        unchanged = [escape(f"#{number} {title}: no changes") for number, title in titles.items()]
        return [Choice(place, None, [*lines.values()] or unchanged or ["no changes"])]
    choices = [
        Choice(place, number, [lines.pop(number, escape(f"#{number} {titles.get(number, '')}: no changes"))])
        for number in numbers
    ]
    choices[-1].lines.extend(lines.values())  # next occurrences
    return choices


def format_pending_calls(calls: Sequence[PendingCall], view: ListView) -> list[str]:
    """Return a line for every task that the calls would change; several choices are numbered."""
    choices = list_choices(calls, view)
    shown: list[str] = []
    for count, choice in enumerate(choices, 1):
        label = label_of(calls[choice.place].plan.verb)
        head = f"{count:>4}  {label:<8}" if len(choices) > 1 else f"  {label:<8}"
        shown += [(head if index == 0 else " " * len(head)) + line for index, line in enumerate(choice.lines)]
    return shown

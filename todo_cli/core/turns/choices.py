"""Read which of the held calls, and which of their tasks, a person approves."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import UNSET

from todo_cli.contract.conversations import AnswerTurn, ChosenTasks
from todo_cli.contract.plans import choosable_numbers
from todo_cli.contract.turn_steps import PendingCall
from todo_cli.errors import Invalid


class ApprovedCall(NamedTuple):
    """A held call that is approved: its place, and its refused tasks, which are none for the whole call."""

    place: int
    call: PendingCall
    refused: tuple[int, ...] = ()

    @property
    def arguments(self) -> dict[str, object]:
        """The arguments of the call for the approved tasks."""
        arguments = self.call.plan.arguments
        if not self.refused:
            return arguments
        return arguments | {"numbers": [number for number in arguments["numbers"] if number not in self.refused]}


def read_choices(request: AnswerTurn, held: list[PendingCall]) -> list[ApprovedCall]:
    """Return the approved calls in their order; raise Invalid for a choice that was not offered."""
    if request.only is UNSET:
        return [ApprovedCall(place, call) for place, call in enumerate(held)] if request.yes else []
    if not request.yes or not request.only:
        raise Invalid("`only` needs a yes and at least one call", hint="leave `only` out to refuse all calls")
    chosen: dict[int, set[int]] = {}
    whole: set[int] = set()
    for choice in request.only:
        place = choice.call if isinstance(choice, ChosenTasks) else choice
        if place >= len(held):
            raise Invalid(f"there are only {len(held)} calls to choose from", hint="their places count from 0")
        if isinstance(choice, ChosenTasks):
            chosen.setdefault(place, set()).update(_check_numbers(choice, held[place]))
        else:
            whole.add(place)
    return [
        ApprovedCall(place, held[place], () if place in whole else _list_refused(held[place], chosen[place]))
        for place in sorted(whole | chosen.keys())
    ]


def _check_numbers(choice: ChosenTasks, call: PendingCall) -> tuple[int, ...]:
    offered = choosable_numbers(call.plan) or tuple(target.number for target in call.plan.targets)
    wrong = [f"#{number}" for number in choice.numbers if number not in offered]
    if wrong:
        numbers = ", ".join(f"#{number}" for number in offered) or "none"
        raise Invalid(f"call {choice.call} does not change task {', '.join(wrong[:10])}", hint=f"its tasks: {numbers}")
    return choice.numbers


def _list_refused(call: PendingCall, chosen: set[int]) -> tuple[int, ...]:
    return tuple(number for number in choosable_numbers(call.plan) if number not in chosen)

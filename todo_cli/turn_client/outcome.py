"""The outcome of a chat turn, as a terminal shows it."""

from __future__ import annotations

from typing import Any

import msgspec

from todo_cli.contract.turn_events import TurnProgress
from todo_cli.contract.turn_steps import ENDED_STATES, PendingCall, TurnState
from todo_cli.errors import TodoError, from_problem


class TurnOutcome(msgspec.Struct):
    """A turn that has ended or waits for an approval.

    `after` is the number of the last batch of events that was emitted. `first` is True for the first turn of its
    conversation, if this process ran the turn.
    """

    turn: str
    conversation: str
    number: int
    state: TurnState
    text: str = ""
    held: tuple[PendingCall, ...] = ()
    error: TodoError | None = None
    after: int = -1
    usage: dict[str, Any] | None = None
    first: bool = False


def outcome_of(outcome: TurnOutcome, last: TurnProgress, text: str, after: int) -> TurnOutcome:
    """Return the outcome of a turn that another process ran, from the last look at it."""
    return TurnOutcome(
        turn=outcome.turn,
        conversation=outcome.conversation,
        number=outcome.number,
        state=last.state,
        text=text,
        held=last.held,
        error=from_problem(last.error) if last.error and last.state in ENDED_STATES else None,
        after=after,
        usage=last.usage,
    )

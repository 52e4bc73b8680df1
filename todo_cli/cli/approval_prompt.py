"""What waits for a person's yes, as a list at a terminal; another terminal may answer it meanwhile."""

from __future__ import annotations

import os
import select
import sys

import typer

from todo_cli.cli.echo import discard_typed_input
from todo_cli.cli.options import parse_numbers
from todo_cli.cli.render import text
from todo_cli.cli.render.turn import Screen, format_held_calls
from todo_cli.cli.session import Session
from todo_cli.contract.conversations import AnswerTurn, ShowConversation
from todo_cli.contract.turn_steps import PendingCall
from todo_cli.errors import Invalid, NeedsAnswer, TodoError
from todo_cli.turn_client.run import TurnOutcome

QUESTION = "Do this? [y/N] "
POLL_INTERVAL_SECONDS = 1.5
"""Seconds between two looks whether somebody else has answered."""


def ask_approval(session: Session, outcome: TurnOutcome, screen: Screen, *, yes: bool) -> AnswerTurn | None:
    """The answer to all that waits; None where another terminal has given one.

    Raises NeedsAnswer when there is nobody to ask, typer.Exit for Ctrl-C and EOFError for Ctrl-D: then it still waits.
    """
    screen.pause()
    if screen.form == "text" or session.interactive:
        for line in format_held_calls(outcome.held):
            text.note(text.wrap(line, " " * 14))
    if yes:
        return AnswerTurn(turn=outcome.turn, yes=True)
    number = outcome.number
    if not session.interactive:
        screen.close(outcome)
        hint = f"todo chat approve {number} (or --no), from anywhere; or ask with --yes"
        raise NeedsAnswer(f"conversation {number} waits for a yes, and nothing was changed yet", hint=hint)
    try:
        return _ask(session, outcome)
    except (KeyboardInterrupt, EOFError) as end:
        text.note(f"\n(nothing was changed yet; it still waits: todo chat approve {number}, or --no)")
        if isinstance(end, EOFError):
            raise
        raise typer.Exit(130) from None


def _ask(session: Session, outcome: TurnOutcome) -> AnswerTurn | None:
    if len(outcome.held) > 1:
        text.note("(y: all of it; n: nothing; or the numbers of what to do, as 1 3-4)")
    discard_typed_input()
    while True:
        sys.stderr.write(QUESTION)
        sys.stderr.flush()
        line = _read_line(session, outcome)
        if line is None:
            text.note("\n(it was answered at another terminal)")
            return None
        try:
            return _parse_answer(line, outcome)
        except Invalid as error:
            text.note(f"({error.detail})")


def _parse_answer(line: str, outcome: TurnOutcome) -> AnswerTurn:
    """Raises Invalid for what is no answer."""
    word, held = line.strip().lower(), outcome.held
    if word in ("y", "yes", "all"):
        return AnswerTurn(turn=outcome.turn, yes=True)
    if word in ("", "n", "no", "none"):
        return AnswerTurn(turn=outcome.turn, yes=False)
    if len(held) > 1 and word[:1].isdigit():
        return approve_some(outcome.turn, held, word.split())
    raise Invalid(
        "y, n, or numbers, as 1 3-4; Ctrl-C leaves it open" if len(held) > 1 else "y or n; Ctrl-C leaves it open"
    )


def approve_some(turn: str, held: tuple[PendingCall, ...], words: list[str]) -> AnswerTurn:
    """A yes to some of the calls, by their numbers in the list; raises Invalid."""
    places = parse_numbers(words)
    if max(places, default=0) > len(held):
        raise Invalid(f"there are only {len(held)} to choose from")
    return AnswerTurn(turn=turn, yes=True, only=tuple(place - 1 for place in places))


def approved_calls(held: tuple[PendingCall, ...], answer: AnswerTurn) -> list[PendingCall]:
    """The calls that an answer agrees to."""
    if not answer.yes:
        return []
    return [held[place] for place in answer.only] if isinstance(answer.only, tuple) else list(held)


def _read_line(session: Session, outcome: TurnOutcome) -> str | None:
    """A line, past all buffers: what follows it is for the next prompt. Raises EOFError."""
    terminal = sys.stdin.fileno()
    while not _wait_for_input(terminal):
        if _is_answered_elsewhere(session, outcome):
            return None
    data = os.read(terminal, 4_096)
    if not data:
        raise EOFError
    return data.decode(errors="replace")


def _wait_for_input(terminal: int) -> bool:
    try:
        return bool(select.select([terminal], [], [], POLL_INTERVAL_SECONDS)[0])
    except OSError:  # Windows can wait for sockets only
        return True


def _is_answered_elsewhere(session: Session, outcome: TurnOutcome) -> bool:
    try:
        found = session.send(ShowConversation(number=outcome.number, limit=1)).conversation
    except TodoError:
        return False  # the answer will tell
    return found.state != "awaiting" or found.turn != outcome.turn

"""Ask a person to approve tool calls. The question also ends when another terminal answers it."""

from __future__ import annotations

import os
import select
import sys

import typer

from todo_cli.cli.echo import discard_typed_input
from todo_cli.cli.options import parse_numbers
from todo_cli.cli.pending_output import print_pending_calls
from todo_cli.cli.render import text
from todo_cli.cli.render.pending_calls import FIRST_CHOICES, MAX_SHOWN_CHOICES, list_choices
from todo_cli.cli.render.turn import Screen
from todo_cli.cli.session import Session
from todo_cli.contract.conversations import AnswerTurn, ChosenTasks, ShowConversation
from todo_cli.contract.turn_steps import PendingCall
from todo_cli.errors import Invalid, NeedsAnswer, TodoError
from todo_cli.turn_client.outcome import TurnOutcome

QUESTION = "Do it? [y/N] "
CHOOSING_QUESTION = "Do it? y, n, or which: 1 3-4 (? explains) > "
EXPLANATION = """  y      do all of it
  n      do nothing; so does Enter
  1 3-4  do only these; you are asked once more
  l      list everything again
  Ctrl-C leaves the question open: answer later, from any machine, with: todo chat approve {number}"""
POLL_INTERVAL_SECONDS = 1.5


def ask_approval(session: Session, outcome: TurnOutcome, screen: Screen, *, yes: bool) -> AnswerTurn | None:
    """Return the person's answer, or None if another terminal has answered.

    Raises NeedsAnswer without a terminal, typer.Exit for Ctrl-C and EOFError for Ctrl-D; the calls stay pending.
    """
    screen.pause()
    session.ask_clock()
    can_ask = session.is_interactive and not yes
    if screen.form == "text" or session.is_interactive:
        is_long = can_ask and len(list_choices(outcome.held)) > MAX_SHOWN_CHOICES
        print_pending_calls(session, outcome.held, shown=FIRST_CHOICES if is_long else None)
    if yes:
        return AnswerTurn(turn=outcome.turn, yes=True)
    number = outcome.number
    if not can_ask:
        screen.close(outcome)
        hint = f"answer from any machine with: todo chat approve {number} (or --no); or ask with --yes"
        raise NeedsAnswer(f"conversation {number} needs your approval; nothing was changed yet", hint=hint)
    try:
        return _ask(session, outcome)
    except _AnsweredElsewhere:
        text.note("\n(answered at another terminal)")
        return None
    except (KeyboardInterrupt, EOFError) as end:
        text.note(f"\n(nothing was changed yet; answer later with: todo chat approve {number}, or --no)")
        if isinstance(end, EOFError):
            raise
        raise typer.Exit(130) from None


class _AnsweredElsewhere(Exception):
    """Another terminal has answered the question."""


def _ask(session: Session, outcome: TurnOutcome) -> AnswerTurn:
    """Ask until there is an answer; raises _AnsweredElsewhere."""
    question = CHOOSING_QUESTION if len(list_choices(outcome.held)) > 1 else QUESTION
    while True:
        word = _read_word(session, outcome, question)
        try:
            answer = _answer_word(session, outcome, word)
        except Invalid as error:
            text.note(f"({error.detail})")
            continue
        if answer and (not isinstance(answer.only, tuple) or _confirm_choice(session, outcome, answer, word)):
            return answer


def _answer_word(session: Session, outcome: TurnOutcome, word: str) -> AnswerTurn | None:
    """Return the answer that a word gives; None for a word that only shows something. Raises Invalid for any other."""
    is_choice = len(list_choices(outcome.held)) > 1
    if word in ("y", "yes", "all"):
        return AnswerTurn(turn=outcome.turn, yes=True)
    if word in ("", "n", "no", "none"):
        return AnswerTurn(turn=outcome.turn, yes=False)
    if is_choice and word[0].isdigit():
        return approve_some(outcome.turn, outcome.held, word.split())
    if is_choice and word == "?":
        text.note(EXPLANATION.format(number=outcome.number))
    elif is_choice and word == "l":
        print_pending_calls(session, outcome.held)
    else:
        answers = "y, n or numbers such as 1 3-4" if is_choice else "y or n"
        raise Invalid(f"type {answers}; Ctrl-C leaves the question open")
    return None


def _confirm_choice(session: Session, outcome: TurnOutcome, answer: AnswerTurn, word: str) -> bool:
    """Show what was chosen among the others, and ask whether it is right."""
    chosen = parse_numbers(word.split())
    print_pending_calls(session, outcome.held, chosen=chosen)
    these = f"these {len(chosen)}" if len(chosen) > 1 else "this one"
    return _read_word(session, outcome, f"Do {these}? [y/N] ") in ("y", "yes")


def _read_word(session: Session, outcome: TurnOutcome, question: str) -> str:
    """Ask, and return what the person types; raises _AnsweredElsewhere, and EOFError for Ctrl-D."""
    discard_typed_input()
    sys.stderr.write(question)
    sys.stderr.flush()
    return _read_line(session, outcome).strip().lower()


def approve_some(turn: str, held: tuple[PendingCall, ...], words: list[str]) -> AnswerTurn:
    """Approve the choices with these numbers in the list, from 1 on; raises Invalid."""
    choices, numbers = list_choices(held), parse_numbers(words)
    if not numbers or max(numbers) > len(choices):
        raise Invalid(f"choose numbers from 1 to {len(choices)}")
    chosen: dict[int, list[int]] = {}
    for choice in (choices[number - 1] for number in sorted(numbers)):
        chosen.setdefault(choice.place, []).extend([] if choice.number is None else [choice.number])
    only = [ChosenTasks(call=place, numbers=tuple(tasks)) if tasks else place for place, tasks in chosen.items()]
    return AnswerTurn(turn=turn, yes=True, only=tuple(only))


def approved_calls(held: tuple[PendingCall, ...], answer: AnswerTurn) -> list[PendingCall]:
    """Return the calls that an answer approves, in whole or in part."""
    if not answer.yes or not isinstance(answer.only, tuple):
        return list(held) if answer.yes else []
    return [held[choice.call if isinstance(choice, ChosenTasks) else choice] for choice in answer.only]


def _read_line(session: Session, outcome: TurnOutcome) -> str:
    """Read one line, unbuffered, so that the next prompt gets the input after it."""
    terminal = sys.stdin.fileno()
    while not _wait_for_input(terminal):
        if _is_answered_elsewhere(session, outcome):
            raise _AnsweredElsewhere
    data = os.read(terminal, 4_096)
    if not data:
        raise EOFError
    return data.decode(errors="replace")


def _wait_for_input(terminal: int) -> bool:
    try:
        return bool(select.select([terminal], [], [], POLL_INTERVAL_SECONDS)[0])
    except OSError:  # Windows can only select on sockets
        return True


def _is_answered_elsewhere(session: Session, outcome: TurnOutcome) -> bool:
    try:
        conversation = session.send(ShowConversation(number=outcome.number, limit=1)).conversation
    except TodoError:
        return False  # sending the answer raises the error again
    return conversation.state != "awaiting" or conversation.turn != outcome.turn

"""Run a turn from the command line, with its approvals, until it ends: shared by `ask`, `chat` and the prompt."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

import msgspec
import typer

from todo_cli.cli.approval_prompt import approve_some, approved_calls, ask_approval
from todo_cli.cli.echo import no_echo
from todo_cli.cli.options import parse_numbers
from todo_cli.cli.pending_output import print_pending_calls
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape, escape_block
from todo_cli.cli.render.signs import choose_signs
from todo_cli.cli.render.turn import Screen
from todo_cli.cli.render.turn_calls import error_detail
from todo_cli.cli.session import Session
from todo_cli.cli.turn_signals import run_with_signals
from todo_cli.contract.conversations import AnswerTurn, ConversationDetail, ShowConversation
from todo_cli.contract.ids import new_id
from todo_cli.contract.limits import MAX_MESSAGE_CHARS
from todo_cli.contract.turn_steps import BeginTurn, PendingCall
from todo_cli.contract.users import WhoAmI
from todo_cli.errors import Conflict, Invalid, ModelFailed, NotFound
from todo_cli.turn_client.outcome import TurnOutcome
from todo_cli.turn_client.run import read_turn
from todo_cli.turn_client.title import title_conversation

STOPPED = "(stopped; the text so far and the changes are kept)"
EXTRA_MESSAGES = 10
"""Messages that may arrive between an answer and the request that reads its effects."""


def open_screen(session: Session, form: str) -> Screen:
    """Return the screen that shows a turn; on a terminal it shows the answer while it arrives.

    A turn has connections of its own, so the user's preferences are asked for before. Raises TodoError.
    """
    is_live = session.is_terminal and form == "text"
    shows_usage = is_live and session.send(WhoAmI()).show_usage is not False
    return Screen(
        form,
        live=is_live,
        colored=session.allow_color and session.display.theme != "none",
        quiet=session.quiet,
        signs=choose_signs(session.display.signs),
        shows_usage=shows_usage,
    )


def new_turn(conversation: str, words: str) -> BeginTurn:
    """Return the Request that begins a turn; raises Invalid for a blank or too long message."""
    if not words.strip():
        raise Invalid("the message is blank", hint="write it as: todo ask 'What is due today?'")
    if len(words) > MAX_MESSAGE_CHARS:
        raise Invalid(f"the message is longer than {MAX_MESSAGE_CHARS:,} characters", hint="send only a part of it")
    return BeginTurn(conversation=conversation, turn=new_id(), runner=new_id(), text=words)


def run_to_end(
    session: Session,
    begin: BeginTurn,
    screen: Screen,
    *,
    yes: bool,
    after: int = -1,
    on_outcome: Callable[[TurnOutcome], None] = lambda _: None,
) -> TurnOutcome:
    """Run the turn and ask for approvals until it has ended; raises the error that ended it."""
    begin = msgspec.structs.replace(begin, model=session.model)
    while True:
        outcome = run_with_signals(session, begin, screen, after)
        on_outcome(outcome)
        if outcome.state != "awaiting":
            break
        answer = ask_approval(session, outcome, screen, yes=yes)
        if answer:
            _send_answer(session, outcome, answer, screen, yes=yes)
        after = outcome.after
    screen.close(outcome)
    sys.stdout.flush()
    _print_summary(session, outcome, screen)
    with no_echo():
        title_conversation(session.settings, outcome, session.model)
    raise_for_outcome(outcome, is_empty=screen.is_empty)
    return outcome


def _print_summary(session: Session, outcome: TurnOutcome, screen: Screen) -> None:
    if screen.shows_usage and not session.quiet and not screen.is_empty:
        undo = "/undo" if session.is_prompt else f"todo chat undo {outcome.number}"
        screen.show_summary(undo, outcome.usage)


def raise_for_outcome(outcome: TurnOutcome, *, is_empty: bool = False) -> None:
    """Raise the error of a failed turn; end a stopped one with exit code 130."""
    if outcome.state == "failed":
        hint = f"continue with: todo ask -c {outcome.number} 'go on'"
        raise outcome.error or ModelFailed("the answer was interrupted", hint=hint)
    if outcome.state == "stopped":
        text.note("(stopped before the first word)" if is_empty else STOPPED)
        raise typer.Exit(130)


def _send_answer(session: Session, outcome: TurnOutcome, answer: AnswerTurn, screen: Screen, *, yes: bool) -> None:
    """Send the answer and, on a terminal, show its effects. If another terminal answered first, its answer counts."""
    try:
        session.send(answer)
    except Conflict as error:
        if yes:
            raise
        text.note(f"({escape(error.detail)})")
        return
    if screen.live:
        _show_results(session, outcome.number, outcome.held, answer, screen)


def _show_results(
    session: Session, number: int, held: tuple[PendingCall, ...], answer: AnswerTurn, screen: Screen
) -> list[str]:
    """Show the result of every held call, and return the errors of the approved ones."""
    plans = {(call.message, call.index): call.plan for call in held}
    approved = {(call.message, call.index) for call in approved_calls(held, answer)} if answer.yes else set()
    errors = []
    for message in session.send(ShowConversation(number=number, limit=len(held) + EXTRA_MESSAGES)).messages:
        place = (message.call_seq or 0, message.call_index or 0)
        if message.role == "tool" and (plan := plans.get(place)):
            screen.show_result(plan.verb, plan.arguments, message.content)
            if place in approved and (detail := error_detail(message.content)):
                errors.append(detail)
    return errors


def find_newest_turn(session: Session, number: int) -> tuple[ConversationDetail, BeginTurn]:
    """Return a conversation with its newest messages, and a Request that attaches to its newest turn.

    Raises NotFound for a conversation without messages.
    """
    shown = session.send(ShowConversation(number=number))
    turn = shown.conversation.turn
    if turn is None:
        raise NotFound(f"conversation {number} has no messages", hint="see: todo chat list")
    return shown, BeginTurn(conversation=shown.conversation.id, turn=turn, runner=new_id())


def resume_turn(session: Session, number: int, screen: Screen, *, yes: bool = False) -> TurnOutcome:
    """Follow a conversation's newest turn from its beginning, ask what it needs, and run it if no process does."""
    shown, begin = find_newest_turn(session, number)
    if screen.form == "text" and session.is_terminal:
        for message in shown.messages:
            if message.turn == begin.turn and message.role == "user":
                text.note(f"you: {escape_block(message.content)}")
    return run_to_end(session, begin, screen, yes=yes)


def answer_turn(session: Session, number: int, screen: Screen, *, yes: bool, only: str | None = None) -> TurnOutcome:
    """Approve or refuse the calls that a conversation has planned, or approve some, and run it on."""
    shown, begin = find_newest_turn(session, number)
    if shown.conversation.state not in ("awaiting", "answered"):
        raise Conflict(f"conversation {number} is not waiting for approval", hint=f"see: todo chat show {number}")
    watched = asyncio.run(read_turn(session.settings, begin.turn))
    answer = AnswerTurn(turn=begin.turn, yes=yes)
    if only is not None:
        answer = approve_some(begin.turn, watched.held, only.split())
    if yes and screen.form == "text":
        print_pending_calls(session, watched.held, chosen=parse_numbers(only.split()) if only else ())
    session.send(answer)
    errors = _show_results(session, number, watched.held, answer, screen) if watched.held else []
    after = watched.batches[-1].n if watched.batches else -1
    outcome = run_to_end(session, begin, screen, yes=False, after=after)
    if errors:
        raise Conflict("; ".join(errors), hint=f"see: todo chat show {number}")
    return outcome

"""What `ask`, `chat` and the REPL share: a turn with its questions, from the words to its end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress

import msgspec
import typer

from todo_cli.cli.approval_prompt import approve_some, approved_calls, ask_approval
from todo_cli.cli.echo import no_echo
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape, escape_block
from todo_cli.cli.render.turn import Screen, format_held_calls
from todo_cli.cli.session import Session
from todo_cli.contract.conversations import AnswerTurn, ConversationDetail, ListConversations, ShowConversation
from todo_cli.contract.ids import new_id
from todo_cli.contract.turn_steps import BeginTurn
from todo_cli.errors import Conflict, ModelFailed, NotFound
from todo_cli.turn_client.run import TurnOutcome, converse, look

MAX_MESSAGE_CHARS = 100_000
EXTRA_MESSAGES = 10
"""Messages that may have come between an answer and the look at what it did."""


def open_screen(session: Session, form: str) -> Screen:
    """Where a turn is shown: on a terminal while it comes."""
    return Screen(form, live=session.table, colored=session.color)


def new_turn(conversation: str, words: str) -> BeginTurn:
    """A new turn."""
    from todo_cli.errors import Invalid

    if not words.strip():
        raise Invalid("there is nothing to say", hint="todo ask 'What is due today?'")
    if len(words) > MAX_MESSAGE_CHARS:
        raise Invalid(f"the message is longer than {MAX_MESSAGE_CHARS:,} characters", hint="send the part that matters")
    return BeginTurn(conversation=conversation, turn=new_id(), runner=new_id(), text=words)


def run_to_end(
    session: Session,
    begin: BeginTurn,
    screen: Screen,
    *,
    yes: bool,
    after: int = -1,
    seen: Callable[[TurnOutcome], None] = lambda _: None,
) -> TurnOutcome:
    """Run the turn, and ask the person what must be asked, until it has ended; raises what ended it otherwise."""
    begin = msgspec.structs.replace(begin, model=session.model)
    while True:
        outcome = run_with_signals(session, begin, screen, after)
        seen(outcome)
        if outcome.state != "awaiting":
            break
        answer = ask_approval(session, outcome, screen, yes=yes)
        if answer:
            _send_answer(session, outcome, answer, screen, yes=yes)
        after = outcome.after
    screen.close(outcome)
    raise_for_outcome(outcome)
    return outcome


def raise_for_outcome(outcome: TurnOutcome) -> None:
    """Raises what became of a turn that did not end well."""
    if outcome.state == "failed":
        raise outcome.error or ModelFailed(
            "the answer was broken off", hint=f"go on with: todo ask -c {outcome.number} 'go on'"
        )
    if outcome.state == "stopped":
        text.note("(stopped; what was said and done stays)")
        raise typer.Exit(130)


def _send_answer(session: Session, outcome: TurnOutcome, answer: AnswerTurn, screen: Screen, *, yes: bool) -> None:
    """Send it; on a terminal, say what came of it. Another terminal may have been faster: then that one counts."""
    try:
        session.send(answer)
    except Conflict as error:
        if yes:
            raise
        text.note(f"({escape(error.detail)})")
        return
    if answer.yes and screen.live:
        wanted = {(one.message, one.index): one.plan for one in approved_calls(outcome.held, answer)}
        shown = session.send(ShowConversation(number=outcome.number, limit=len(outcome.held) + EXTRA_MESSAGES))
        for one in shown.messages:
            plan = wanted.get((one.call_seq or 0, one.call_index or 0)) if one.role == "tool" else None
            if plan:
                screen.done(plan.verb, plan.arguments, one.content)


def run_with_signals(session: Session, begin: BeginTurn, screen: Screen, after: int = -1) -> TurnOutcome:
    """Until the turn rests. Ctrl-C stops it, wherever it runs; a second one only leaves it."""
    left: list[int] = []
    try:
        return asyncio.run(_run_until_stopped(session, begin, screen, after, left))
    except asyncio.CancelledError:
        if left:
            raise SystemExit(128 + left[0]) from None
        raise KeyboardInterrupt from None


async def _run_until_stopped(
    session: Session, begin: BeginTurn, screen: Screen, after: int, left: list[int]
) -> TurnOutcome:
    stop, loop, this = asyncio.Event(), asyncio.get_running_loop(), asyncio.current_task()

    def interrupted() -> None:
        if stop.is_set() and this:
            this.cancel()
        stop.set()

    def ending(number: int) -> None:
        left.append(number)
        if this:
            this.cancel()

    with suppress(NotImplementedError):  # Windows
        loop.add_signal_handler(signal.SIGINT, interrupted)
        for number in (signal.SIGHUP, signal.SIGTERM):  # the terminal was closed: the turn is let go, not stopped
            loop.add_signal_handler(number, ending, number)
    with no_echo():
        return await converse(session.settings, begin, screen.tell, stop, after)


def find_newest_turn(session: Session, number: int) -> tuple[ConversationDetail, BeginTurn]:
    """A conversation with its newest messages, and what attaches to its newest turn; raises NotFound."""
    shown = session.send(ShowConversation(number=number))
    turn = shown.conversation.turn
    if turn is None:
        raise NotFound(f"nothing was said yet in conversation {number}", hint="see: todo chat list")
    return shown, BeginTurn(conversation=shown.conversation.id, turn=turn, runner=new_id())


def resume_turn(session: Session, number: int, screen: Screen, *, yes: bool = False) -> TurnOutcome:
    """Take up a conversation's newest turn, from its beginning: where it runs, where it waits, where nobody runs it."""
    shown, begin = find_newest_turn(session, number)
    if screen.form == "text" and session.table:
        for one in shown.messages:
            if one.turn == begin.turn and one.role == "user":
                text.note(f"you: {escape_block(one.content)}")
    return run_to_end(session, begin, screen, yes=yes)


def find_last_conversation(session: Session) -> int:
    """The number of the conversation that was used last; raises NotFound."""
    found = session.send(ListConversations(limit=1)).conversations
    if not found:
        raise NotFound("you have no conversations yet", hint="begin one with: todo ask 'What is due today?'")
    return found[0].number


def answer_turn(session: Session, number: int, screen: Screen, *, yes: bool, only: str | None = None) -> TurnOutcome:
    """Say yes or no to what a conversation waits to do, or yes to some of it, and go on with it."""
    shown, begin = find_newest_turn(session, number)
    if shown.conversation.state not in ("awaiting", "answered"):
        raise Conflict(f"conversation {number} waits for no answer", hint=f"see: todo chat show {number}")
    waits = asyncio.run(look(session.settings, begin.turn))
    given = AnswerTurn(turn=begin.turn, yes=yes)
    if only is not None:
        given = approve_some(begin.turn, waits.held, only.split())
    if yes and screen.form == "text":
        for line in format_held_calls(waits.held):
            text.note(text.wrap(line, " " * 14))
    session.send(given)
    after = waits.batches[-1].n if waits.batches else -1
    return run_to_end(session, begin, screen, yes=False, after=after)

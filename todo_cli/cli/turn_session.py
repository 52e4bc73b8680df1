"""What `ask`, `chat` and the REPL share: a turn with its questions, from the words to its end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress

import msgspec
import typer

from todo_cli.cli.approval_prompt import chosen, decided, picked
from todo_cli.cli.echo import quiet
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape, safe_block
from todo_cli.cli.render.turn import Screen, held_lines
from todo_cli.cli.session import Session
from todo_cli.contract.conversations import AnswerTurn, ConversationShown, ListConversations, ShowConversation
from todo_cli.contract.ids import new_id
from todo_cli.contract.turn_steps import BeginTurn
from todo_cli.errors import Conflict, ModelFailed, NotFound
from todo_cli.turn_client.run import TurnOutcome, converse, look

MOST = 100_000
ROOM = 10
"""Messages that may have come between an answer and the look at what it did."""


def screen(session: Session, form: str) -> Screen:
    """Where a turn is shown: on a terminal while it comes."""
    return Screen(form, live=session.table, colored=session.color)


def said(conversation: str, words: str) -> BeginTurn:
    """A new turn."""
    from todo_cli.errors import Invalid

    if not words.strip():
        raise Invalid("there is nothing to say", hint="todo ask 'What is due today?'")
    if len(words) > MOST:
        raise Invalid(f"the message is longer than {MOST:,} characters", hint="send the part that matters")
    return BeginTurn(conversation=conversation, turn=new_id(), runner=new_id(), text=words)


def settle(
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
        outcome = run(session, begin, screen, after)
        seen(outcome)
        if outcome.state != "awaiting":
            break
        answer = decided(session, outcome, screen, yes=yes)
        if answer:
            _answered(session, outcome, answer, screen, yes=yes)
        after = outcome.after
    screen.close(outcome)
    finish(outcome)
    return outcome


def finish(outcome: TurnOutcome) -> None:
    """Raises what became of a turn that did not end well."""
    if outcome.state == "failed":
        raise outcome.error or ModelFailed(
            "the answer was broken off", hint=f"go on with: todo ask -c {outcome.number} 'go on'"
        )
    if outcome.state == "stopped":
        text.note("(stopped; what was said and done stays)")
        raise typer.Exit(130)


def _answered(session: Session, outcome: TurnOutcome, answer: AnswerTurn, screen: Screen, *, yes: bool) -> None:
    """Send it; on a terminal, say what came of it. Another terminal may have been faster: then that one counts."""
    try:
        session.send(answer)
    except Conflict as error:
        if yes:
            raise
        text.note(f"({escape(error.detail)})")
        return
    if answer.yes and screen.live:
        wanted = {(one.message, one.index): one.plan for one in chosen(outcome.held, answer)}
        shown = session.send(ShowConversation(number=outcome.number, limit=len(outcome.held) + ROOM))
        for one in shown.messages:
            plan = wanted.get((one.call_seq or 0, one.call_index or 0)) if one.role == "tool" else None
            if plan:
                screen.done(plan.verb, plan.arguments, one.content)


def run(session: Session, begin: BeginTurn, screen: Screen, after: int = -1) -> TurnOutcome:
    """Until the turn rests. Ctrl-C stops it, wherever it runs; a second one only leaves it."""
    left: list[int] = []
    try:
        return asyncio.run(_conversed(session, begin, screen, after, left))
    except asyncio.CancelledError:
        if left:
            raise SystemExit(128 + left[0]) from None
        raise KeyboardInterrupt from None


async def _conversed(session: Session, begin: BeginTurn, screen: Screen, after: int, left: list[int]) -> TurnOutcome:
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
    with quiet():
        return await converse(session.settings, begin, screen.tell, stop, after)


def newest_turn(session: Session, number: int) -> tuple[ConversationShown, BeginTurn]:
    """A conversation with its newest messages, and what attaches to its newest turn; raises NotFound."""
    shown = session.send(ShowConversation(number=number))
    turn = shown.conversation.turn
    if turn is None:
        raise NotFound(f"nothing was said yet in conversation {number}", hint="see: todo chat list")
    return shown, BeginTurn(conversation=shown.conversation.id, turn=turn, runner=new_id())


def resume(session: Session, number: int, screen: Screen, *, yes: bool = False) -> TurnOutcome:
    """Take up a conversation's newest turn, from its beginning: where it runs, where it waits, where nobody runs it."""
    shown, begin = newest_turn(session, number)
    if screen.form == "text" and session.table:
        for one in shown.messages:
            if one.turn == begin.turn and one.role == "user":
                text.note(f"you: {safe_block(one.content)}")
    return settle(session, begin, screen, yes=yes)


def last_used(session: Session) -> int:
    """The number of the conversation that was used last; raises NotFound."""
    found = session.send(ListConversations(limit=1)).conversations
    if not found:
        raise NotFound("you have no conversations yet", hint="begin one with: todo ask 'What is due today?'")
    return found[0].number


def answer(session: Session, number: int, screen: Screen, *, yes: bool, only: str | None = None) -> TurnOutcome:
    """Say yes or no to what a conversation waits to do, or yes to some of it, and go on with it."""
    shown, begin = newest_turn(session, number)
    if shown.conversation.state not in ("awaiting", "answered"):
        raise Conflict(f"conversation {number} waits for no answer", hint=f"see: todo chat show {number}")
    waits = asyncio.run(look(session.settings, begin.turn))
    given = AnswerTurn(turn=begin.turn, yes=yes)
    if only is not None:
        given = picked(begin.turn, waits.held, only.split())
    if yes and screen.form == "text":
        for line in held_lines(waits.held):
            text.note(text.wrapped(line, " " * 14))
    session.send(given)
    after = waits.batches[-1].n if waits.batches else -1
    return settle(session, begin, screen, yes=False, after=after)

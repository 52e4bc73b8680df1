"""todo chat watch"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from todo_cli.cli.commands.chat_list import ConversationArgument
from todo_cli.cli.options import JsonLines
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape_block
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.conversations import Conversation, ShowConversation

if TYPE_CHECKING:
    from todo_cli.cli.render.turn import Screen
    from todo_cli.contract.turn_events import TurnProgress
    from todo_cli.turn_client.outcome import TurnOutcome

POLL_INTERVAL_SECONDS = 1.0


def watch(
    ctx: typer.Context,
    number: ConversationArgument,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep watching for further turns.")] = False,
    as_lines: JsonLines = False,
) -> None:
    """Watch a conversation that runs elsewhere until its turn ends.

    Ctrl-C stops watching, not the turn.

    todo chat watch 3

    todo chat watch 3 --follow --jsonl
    """
    from todo_cli.cli import turn_session

    session = session_of(ctx)
    screen = turn_session.open_screen(session, "jsonl" if as_lines else "text")
    _, begin = turn_session.find_newest_turn(session, number)
    outcome = _watch_turn(session, _fetch(session, number), begin.turn, screen)
    while follow:
        conversation = _wait_for_turn(session, number, outcome.turn)
        outcome = _watch_turn(session, conversation, conversation.turn or "", screen)
    turn_session.raise_for_outcome(outcome)


def _fetch(session: Session, number: int) -> Conversation:
    return session.send(ShowConversation(number=number, limit=1)).conversation


def _wait_for_turn(session: Session, number: int, previous: str) -> Conversation:
    while (conversation := _fetch(session, number)).turn == previous:
        time.sleep(POLL_INTERVAL_SECONDS)
    return conversation


def _watch_turn(session: Session, conversation: Conversation, turn: str, screen: Screen) -> TurnOutcome:
    if screen.form == "text":
        for message in session.send(ShowConversation(number=conversation.number)).messages:
            if message.turn == turn and message.role == "user":
                text.note(f"you: {escape_block(message.content)}")
    answers: list[str] = []

    def on_event(event: dict[str, object]) -> None:
        if event["kind"] == "end":
            answers.append(str(event["text"]))
        screen.show_event(event)

    def on_waiting(watched: TurnProgress) -> None:
        _print_waiting(session, screen, conversation.number, watched)

    import asyncio

    from todo_cli.turn_client.outcome import TurnOutcome, outcome_of
    from todo_cli.turn_client.watch import watch_turn

    watched = asyncio.run(watch_turn(session.settings, turn, on_event, on_waiting))
    outcome = TurnOutcome(turn, conversation.id, conversation.number, watched.state)
    outcome = outcome_of(outcome, watched, answers[-1] if answers else "", -1)
    screen.close(outcome)
    return outcome


def _print_waiting(session: Session, screen: Screen, number: int, watched: TurnProgress) -> None:
    if screen.form == "jsonl":
        import msgspec

        screen.write_event({"kind": "waiting", "held": msgspec.to_builtins(watched.held)})
        return
    from todo_cli.cli.pending_output import print_pending_calls

    print_pending_calls(session, watched.held)
    text.note(f"These changes need approval: todo chat approve {number} (or --no)")

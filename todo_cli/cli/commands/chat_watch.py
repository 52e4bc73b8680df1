"""todo chat watch"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from todo_cli.cli.commands.chat_list import Number
from todo_cli.cli.options import JsonLines
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape_block
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.conversations import Conversation, ShowConversation

if TYPE_CHECKING:
    from todo_cli.cli.render.turn import Screen
    from todo_cli.contract.turn_events import TurnProgress
    from todo_cli.turn_client.run import TurnOutcome

EVERY = 1.0
"""Seconds between two looks for a new turn."""


def watch(
    ctx: typer.Context,
    number: Number,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is said next.")] = False,
    as_lines: JsonLines = False,
) -> None:
    """Watch a conversation that goes on elsewhere, until its turn ends. Ctrl-C only leaves it.

    todo chat watch 3

    todo chat watch 3 --follow --jsonl
    """
    from todo_cli.cli import turn_session

    session = session_of(ctx)
    screen = turn_session.open_screen(session, "jsonl" if as_lines else "text")
    _, begin = turn_session.find_newest_turn(session, number)
    outcome = _watched(session, _shown(session, number), begin.turn, screen)
    while follow:
        found = _next(session, number, outcome.turn)
        outcome = _watched(session, found, found.turn or "", screen)
    turn_session.raise_for_outcome(outcome)


def _shown(session: Session, number: int) -> Conversation:
    return session.send(ShowConversation(number=number, limit=1)).conversation


def _next(session: Session, number: int, before: str) -> Conversation:
    while (found := _shown(session, number)).turn == before:
        time.sleep(EVERY)
    return found


def _watched(session: Session, found: Conversation, turn: str, screen: Screen) -> TurnOutcome:
    if screen.form == "text":
        for one in session.send(ShowConversation(number=found.number)).messages:
            if one.turn == turn and one.role == "user":
                text.note(f"you: {escape_block(one.content)}")
    said: list[str] = []

    def tell(event: dict[str, object]) -> None:
        if event["kind"] == "end":
            said.append(str(event["text"]))
        screen.tell(event)

    def waits(seen: TurnProgress) -> None:
        _waits(screen, found.number, seen)

    import asyncio

    from todo_cli.turn_client.run import TurnOutcome, stands
    from todo_cli.turn_client.watch import attend

    seen = asyncio.run(attend(session.settings, turn, tell, waits))
    outcome = stands(TurnOutcome(turn, found.id, found.number, seen.state), seen, said[-1] if said else "", -1)
    screen.close(outcome)
    return outcome


def _waits(screen: Screen, number: int, seen: TurnProgress) -> None:
    if screen.form == "jsonl":
        import msgspec

        screen.line({"kind": "waiting", "held": msgspec.to_builtins(seen.held)})
        return
    from todo_cli.cli.render.turn import format_held_calls

    for line in format_held_calls(seen.held):
        text.note(line)
    text.note(f"It waits for a yes: todo chat approve {number} (or --no)")

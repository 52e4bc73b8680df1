"""Find the user's last message, and rewind to before it, for /retry and /edit."""

from __future__ import annotations

from todo_cli.cli.prompts import ask_yes_no
from todo_cli.cli.render import text
from todo_cli.cli.render.changes import format_difference
from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.list_view import open_view
from todo_cli.cli.repl.texts import NO_MESSAGES
from todo_cli.cli.session import Session
from todo_cli.contract.conversations import RewindTurn, ShowConversation, UndoTurn
from todo_cli.errors import Conflict, Invalid

LOOKBACK_MESSAGES = (20, 1_000)
"""How many messages to search for the user's last one: most turns have few, the longest some hundred."""


def find_last_message(session: Session, number: int | None) -> tuple[str, str | None]:
    """Return the user's last message and the turn it began; None for a turn that was rewound already."""
    if number is None:
        raise Invalid(NO_MESSAGES)
    for limit in LOOKBACK_MESSAGES:
        shown = session.send(ShowConversation(number=number, limit=limit))
        last = next((message for message in reversed(shown.messages) if message.role == "user"), None)
        if last and last.turn == shown.conversation.turn:
            return last.content, last.turn
        if last:
            break
    if shown.conversation.turn is None:
        raise Invalid(NO_MESSAGES)
    return session.send(RewindTurn(turn=shown.conversation.turn)).text, None


def rewind(session: Session, turn: str) -> None:
    """Rewind to before the turn, and undo its changes if the person agrees."""
    can_undo = session.is_interactive and _print_changes(session, turn)
    if can_undo and ask_yes_no(session, "Undo these changes first?", yes=False, flag="/undo"):
        session.send(UndoTurn(turn=turn))
    else:
        session.send(RewindTurn(turn=turn))


def _print_changes(session: Session, turn: str) -> bool:
    """Print the changes of a turn; return whether there are any that can be undone."""
    try:
        planned = session.send(UndoTurn(turn=turn, dry_run=True))
    except Conflict as error:
        text.note(text.wrap(escape(f"(the changes of the first answer stay: {error.detail})")))
        return False
    view = open_view(session)
    for difference in planned.differences:
        text.note(text.wrap(f"  {format_difference(difference, view)}", "    "))
    return bool(planned.differences)

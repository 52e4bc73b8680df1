"""Chat at a prompt. Plain lines go to the model; lines that begin with / are commands and work without a model."""

from __future__ import annotations

from todo_cli.cli.conversation_option import find_conversation
from todo_cli.cli.render import text
from todo_cli.cli.repl.loop import Repl
from todo_cli.cli.repl.reader import open_reader
from todo_cli.cli.repl.state import ReplState
from todo_cli.cli.repl.texts import WELCOME
from todo_cli.cli.session import Session


def run_repl(session: Session, named: str) -> None:
    """Chat until Ctrl-D, /exit or the end of the input."""
    conversation = find_conversation(session, named)
    session.is_prompt = True
    state = ReplState(session, conversation.number)
    repl = Repl(session, conversation.id, state, open_reader(session, state))
    if session.is_interactive:
        text.note("\n".join(text.wrap(line) for line in WELCOME.splitlines()))
    repl.run()

"""The conversation at a prompt. Plain lines go to the model; what begins with / is a command, and needs none."""

from __future__ import annotations

from todo_cli.cli.commands.ask import conversation_id
from todo_cli.cli.render import text
from todo_cli.cli.repl.loop import Repl
from todo_cli.cli.repl.reader import Reader, open_reader
from todo_cli.cli.repl.state import ReplState
from todo_cli.cli.session import Session

WELCOME = """\
Say what you want: "What is due today?" or "Remind me to call Anna on Friday".
/help shows the commands, Tab completes, Ctrl-C stops an answer, Ctrl-D leaves."""


def run_repl(session: Session, named: str) -> None:
    """Until Ctrl-D, /exit, or the end of the input."""
    conversation = conversation_id(session, named)
    state = ReplState(session, None if named == "new" else int(named))
    read: Reader = open_reader(session, state)
    one = Repl(session, conversation, state, read)
    if session.is_interactive:
        text.note("\n".join(text.wrap(line) for line in WELCOME.splitlines()))
    one.run()

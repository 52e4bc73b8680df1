"""Send one message to the model."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.conversation_option import NEW, ConversationCommand, ConversationOption, find_conversation
from todo_cli.cli.message_input import read_message
from todo_cli.cli.options import ApproveAll, Json, JsonLines, Model, Quiet, output_form
from todo_cli.cli.session import Session, session_of

PANEL = "Chat"
app = typer.Typer(add_completion=False)

MessageWords = Annotated[
    list[str] | None, typer.Argument(help="Message; - stands for the text on stdin.", metavar="MESSAGE")
]


@app.command(cls=ConversationCommand)
def ask(
    ctx: typer.Context,
    words: MessageWords = None,
    conversation: ConversationOption = NEW,
    yes: ApproveAll = False,
    model: Model = None,
    quiet: Quiet = False,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Send one message to the model, in a new conversation unless --conversation names one.

    The model asks before it deletes tasks or changes several. Without a
    terminal, the command then exits with 10; answer with "todo chat approve".
    Ctrl-C stops the answer. The text so far and the changes are kept.

    todo ask 'move everything due today to monday, except the dentist'

    todo ask --conversation 3 --yes 'and delete the done ones' --json

    git diff | todo ask 'which tasks does this finish?'
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    session.model, session.quiet = model, quiet
    _ask(session, read_message(words or []), conversation, form, yes=yes)


def _ask(session: Session, message: str, conversation: str, form: str, *, yes: bool) -> None:
    from todo_cli.cli import turn_session
    from todo_cli.cli.render import text

    begin = turn_session.new_turn(find_conversation(session, conversation).id, message)
    screen = turn_session.open_screen(session, form)
    outcome = turn_session.run_to_end(session, begin, screen, yes=yes)
    if form == "text" and session.is_terminal and conversation == NEW:
        text.hint(session, f"(continue with: todo ask -c {outcome.number} '{screen.signs.ellipsis}')")

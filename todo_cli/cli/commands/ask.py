"""Send one message to the model."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from todo_cli.cli.options import ApproveAll, Json, JsonLines, Model, output_form
from todo_cli.cli.session import Session, session_of
from todo_cli.errors import Invalid

PANEL = "Chat"
app = typer.Typer(add_completion=False)

MAX_CHAR_BYTES = 4  # of UTF-8

ConversationOption = Annotated[
    str, typer.Option("--conversation", "-c", help="Continue this conversation.", metavar="N|new")
]


@app.command()
def ask(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(help="Message; - reads it from stdin.", metavar="MESSAGE")],
    conversation: ConversationOption = "new",
    yes: ApproveAll = False,
    model: Model = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Send one message to the model, in a new conversation unless --conversation names one.

    The model asks before it deletes tasks or changes several. Without a
    terminal, the command then exits with 10; answer with "todo chat approve".
    Ctrl-C stops the answer. The text so far and the changes are kept.

    todo ask 'move everything due today to monday, except the dentist'

    todo ask --conversation 3 --yes 'and delete the done ones' --json
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    session.model = model
    message = _read_stdin() if words == ["-"] else " ".join(words)
    _ask(session, message, conversation, form, yes=yes)


def _ask(session: Session, message: str, conversation: str, form: str, *, yes: bool) -> None:
    from todo_cli.cli import turn_session
    from todo_cli.cli.render import text

    begin = turn_session.new_turn(find_conversation_id(session, conversation), message)
    screen = turn_session.open_screen(session, form)
    outcome = turn_session.run_to_end(session, begin, screen, yes=yes)
    if form == "text" and session.is_terminal and conversation == "new":
        text.note(f"(continue with: todo ask -c {outcome.number} '…')")


def find_conversation_id(session: Session, named: str) -> str:
    """Return the id of the conversation with this number, or a new id for "new"; raises NotFound, Invalid."""
    if named == "new":
        from todo_cli.contract.ids import new_id

        return new_id()
    from todo_cli.contract.conversations import ShowConversation
    from todo_cli.contract.limits import MAX_INTEGER

    if not (named.isascii() and named.isdigit()) or not 1 <= int(named[:30]) <= MAX_INTEGER:
        raise Invalid(f"{named[:40]!r} is not a conversation number", hint="see: todo chat list")
    return session.send(ShowConversation(number=int(named), limit=1)).conversation.id


def _read_stdin() -> str:
    from todo_cli.contract.limits import MAX_MESSAGE_CHARS

    limit = MAX_MESSAGE_CHARS * MAX_CHAR_BYTES
    data = sys.stdin.buffer.read(limit + 1)
    try:
        # input beyond the limit may end in the middle of a character
        return data.decode() if len(data) <= limit else data.decode(errors="replace")
    except UnicodeDecodeError:
        raise Invalid("the message is not valid UTF-8", hint="convert it first, for example with iconv") from None

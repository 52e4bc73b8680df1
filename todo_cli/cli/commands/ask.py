"""Send one message to the model."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from todo_cli.cli.options import Json, JsonLines, Model, output_form
from todo_cli.cli.session import Session, session_of
from todo_cli.errors import Invalid

PANEL = "Chat"
app = typer.Typer(add_completion=False)

MAX_UTF8_BYTES = 4
"""Bytes of a character in UTF-8, at most."""


@app.command()
def ask(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(help="What to say; - reads it from stdin.", metavar="WORDS")],
    conversation: Annotated[
        str, typer.Option("--conversation", "-c", help="Go on with this one: its number.", metavar="N|new")
    ] = "new",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree to whatever it asks.")] = False,
    model: Model = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Say one thing to the model, which keeps the list; in a new conversation unless one is named.

    What changes several tasks, or deletes, is shown and asked first; without a terminal it waits for
    "todo chat approve" and ends with 10. Ctrl-C stops it, and keeps what was said and done.

    todo ask 'move everything due today to monday, except the dentist'

    todo ask --conversation 3 --yes 'and delete the done ones' --json
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    session.model = model
    text = _from_stdin() if words == ["-"] else " ".join(words)
    _ask(session, text, conversation, form, yes=yes)


def _ask(session: Session, words: str, conversation: str, form: str, *, yes: bool) -> None:
    from todo_cli.cli import turn_session
    from todo_cli.cli.render import text

    begin = turn_session.new_turn(conversation_id(session, conversation), words)
    screen = turn_session.open_screen(session, form)
    outcome = turn_session.run_to_end(session, begin, screen, yes=yes)
    if form == "text" and session.table and conversation == "new":
        text.note(f"(go on with: todo ask -c {outcome.number} '…')")


def conversation_id(session: Session, named: str) -> str:
    """Of a new conversation, or of one that is there; raises NotFound, Invalid."""
    if named == "new":
        from todo_cli.contract.ids import new_id

        return new_id()
    from todo_cli.cli.options import MAX_TASK_NUMBER
    from todo_cli.contract.conversations import ShowConversation

    if not (named.isascii() and named.isdigit()) or not 1 <= int(named[:30]) <= MAX_TASK_NUMBER:
        raise Invalid(f"{named[:40]!r} is not a conversation's number", hint="see: todo chat list")
    return session.send(ShowConversation(number=int(named), limit=1)).conversation.id


def _from_stdin() -> str:
    from todo_cli.cli.turn_session import MAX_MESSAGE_CHARS

    data = sys.stdin.buffer.read(MAX_MESSAGE_CHARS * MAX_UTF8_BYTES + 1)
    try:
        # what is too long may be cut in the middle of a character
        return data.decode() if len(data) <= MAX_MESSAGE_CHARS * MAX_UTF8_BYTES else data.decode(errors="replace")
    except UnicodeDecodeError:
        raise Invalid("the text is not valid UTF-8", hint="convert it first, for example with iconv") from None

"""todo chat resume"""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.conversation_option import LAST, find_conversation
from todo_cli.cli.options import ApproveAll, Json, JsonLines, Quiet, output_form
from todo_cli.cli.session import session_of


def resume(
    ctx: typer.Context,
    number: Annotated[
        int | None, typer.Argument(help="Conversation number; by default the one used last.", min=1, metavar="N")
    ] = None,
    yes: ApproveAll = False,
    quiet: Quiet = False,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Follow a conversation's last answer, from any machine.

    Shows the text so far and the rest as it arrives, and asks for approvals.
    If the process that ran it has died, the answer continues here.

    todo chat resume

    todo chat resume 3 --jsonl
    """
    from todo_cli.cli import turn_session

    session, form = session_of(ctx), output_form(as_json, as_lines)
    session.quiet = session.quiet or quiet
    named = LAST if number is None else str(number)
    conversation = find_conversation(session, named).number or 0
    turn_session.resume_turn(session, conversation, turn_session.open_screen(session, form), yes=yes)

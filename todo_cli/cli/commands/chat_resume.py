"""todo chat resume"""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.options import Json, JsonLines, output_form
from todo_cli.cli.session import session_of


def resume(
    ctx: typer.Context,
    number: Annotated[
        int | None, typer.Argument(help="The conversation's number; else the one used last.", min=1, metavar="N")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree to whatever it asks.")] = False,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:  # fmt: skip
    """Take up a conversation's last answer, from any machine: what it has said, the rest of it, and what it asks.

    An answer whose machine has died goes on here, once half a minute has passed since its last sign of life.

    todo chat resume

    todo chat resume 3 --jsonl
    """
    from todo_cli.cli import turn_session

    session, form = session_of(ctx), output_form(as_json, as_lines)
    found = number or turn_session.find_last_conversation(session)
    turn_session.resume_turn(session, found, turn_session.open_screen(session, form), yes=yes)

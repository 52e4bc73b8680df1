"""todo chat retry, todo chat edit"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from todo_cli.cli.commands.chat_list import Number, turn_of
from todo_cli.cli.options import Json, JsonLines, Model, output_form
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.conversations import RewindTurn

if TYPE_CHECKING:
    from todo_cli.cli.render.turn import Screen
    from todo_cli.turn_client.outcome import TurnOutcome

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Agree to whatever it asks.")]


def retry(
    ctx: typer.Context,
    number: Number,
    yes: Yes = False,
    model: Model = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Say a conversation's last words again, for another answer. What the first one changed stays: see "chat undo".

    todo chat retry 3

    todo chat retry 3 --model gpt-5 --yes
    """
    _command(ctx, number, None, model, output_form(as_json, as_lines), yes=yes)


def edit(
    ctx: typer.Context,
    number: Number,
    words: Annotated[list[str], typer.Argument(help="What to say instead.", metavar="WORDS")],
    yes: Yes = False,
    model: Model = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Say something else instead of a conversation's last words. What the first answer changed stays: see "chat undo".

    todo chat edit 3 'move it to tuesday'

    todo chat edit 3 'delete only the done ones' --yes --json
    """
    _command(ctx, number, " ".join(words), model, output_form(as_json, as_lines), yes=yes)


def _command(ctx: typer.Context, number: int, words: str | None, model: str | None, form: str, *, yes: bool) -> None:
    from todo_cli.cli import turn_session

    session = session_of(ctx)
    session.model = model or session.model
    again(session, number, words, turn_session.open_screen(session, form), yes=yes)


def again(session: Session, number: int, words: str | None, screen: Screen, *, yes: bool) -> TurnOutcome:
    """Go back to before the last turn, and say its words again, or others; raises Conflict while it runs or waits."""
    from todo_cli.cli import turn_session

    if words is not None:
        turn_session.new_turn("", words)  # what cannot be said moves nothing
    rewound = session.send(RewindTurn(turn=turn_of(session, number)))
    begin = turn_session.new_turn(rewound.conversation.id, rewound.text if words is None else words)
    return turn_session.run_to_end(session, begin, screen, yes=yes)

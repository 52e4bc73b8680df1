"""todo chat retry, todo chat edit"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from todo_cli.cli.commands.chat_list import ConversationArgument, find_turn
from todo_cli.cli.message_input import read_message
from todo_cli.cli.options import ApproveAll, Json, JsonLines, Model, Quiet, output_form
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.conversations import RewindTurn

if TYPE_CHECKING:
    from todo_cli.cli.render.turn import Screen
    from todo_cli.turn_client.outcome import TurnOutcome


def retry(
    ctx: typer.Context,
    number: ConversationArgument,
    yes: ApproveAll = False,
    model: Model = None,
    quiet: Quiet = False,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Send a conversation's last message again, for another answer.

    Changes of the first answer stay. To undo them, run "todo chat undo" first.

    todo chat retry 3

    todo chat retry 3 --model gpt-5 --yes
    """
    session_of(ctx).quiet = session_of(ctx).quiet or quiet
    _run_again(ctx, number, None, model, output_form(as_json, as_lines), yes=yes)


def edit(
    ctx: typer.Context,
    number: ConversationArgument,
    words: Annotated[
        list[str] | None,
        typer.Argument(help="New text of the message; - stands for the text on stdin.", metavar="MESSAGE"),
    ] = None,
    yes: ApproveAll = False,
    model: Model = None,
    quiet: Quiet = False,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Replace a conversation's last message and answer it anew.

    Changes of the first answer stay. To undo them, run "todo chat undo" first.

    todo chat edit 3 'move it to tuesday'

    todo chat edit 3 'delete only the done ones' --yes --json
    """
    session_of(ctx).quiet = session_of(ctx).quiet or quiet
    _run_again(ctx, number, read_message(words or []), model, output_form(as_json, as_lines), yes=yes)


def _run_again(ctx: typer.Context, number: int, words: str | None, model: str | None, form: str, *, yes: bool) -> None:
    from todo_cli.cli import turn_session

    session = session_of(ctx)
    session.model = model or session.model
    answer_again(session, number, words, turn_session.open_screen(session, form), yes=yes)


def answer_again(session: Session, number: int, words: str | None, screen: Screen, *, yes: bool) -> TurnOutcome:
    """Rewind to before the last turn, and send its message again or `words` instead.

    Raises Conflict while the turn runs or waits for approval.
    """
    from todo_cli.cli import turn_session

    if words is not None:
        turn_session.new_turn("", words)  # validate the message before the conversation is rewound
    rewound = session.send(RewindTurn(turn=find_turn(session, number)))
    begin = turn_session.new_turn(rewound.conversation.id, rewound.text if words is None else words)
    return turn_session.run_to_end(session, begin, screen, yes=yes)

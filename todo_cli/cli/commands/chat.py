"""Chat with the model; list, show and manage conversations."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.commands.chat_export import export
from todo_cli.cli.commands.chat_import import import_conversation
from todo_cli.cli.commands.chat_list import STATES, Number, list_conversations, show, turn_of
from todo_cli.cli.commands.chat_resume import resume
from todo_cli.cli.commands.chat_retry import edit, retry
from todo_cli.cli.commands.chat_search import search
from todo_cli.cli.commands.chat_usage import usage
from todo_cli.cli.commands.chat_watch import watch
from todo_cli.cli.options import Json, JsonLines, Model, output_form
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.session import session_of
from todo_cli.contract import conversations as asked
from todo_cli.contract.conversations import Conversation
from todo_cli.errors import Invalid

PANEL = "Chat"
app = typer.Typer(add_completion=False, invoke_without_command=True)
app.command("list")(list_conversations)
app.command()(show)
app.command()(search)
app.command()(resume)
app.command()(watch)
app.command()(retry)
app.command()(edit)
app.command()(usage)
app.command()(export)
app.command("import")(import_conversation)

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only list what would be done.")]
Partial = Annotated[bool, typer.Option("--partial", help="Leave alone what has moved on.")]


@app.callback()
def chat(
    ctx: typer.Context,
    conversation: Annotated[
        str, typer.Option("--conversation", "-c", help="Go on with this one: its number.", metavar="N|new")
    ] = "new",
    model: Model = None,
) -> None:
    """Talk with the model, which keeps the list; /help there lists what else can be typed.

    todo chat

    todo chat --conversation 3
    """
    session_of(ctx).model = model
    if ctx.invoked_subcommand is None:
        from todo_cli.cli.repl import run_repl

        run_repl(session_of(ctx), conversation)


@app.command()
def approve(
    ctx: typer.Context,
    number: Number,
    no: Annotated[bool, typer.Option("--no", help="Say no instead.")] = False,
    only: Annotated[
        str | None, typer.Option(help="Yes to these numbers of the list, no to the others.", metavar="N...")
    ] = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Say yes, or no, to what a conversation waits to do; it does precisely what "show" lists, and goes on.

    todo chat approve 3

    todo chat approve 3 --only '1 3-4'
    """
    from todo_cli.cli import turn_session

    session, form = session_of(ctx), output_form(as_json, as_lines)
    if no and only is not None:
        raise Invalid("--no and --only exclude each other")
    turn_session.answer_turn(session, number, turn_session.open_screen(session, form), yes=not no, only=only)


@app.command()
def stop(ctx: typer.Context, number: Number, as_json: Json = False) -> None:
    """Stop a conversation's turn, wherever it runs: the words that came and what was done stay.

    todo chat stop 3

    todo chat stop 3 --json
    """
    session = session_of(ctx)
    turn = session.send(asked.StopTurn(turn=turn_of(session, number)))
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(turn)
        return
    text.write(
        f"Stopping {number}." if turn.state == "running" else f"{number} is {STATES.get(turn.state, turn.state)}."
    )


@app.command()
def undo(ctx: typer.Context, number: Number, partial: Partial = False, dry_run: DryRun = False,
         as_json: Json = False) -> None:  # fmt: skip
    """Take back all that a conversation's last turn changed, as one, and go on from before it.

    todo chat undo 3 --dry-run

    todo chat undo 3
    """
    from todo_cli.cli.undo_output import show_undo

    turn = turn_of(session_of(ctx), number)
    show_undo(ctx, asked.UndoTurn(turn=turn, partial=partial, dry_run=dry_run), "Undid", None, as_json=as_json)


@app.command()
def redo(ctx: typer.Context, number: Number, partial: Partial = False, dry_run: DryRun = False,
         as_json: Json = False) -> None:  # fmt: skip
    """Do again what undoing a conversation's last turn took back.

    todo chat redo 3 --dry-run

    todo chat redo 3
    """
    from todo_cli.cli.undo_output import show_undo

    turn = turn_of(session_of(ctx), number)
    show_undo(ctx, asked.RedoTurn(turn=turn, partial=partial, dry_run=dry_run), "Did again", None, as_json=as_json)


@app.command()
def rename(
    ctx: typer.Context,
    number: Number,
    title: Annotated[list[str], typer.Argument(help="The new title.", metavar="TITLE")],
    as_json: Json = False,
) -> None:
    """Give a conversation another title.

    todo chat rename 3 'Plans for the move'

    todo chat rename 3 Groceries --json
    """
    session = session_of(ctx)
    _print(session.send(asked.RenameConversation(number=number, title=" ".join(title))), "Renamed", as_json=as_json)


@app.command()
def fork(
    ctx: typer.Context,
    number: Number,
    at: Annotated[
        int | None, typer.Option("--at", help="From the turn that ended with this message.", min=1, metavar="SEQ")
    ] = None,
    as_json: Json = False,
) -> None:
    """Start a new conversation from a point of this one; from then on they share nothing.

    todo chat fork 3

    todo chat fork 3 --at 12
    """
    from todo_cli.contract.ids import new_id

    session = session_of(ctx)
    _print(session.send(asked.ForkConversation(number=number, id=new_id(), at=at)), "Made", as_json=as_json)


@app.command()
def rm(
    ctx: typer.Context,
    number: Number,
    restore: Annotated[bool, typer.Option("--restore", help="Bring it back instead.")] = False,
    as_json: Json = False,
) -> None:
    """Move a conversation to the bin: it is not listed, found or exported any more. What it has changed stays.

    todo chat rm 3

    todo chat rm 3 --restore
    """
    session = session_of(ctx)
    if restore:
        _print(session.send(asked.RestoreConversation(number=number)), "Restored", as_json=as_json)
    else:
        _print(session.send(asked.RemoveConversation(number=number)), "To the bin:", as_json=as_json)


def _print(request: Conversation, word: str, *, as_json: bool) -> None:
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(request)
        return
    text.write(escape(f"{word} conversation {request.number}: {request.title}"))

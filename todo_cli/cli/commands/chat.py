"""Chat with the model; list, search and manage conversations."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.commands.chat_export import export
from todo_cli.cli.commands.chat_import import import_conversation
from todo_cli.cli.commands.chat_list import ConversationArgument, find_turn, list_conversations, raise_no_messages, show
from todo_cli.cli.commands.chat_resume import resume
from todo_cli.cli.commands.chat_retry import edit, retry
from todo_cli.cli.commands.chat_search import search
from todo_cli.cli.commands.chat_usage import usage
from todo_cli.cli.commands.chat_watch import watch
from todo_cli.cli.conversation_option import NEW, ConversationGroup, ConversationOption
from todo_cli.cli.options import DryRun, Json, JsonLines, Model, Partial, Quiet, output_form
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.session import session_of
from todo_cli.contract.conversations import (
    Conversation,
    ForkConversation,
    RedoTurn,
    RemoveConversation,
    RenameConversation,
    RestoreConversation,
    ShowConversation,
    StopTurn,
    UndoTurn,
)
from todo_cli.contract.turn_steps import ENDED_STATES
from todo_cli.errors import Invalid

PANEL = "Chat"
app = typer.Typer(add_completion=False, invoke_without_command=True, cls=ConversationGroup)
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


@app.callback()
def chat(ctx: typer.Context, conversation: ConversationOption = NEW, model: Model = None, quiet: Quiet = False) -> None:
    """Chat with the model at a prompt. Type /help there for its commands.

    todo chat

    todo chat --conversation 3
    """
    session_of(ctx).model, session_of(ctx).quiet = model, quiet
    if ctx.invoked_subcommand is None:
        from todo_cli.cli.repl import run_repl

        run_repl(session_of(ctx), conversation)


@app.command()
def approve(
    ctx: typer.Context,
    number: ConversationArgument,
    no: Annotated[bool, typer.Option("--no", help="Refuse instead.")] = False,
    only: Annotated[
        str | None, typer.Option(help="Approve these numbers of the list and refuse the others.", metavar="N...")
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Approve or refuse the changes that a conversation has planned.

    See the changes with "todo chat show".

    todo chat approve 3

    todo chat approve 3 --only '1 3-4'
    """
    from todo_cli.cli import turn_session

    session, form = session_of(ctx), output_form(as_json, as_lines)
    session.quiet = session.quiet or quiet
    if no and only is not None:
        raise Invalid("--no and --only cannot be used together")
    turn_session.answer_turn(session, number, turn_session.open_screen(session, form), yes=not no, only=only)


@app.command()
def stop(ctx: typer.Context, number: ConversationArgument, as_json: Json = False) -> None:
    """Stop a conversation's answer, wherever it runs.

    The text so far and the changes are kept.

    todo chat stop 3

    todo chat stop 3 --json
    """
    session = session_of(ctx)
    before = session.send(ShowConversation(number=number, limit=1)).conversation
    if before.turn is None:
        raise_no_messages(number)
    turn = session.send(StopTurn(turn=before.turn))
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(turn)
        return
    if before.state in ENDED_STATES:
        text.write(f"Nothing runs or waits in conversation {number}; nothing was stopped.")
    else:
        text.write(f"{'Stopping' if turn.state == 'running' else 'Stopped'} conversation {number}.")


@app.command()
def undo(
    ctx: typer.Context,
    number: ConversationArgument,
    partial: Partial = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Undo all changes of a conversation's last turn, and continue from before it.

    todo chat undo 3 --dry-run

    todo chat undo 3
    """
    from todo_cli.cli.undo_output import show_undo

    turn = find_turn(session_of(ctx), number)
    show_undo(ctx, UndoTurn(turn=turn, partial=partial, dry_run=dry_run), None, as_json=as_json)


@app.command()
def redo(
    ctx: typer.Context,
    number: ConversationArgument,
    partial: Partial = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Redo the changes of a conversation's last turn after "todo chat undo".

    todo chat redo 3 --dry-run

    todo chat redo 3
    """
    from todo_cli.cli.undo_output import show_undo

    turn = find_turn(session_of(ctx), number)
    show_undo(ctx, RedoTurn(turn=turn, partial=partial, dry_run=dry_run), None, as_json=as_json)


@app.command()
def rename(
    ctx: typer.Context,
    number: ConversationArgument,
    title: Annotated[list[str], typer.Argument(help="New title.", metavar="TITLE")],
    as_json: Json = False,
) -> None:
    """Rename a conversation.

    todo chat rename 3 'Plans for the move'

    todo chat rename 3 Groceries --json
    """
    renamed = session_of(ctx).send(RenameConversation(number=number, title=" ".join(title)))
    _print_conversation(renamed, "Renamed", as_json=as_json)


@app.command()
def fork(
    ctx: typer.Context,
    number: ConversationArgument,
    at: Annotated[
        int | None, typer.Option("--at", help="Copy up to the turn that ended with this message.", min=1, metavar="SEQ")
    ] = None,
    as_json: Json = False,
) -> None:
    """Copy a conversation, whole or up to a message, into a new one.

    todo chat fork 3

    todo chat fork 3 --at 12
    """
    from todo_cli.contract.ids import new_id

    forked = session_of(ctx).send(ForkConversation(number=number, id=new_id(), at=at))
    _print_conversation(forked, "Created", as_json=as_json)


@app.command()
def rm(
    ctx: typer.Context,
    number: ConversationArgument,
    restore: Annotated[bool, typer.Option("--restore", help="Restore it from the trash.")] = False,
    as_json: Json = False,
) -> None:
    """Move a conversation to the trash.

    It is no longer listed, searched or exported. Its changes to tasks stay.

    todo chat rm 3

    todo chat rm 3 --restore
    """
    session = session_of(ctx)
    if restore:
        _print_conversation(session.send(RestoreConversation(number=number)), "Restored", as_json=as_json)
    else:
        _print_conversation(session.send(RemoveConversation(number=number)), "Deleted", as_json=as_json)


def _print_conversation(conversation: Conversation, past: str, *, as_json: bool) -> None:
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(conversation)
        return
    text.write(escape(f"{past} conversation {conversation.number}: {conversation.title}"))

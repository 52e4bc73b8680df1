"""todo chat"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from todo_cli.cli.options import Json, JsonLines, Model, one_of
from todo_cli.cli.render import text
from todo_cli.cli.render.safe import safe
from todo_cli.cli.resume import resume
from todo_cli.cli.session import Session, session_of
from todo_cli.contract import conversations as asked
from todo_cli.contract.conversations import Conversation, ConversationShown
from todo_cli.errors import NotFound

app = typer.Typer(add_completion=False, invoke_without_command=True)
app.command()(resume)

Number = Annotated[int, typer.Argument(help="The conversation's number, from: todo chat list.", min=1, metavar="N")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only list what would be done.")]
Partial = Annotated[bool, typer.Option("--partial", help="Leave alone what has moved on.")]

STATES = {"running": "answering", "awaiting": "waits for a yes", "answered": "answered", "failed": "failed"}


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
        from todo_cli.cli.repl import repl

        repl(session_of(ctx), conversation)


@app.command("list")
def list_conversations(
    ctx: typer.Context,
    most: Annotated[int, typer.Option("-n", help="How many.", min=1, max=1000, metavar="COUNT")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on from `next` of --json.", metavar="TEXT")] = None,
    as_json: Json = False,
) -> None:
    """List conversations, newest first, and which of them wait for an answer.

    todo chat list

    todo chat list -n 5 --json
    """
    session = session_of(ctx)
    page = session.send(asked.ListConversations(limit=most, cursor=cursor))
    if as_json:
        from todo_cli.cli.render import json

        json.document(page)
        return
    from todo_cli.cli.render.rows import rows

    now = datetime.now(UTC)
    rows(session, ("#", "Title", "State", "Last"), [_row(one, now) for one in page.conversations])


@app.command()
def show(
    ctx: typer.Context,
    number: Number,
    most: Annotated[int, typer.Option("-n", help="How many messages.", min=1, max=1000, metavar="COUNT")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on from `next` of --json.", metavar="TEXT")] = None,
    as_json: Json = False,
) -> None:
    """Show a conversation's newest messages, and what waits for a yes.

    todo chat show 3

    todo chat show 3 -n 200 --json
    """
    session = session_of(ctx)
    shown = session.send(asked.ShowConversation(number=number, limit=most, cursor=cursor))
    if as_json:
        from todo_cli.cli.render import json

        json.document(shown)
        return
    from todo_cli.cli.render.talk import message_lines

    text.write(safe(f"{number}. {shown.conversation.title}"))
    if shown.next:
        text.note(f"(older ones: todo chat show {number} --cursor '{safe(shown.next)}')")
    for message in shown.messages:
        for line in message_lines(message):
            text.write(line)
    _waiting(session, shown)


def _waiting(session: Session, shown: ConversationShown) -> None:
    found = shown.conversation
    if found.state != "awaiting" or found.turn is None:
        return
    import asyncio

    from todo_cli.backends.talk import look
    from todo_cli.cli.render.talk import held_lines

    for line in held_lines(asyncio.run(look(session.settings, found.turn)).held):
        text.write(f"     {line}")
    text.note(f"It waits for a yes: todo chat approve {found.number} (or --no)")


@app.command()
def approve(
    ctx: typer.Context,
    number: Number,
    no: Annotated[bool, typer.Option("--no", help="Say no instead.")] = False,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Say yes, or no, to what a conversation waits to do; it does precisely what "show" lists, and goes on.

    todo chat approve 3

    todo chat approve 3 --no
    """
    from todo_cli.cli import talking
    from todo_cli.cli.render.talk import Screen

    session, form = session_of(ctx), one_of(as_json, as_lines)
    talking.answer(session, number, Screen(form, live=session.table), yes=not no)


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

        json.document(turn)
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
    from todo_cli.cli.invert import invert

    turn = turn_of(session_of(ctx), number)
    invert(ctx, asked.UndoTurn(turn=turn, partial=partial, dry_run=dry_run), "Undid", None, as_json=as_json)


@app.command()
def redo(ctx: typer.Context, number: Number, partial: Partial = False, dry_run: DryRun = False,
         as_json: Json = False) -> None:  # fmt: skip
    """Do again what undoing a conversation's last turn took back.

    todo chat redo 3 --dry-run

    todo chat redo 3
    """
    from todo_cli.cli.invert import invert

    turn = turn_of(session_of(ctx), number)
    invert(ctx, asked.RedoTurn(turn=turn, partial=partial, dry_run=dry_run), "Did again", None, as_json=as_json)


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


def turn_of(session: Session, number: int) -> str:
    """The id of a conversation's newest turn; raises NotFound."""
    turn = session.send(asked.ShowConversation(number=number, limit=1)).conversation.turn
    if turn is None:
        raise NotFound(f"nothing was said yet in conversation {number}", hint="see: todo chat list")
    return turn


def _print(it: Conversation, word: str, *, as_json: bool) -> None:
    if as_json:
        from todo_cli.cli.render import json

        json.document(it)
        return
    text.write(safe(f"{word} conversation {it.number}: {it.title}"))


def _row(one: Conversation, now: datetime) -> tuple[str, ...]:
    state = STATES.get(one.state or "", "")
    return str(one.number), one.title, state, text.ago(one.updated_at, now)

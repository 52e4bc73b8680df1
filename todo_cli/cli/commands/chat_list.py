"""todo chat list, todo chat show"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from todo_cli.cli.options import Json
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.session import Session, session_of
from todo_cli.contract import conversations as asked
from todo_cli.contract.conversations import Conversation, ConversationDetail
from todo_cli.errors import NotFound

Number = Annotated[int, typer.Argument(help="The conversation's number, from: todo chat list.", min=1, metavar="N")]

STATES = {"running": "answering", "awaiting": "waits for a yes", "answered": "answered", "failed": "failed"}


def list_conversations(
    ctx: typer.Context,
    most: Annotated[int, typer.Option("-n", help="How many.", min=1, max=1000, metavar="COUNT")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on from `next` of --json.", metavar="TEXT")] = None,
    deleted: Annotated[bool, typer.Option("--deleted", help="Those in the bin instead.")] = False,
    as_json: Json = False,
) -> None:
    """List conversations, newest first, and which of them wait for an answer.

    todo chat list

    todo chat list -n 5 --json
    """
    session = session_of(ctx)
    page = session.send(asked.ListConversations(limit=most, cursor=cursor, deleted=deleted))
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(page)
        return
    from todo_cli.cli.render.rows import print_rows

    now = datetime.now(UTC)
    print_rows(session, ("#", "Title", "State", "Last"), [_row(one, now) for one in page.conversations])


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

        json.write_document(shown)
        return
    from todo_cli.cli.render.turn import format_message

    text.write(escape(f"{number}. {shown.conversation.title}"))
    if shown.next:
        text.note(f"(older ones: todo chat show {number} --cursor '{escape(shown.next)}')")
    for message in shown.messages:
        for line in format_message(message):
            text.write(line)
    _waiting(session, shown)


def _waiting(session: Session, shown: ConversationDetail) -> None:
    found = shown.conversation
    if found.state != "awaiting" or found.turn is None:
        return
    import asyncio

    from todo_cli.cli.render.turn import format_held_calls
    from todo_cli.turn_client.run import look

    for line in format_held_calls(asyncio.run(look(session.settings, found.turn)).held):
        text.write(f"     {line}")
    text.note(f"It waits for a yes: todo chat approve {found.number} (or --no)")


def _row(one: Conversation, now: datetime) -> tuple[str, ...]:
    state = STATES.get(one.state or "", "")
    return str(one.number), one.title, state, text.format_age(one.updated_at, now)


def turn_of(session: Session, number: int) -> str:
    """The id of a conversation's newest turn; raises NotFound."""
    turn = session.send(asked.ShowConversation(number=number, limit=1)).conversation.turn
    if turn is None:
        raise NotFound(f"nothing was said yet in conversation {number}", hint="see: todo chat list")
    return turn

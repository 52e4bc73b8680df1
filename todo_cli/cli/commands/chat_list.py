"""todo chat list, todo chat show"""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated, NoReturn

import typer

from todo_cli.cli.options import Cursor, Json
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.conversations import Conversation, ConversationDetail, ListConversations, ShowConversation
from todo_cli.errors import NotFound

ConversationArgument = Annotated[
    int, typer.Argument(help="Conversation number (see: todo chat list).", min=1, metavar="N")
]

EMPTY_MESSAGE = "No conversations yet. Start one with: todo ask 'What is due today?'"
STATES = {"running": "answering", "awaiting": "needs approval", "answered": "answered", "failed": "failed"}


def list_conversations(
    ctx: typer.Context,
    limit: Annotated[
        int, typer.Option("--limit", "-n", help="Maximum number of conversations.", min=1, max=1000, metavar="COUNT")
    ] = 50,
    cursor: Cursor = None,
    deleted: Annotated[bool, typer.Option("--deleted", help="List conversations in the trash.")] = False,
    as_json: Json = False,
) -> None:
    """List conversations, newest first, with their state.

    todo chat list

    todo chat list -n 5 --json
    """
    session = session_of(ctx)
    page = session.send(ListConversations(limit=limit, cursor=cursor, deleted=deleted))
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(page)
        return
    from todo_cli.cli.render.rows import print_rows

    cells = [_row(conversation) for conversation in page.conversations]
    print_rows(
        session,
        ("#", "Title", "State", "Last change"),
        cells,
        nothing="The trash is empty." if deleted else EMPTY_MESSAGE,
    )


def show(
    ctx: typer.Context,
    number: ConversationArgument,
    limit: Annotated[
        int, typer.Option("--limit", "-n", help="Maximum number of messages.", min=1, max=1000, metavar="COUNT")
    ] = 50,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """Show a conversation's newest messages, and the changes that need approval.

    todo chat show 3

    todo chat show 3 -n 200 --json
    """
    session = session_of(ctx)
    shown = session.send(ShowConversation(number=number, limit=limit, cursor=cursor))
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(shown)
        return
    from todo_cli.cli.render.history import history_lines, plain_lines
    from todo_cli.cli.render.list_view import open_view
    from todo_cli.cli.render.pager import print_lines

    title = escape(f"{number}. {shown.conversation.title}")
    if shown.next:
        text.note(f"(older messages: todo chat show {number} --cursor '{escape(shown.next)}')")
    if session.is_terminal:
        lines = history_lines(shown.messages, open_view(session), colored=session.use_color)
    else:
        lines = plain_lines(shown.messages)
    print_lines(session, [title, *lines])
    _print_pending_calls(session, shown)


def _print_pending_calls(session: Session, shown: ConversationDetail) -> None:
    conversation = shown.conversation
    if conversation.state != "awaiting" or conversation.turn is None:
        return
    import asyncio

    from todo_cli.cli.pending_output import print_pending_calls
    from todo_cli.turn_client.run import read_turn

    watched = asyncio.run(read_turn(session.settings, conversation.turn))
    print_pending_calls(session, watched.held, out=sys.stdout)
    text.note(f"These changes need your approval: todo chat approve {conversation.number} (or --no)")


def _row(conversation: Conversation) -> tuple[str | datetime, ...]:
    state = STATES.get(conversation.state or "", "")
    return str(conversation.number), conversation.title, state, conversation.updated_at


def find_turn(session: Session, number: int) -> str:
    """Return the id of a conversation's newest turn; raises NotFound."""
    turn = session.send(ShowConversation(number=number, limit=1)).conversation.turn
    if turn is None:
        raise_no_messages(number)
    return turn


def raise_no_messages(number: int) -> NoReturn:
    """Raise the error of a conversation in which nothing was asked yet."""
    raise NotFound(f"conversation {number} has no messages", hint="see: todo chat list")

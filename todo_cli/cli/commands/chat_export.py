"""todo chat export"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, TextIO

import typer

from todo_cli.cli.commands.chat_list import ConversationArgument
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape_json
from todo_cli.cli.render.progress import Progress
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.codec import encode
from todo_cli.contract.conversation_export import ExportedMessage, ExportHeader
from todo_cli.contract.conversations import Conversation, ConversationDetail, ShowConversation
from todo_cli.contract.limits import MAX_PAGE_ITEMS
from todo_cli.contract.turn_steps import ENDED_STATES, Message
from todo_cli.errors import NotFound, Unavailable


def export(
    ctx: typer.Context,
    number: ConversationArgument,
    form: Annotated[
        Literal["md", "jsonl"] | None, typer.Option("--format", help="Markdown for reading, JSON Lines for import.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write instead of stdout.", metavar="FILE")
    ] = None,
) -> None:
    """Export a whole conversation: messages, tool calls, results, times, models and costs.

    JSON Lines can be imported again with "todo chat import".
    They are the default for a file that ends in .jsonl.

    todo chat export 3 > rent.md

    todo chat export 3 -o rent.jsonl
    """
    session = session_of(ctx)
    form = form or ("jsonl" if output and output.suffix == ".jsonl" else "md")
    conversation, messages = read_conversation(session, number)
    lines = markdown_lines(conversation, messages) if form == "md" else json_lines(conversation, messages)
    with _open_output(output) as file:
        for line in lines:
            file.write(line + "\n")


def read_conversation(session: Session, number: int) -> tuple[Conversation, Iterator[Message]]:
    """Return a conversation and all of its messages, oldest first, without a turn that has not ended.

    Pages can only be read backwards. So their cursors are collected first, and the pages are then read forwards: one
    page at a time is in memory.
    """
    shown = session.send(ShowConversation(number=number, limit=MAX_PAGE_ITEMS))
    conversation = shown.conversation
    if not shown.messages:
        raise NotFound(f"conversation {number} has no messages", hint="see: todo chat list")
    newest = shown.messages[-1]
    cursors = [f"{newest.conversation} {newest.seq}"]
    while shown.next:
        cursors.append(shown.next)
        shown = session.send(ShowConversation(number=number, limit=MAX_PAGE_ITEMS, cursor=shown.next))
    unfinished = conversation.turn if conversation.state not in (*ENDED_STATES, None) else None
    if unfinished:
        text.note("(without the newest message, which has no complete answer yet)")
    messages = _read_forwards(session, number, shown, cursors)
    return conversation, (message for message in messages if message.turn != unfinished)


def _read_forwards(session: Session, number: int, oldest: ConversationDetail, cursors: list[str]) -> Iterator[Message]:
    yield from oldest.messages
    progress = Progress("pages written")
    for count, cursor in enumerate(reversed(cursors[:-1]), 1):
        progress.update(count, len(cursors))
        yield from session.send(ShowConversation(number=number, limit=MAX_PAGE_ITEMS, cursor=cursor)).messages
    progress.end()


@contextmanager
def _open_output(path: Path | None) -> Iterator[TextIO]:
    """Open stdout, or a file that appears under its name only when it is complete; raises Unavailable."""
    if path is None:
        yield sys.stdout
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            yield file
        temporary.replace(path)
    except OSError as error:
        raise Unavailable(f"cannot write {path}: {error.strerror}", hint="name another file with: -o FILE") from None
    finally:
        temporary.unlink(missing_ok=True)


def json_lines(conversation: Conversation, messages: Iterator[Message]) -> Iterator[str]:
    """Yield a header, then the messages, numbered from 1 on."""
    head = f"{conversation.turn} {conversation.head}"
    header = ExportHeader(
        id=conversation.id,
        number=conversation.number,
        title=conversation.title,
        model=conversation.model,
        created_at=conversation.created_at,
        head=head,
    )
    yield escape_json(encode(header).decode())
    seqs: dict[tuple[str, int], int] = {}  # (conversation, seq) of a message with calls -> its seq in the export
    for seq, message in enumerate(messages, 1):
        if message.role == "user":
            seqs.clear()  # the result of a call is always in the call's own turn
        if message.calls:
            seqs[message.conversation, message.seq] = seq
        call_seq = None if message.call_seq is None else seqs.get((message.conversation, message.call_seq))
        names = ("turn", "role", "content", "calls", "model", "usage", "at")
        fields = {name: getattr(message, name) for name in names}
        fields["status"] = "interrupted" if message.status != "whole" else "whole"
        line = encode(ExportedMessage(seq=seq, call_seq=call_seq, call_index=message.call_index, **fields)).decode()
        yield escape_json(line)


def markdown_lines(conversation: Conversation, messages: Iterator[Message]) -> Iterator[str]:
    """Yield a document with a heading per message, and calls and results as code."""
    from todo_cli.cli.render.conversation_markdown import conversation_lines

    return conversation_lines(conversation, messages)

"""todo chat export"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, TextIO

import typer

from todo_cli.cli.commands.chat_list import Number
from todo_cli.cli.render import text
from todo_cli.cli.render.progress import Progress
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.codec import encode
from todo_cli.contract.conversation_export import ExportedMessage, ExportHeader
from todo_cli.contract.conversations import Conversation, ConversationDetail, ShowConversation
from todo_cli.contract.turn_steps import ENDED_STATES, Message
from todo_cli.errors import NotFound, Unavailable

PAGE = 1_000


def export(
    ctx: typer.Context,
    number: Number,
    form: Annotated[
        Literal["md", "jsonl"] | None, typer.Option("--format", help="Markdown to read, or JSON Lines to import.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; else stdout.", metavar="FILE")
    ] = None,
) -> None:
    """Print a whole conversation: what was said, the calls and their results, when, by which model, at what cost.

    JSON Lines can be taken in again, here or elsewhere, with "todo chat import". A file that ends in .jsonl is such.

    todo chat export 3 > rent.md

    todo chat export 3 -o rent.jsonl
    """
    session = session_of(ctx)
    form = form or ("jsonl" if output and output.suffix == ".jsonl" else "md")
    conversation, messages = whole(session, number)
    lines = markdown(conversation, messages) if form == "md" else json_lines(conversation, messages)
    with _written(output) as out:
        for line in lines:
            out.write(line + "\n")


def whole(session: Session, number: int) -> tuple[Conversation, Iterator[Message]]:
    """A conversation and all of its line, oldest first, a page at a time; without a turn that has not ended.

    Its places are read backwards first, then its pages forwards: no more than a page is held.
    """
    shown = session.send(ShowConversation(number=number, limit=PAGE))
    found = shown.conversation
    if not shown.messages:
        raise NotFound(f"nothing was said yet in conversation {number}", hint="see: todo chat list")
    newest = shown.messages[-1]
    starts = [f"{newest.conversation} {newest.seq}"]
    while shown.next:
        starts.append(shown.next)
        shown = session.send(ShowConversation(number=number, limit=PAGE, cursor=shown.next))
    unfinished = found.turn if found.state not in (*ENDED_STATES, None) else None
    if unfinished:
        text.note("(without the newest words: they are not answered yet)")
    return found, (one for one in _forwards(session, number, shown, starts) if one.turn != unfinished)


def _forwards(session: Session, number: int, oldest: ConversationDetail, starts: list[str]) -> Iterator[Message]:
    yield from oldest.messages
    progress = Progress("pages written")
    for done, cursor in enumerate(reversed(starts[:-1]), 1):
        progress(done, len(starts))
        yield from session.send(ShowConversation(number=number, limit=PAGE, cursor=cursor)).messages
    progress.end()


@contextmanager
def _written(path: Path | None) -> Iterator[TextIO]:
    """Stdout, or a file that is there once it is whole; raises Unavailable."""
    if path is None:
        yield sys.stdout
        return
    spare = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with spare.open("w", encoding="utf-8") as out:
            yield out
        spare.replace(path)
    except OSError as error:
        raise Unavailable(f"cannot write {path}: {error.strerror}", hint="name another with: -o FILE") from None
    finally:
        spare.unlink(missing_ok=True)


def json_lines(conversation: Conversation, messages: Iterator[Message]) -> Iterator[str]:
    """A header, then each message with its place from 1 on."""
    head = f"{conversation.turn} {conversation.head}"
    header = ExportHeader(
        id=conversation.id,
        number=conversation.number,
        title=conversation.title,
        model=conversation.model,
        created_at=conversation.created_at,
        head=head,
    )
    yield encode(header).decode()
    places: dict[tuple[str, int], int] = {}
    for place, one in enumerate(messages, 1):
        if one.role == "user":
            places.clear()  # a call is answered in its own turn
        if one.calls:
            places[one.conversation, one.seq] = place
        called = None if one.call_seq is None else places.get((one.conversation, one.call_seq))
        fields = {name: getattr(one, name) for name in ("turn", "role", "content", "calls", "model", "usage", "at")}
        fields["status"] = "interrupted" if one.status != "whole" else "whole"
        yield encode(ExportedMessage(seq=place, call_seq=called, call_index=one.call_index, **fields)).decode()


def markdown(conversation: Conversation, messages: Iterator[Message]) -> Iterator[str]:
    """To be read: a heading a turn, calls and results as code."""
    from todo_cli.cli.render.conversation_markdown import conversation_lines

    return conversation_lines(conversation, messages)

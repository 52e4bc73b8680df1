"""todo chat import"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Annotated

import typer

from todo_cli.cli.options import Json
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.progress import Progress
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.conversation_export import MAX_IMPORT_MESSAGES, ExportHeader, ImportMessages, ImportResult
from todo_cli.errors import Invalid

BYTES = 1_000_000
"""Of one request, at most, unless a message alone has more."""


def import_conversation(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(help="An export in JSON Lines; - reads it from stdin.", metavar="FILE")],
    as_json: Json = False,
) -> None:
    """Take in an exported conversation, as a new one of yours. Nothing in it is done again.

    All of it is read before anything is sent. The same file again adds nothing; what was broken off goes on.

    todo chat import rent.jsonl

    todo chat export 3 --format jsonl | todo --profile work chat import -
    """
    session = session_of(ctx)
    with _opened(file) as lines:
        header, total = _checked(lines)
        lines.seek(0)
        done, stored = _sent(session, lines, total)
    if as_json:
        from todo_cli.cli.render import json

        made = {"number": done.number, "id": done.id, "messages": total, "stored": stored, "removed": done.removed}
        json.write_document(made)
        return
    word = "Imported" if stored else "Imported before:"
    text.write(escape(f"{word} conversation {done.number}: {header.title} ({total:,} messages)"))
    if done.removed:
        text.note(f"It is in the bin: todo chat rm {done.number} --restore")


@contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    """To be read twice; raises Invalid."""
    if name != "-":
        try:
            with open(name, "rb") as file:
                yield file
        except OSError as error:
            raise Invalid(f"cannot read {name}: {error.strerror}") from None
        return
    from shutil import copyfileobj
    from tempfile import SpooledTemporaryFile

    with SpooledTemporaryFile(max_size=64 * 1024 * 1024) as spool:
        copyfileobj(sys.stdin.buffer, spool)
        spool.seek(0)
        yield spool


def _checked(lines: IO[bytes]) -> tuple[ExportHeader, int]:
    from todo_cli.agent.import_file import Reading

    reading = Reading(lines)
    total = sum(1 for _ in reading.messages())
    if not total:
        raise Invalid("there is no message in it", hint="line 1 is the conversation, each further line a message")
    return reading.header, total


def _sent(session: Session, lines: IO[bytes], total: int) -> tuple[ImportResult, int]:
    from todo_cli.agent.import_file import Reading, parts

    reading = Reading(lines)
    first, stored, progress = 0, 0, Progress("messages taken in")
    for part in parts(reading.messages(), MAX_IMPORT_MESSAGES, BYTES):
        done = session.send(ImportMessages(conversation=reading.header, first=first, messages=part))
        first, stored = first + len(part), stored + done.stored
        if total > MAX_IMPORT_MESSAGES:
            progress(first, total)
    progress.end()
    return done, stored

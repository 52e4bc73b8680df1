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
from todo_cli.contract.conversation_export import ExportHeader, ImportMessages, ImportResult
from todo_cli.contract.limits import MAX_IMPORT_MESSAGES
from todo_cli.errors import Invalid

MAX_REQUEST_BYTES = 1_000_000  # unless a single message is larger
MAX_MEMORY_BYTES = 64 * 1024 * 1024


def import_conversation(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(help="Export in JSON Lines; - reads it from stdin.", metavar="FILE")],
    as_json: Json = False,
) -> None:
    """Import an exported conversation as a new one.

    Its tool calls are not run again. The whole file is checked before sending.
    Importing a file again continues, and adds nothing twice.

    todo chat import rent.jsonl

    todo chat export 3 --format jsonl | todo --profile work chat import -
    """
    session = session_of(ctx)
    with _open_input(file) as lines:
        header, total = _check(lines)
        lines.seek(0)
        imported, stored = _send(session, lines, total)
    if as_json:
        from todo_cli.cli.render import json

        summary = {"number": imported.number, "id": imported.id, "messages": total, "stored": stored}
        json.write_document(summary | {"removed": imported.removed})
        return
    word = "Imported" if stored else "Already imported:"
    text.write(escape(f"{word} conversation {imported.number}: {header.title} ({total:,} messages)"))
    if imported.removed:
        text.note(f"It is in the trash. Restore it with: todo chat rm {imported.number} --restore")


@contextmanager
def _open_input(name: str) -> Iterator[IO[bytes]]:
    """Open the file, or a copy of stdin, so that it can be read twice; raises Invalid."""
    if name != "-":
        try:
            with open(name, "rb") as file:
                yield file
        except OSError as error:
            raise Invalid(f"cannot read {name}: {error.strerror}") from None
        return
    from shutil import copyfileobj
    from tempfile import SpooledTemporaryFile

    with SpooledTemporaryFile(max_size=MAX_MEMORY_BYTES) as copy:
        copyfileobj(sys.stdin.buffer, copy)
        copy.seek(0)
        yield copy


def _check(lines: IO[bytes]) -> tuple[ExportHeader, int]:
    from todo_cli.agent.import_file import ExportReader

    reading = ExportReader(lines)
    total = sum(1 for _ in reading.messages())
    if not total:
        raise Invalid("the export has no messages", hint="line 1 is the conversation, each other line a message")
    return reading.header, total


def _send(session: Session, lines: IO[bytes], total: int) -> tuple[ImportResult, int]:
    from todo_cli.agent.import_file import ExportReader, split_into_parts

    reading = ExportReader(lines)
    first, stored, progress = 0, 0, Progress("messages imported")
    for part in split_into_parts(reading.messages(), MAX_IMPORT_MESSAGES, MAX_REQUEST_BYTES):
        imported = session.send(ImportMessages(conversation=reading.header, first=first, messages=part))
        first, stored = first + len(part), stored + imported.stored
        if total > MAX_IMPORT_MESSAGES:
            progress.update(first, total)
    progress.end()
    return imported, stored

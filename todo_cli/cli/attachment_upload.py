"""Upload a file of this machine: measure it, send its bytes to where the server wants them, and attach it."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, NamedTuple

from todo_cli.cli.render.progress import TransferProgress
from todo_cli.cli.session import Session
from todo_cli.contract.attachments import AddAttachment, AttachmentList, StartUpload, StoreChunk, Upload
from todo_cli.contract.base import token_user
from todo_cli.contract.ids import id_of
from todo_cli.contract.limits import MAX_ATTACHMENT_BYTES
from todo_cli.errors import Invalid, TooMany

READ_BYTES = 1024 * 1024
MAX_PAUSE_SECONDS = 60.0  # for which a server's rate limit may ask between two chunks


class MeasuredFile(NamedTuple):
    """An open file with its size and SHA-256."""

    data: IO[bytes]
    name: str
    size: int
    sha256: str


@contextmanager
def open_file(path: str, name: str | None) -> Iterator[MeasuredFile]:
    """Open and measure a file; `-` reads all of stdin first, into a temporary file. Raises Invalid."""
    if path == "-":
        if not name:
            raise Invalid("a file from stdin has no name", hint="name it with: --name notes.txt")
        with tempfile.TemporaryFile() as copy:
            _copy_stdin(copy)
            yield _measure(copy, name)
        return
    try:
        with open(path, "rb") as data:
            yield _measure(data, name or Path(path).name)
    except OSError as error:
        raise Invalid(f"cannot read {path}: {error.strerror}") from None


def _copy_stdin(copy: IO[bytes]) -> None:
    while part := sys.stdin.buffer.read(READ_BYTES):
        copy.write(part)
        _raise_for_size(copy.tell())


def _measure(data: IO[bytes], name: str) -> MeasuredFile:
    size = data.seek(0, os.SEEK_END)
    _raise_for_size(size)
    data.seek(0)
    digest = sha256()
    while part := data.read(READ_BYTES):
        digest.update(part)
    return MeasuredFile(data, name, size, digest.hexdigest())


def _raise_for_size(size: int) -> None:
    if size > MAX_ATTACHMENT_BYTES:
        raise Invalid(
            f"the file is larger than {MAX_ATTACHMENT_BYTES // 2**20} MiB, which is the most",
            hint="attach a link to it in a comment instead",
        )


def attach_file(
    session: Session, number: int, file: MeasuredFile, media_type: str | None, key: str | None
) -> AttachmentList:
    """Upload a file and attach it; raises TodoError. The same file again continues an upload that was cut short."""
    user = token_user(session.settings.require_token().reveal())
    file_id = id_of("attachment", user, session.settings.space or user, str(number), file.name, file.sha256)
    start = StartUpload(
        number=number,
        id=file_id,
        name=file.name,
        size=file.size,
        sha256=file.sha256,
        type=media_type,
    )
    client = session.client
    try:
        upload = client.send_now(start)
        if not upload.is_stored:
            _send_bytes(session, number, file, upload)
        return client.send_now(AddAttachment(number=number, id=file_id), key)
    finally:
        client.close()


def _send_bytes(session: Session, number: int, file: MeasuredFile, upload: Upload) -> None:
    progress = TransferProgress(file.name, file.size)
    try:
        if isinstance(upload.url, str):
            from todo_cli.clients.http_files import put_file

            put_file(upload.url, upload.headers or {}, file.data, file.size, progress.update)
        else:
            _send_chunks(session, number, file, upload, progress)
    finally:
        progress.end()


def _send_chunks(session: Session, number: int, file: MeasuredFile, upload: Upload, progress: TransferProgress) -> None:
    file.data.seek(upload.next_chunk * upload.chunk_bytes)
    position = upload.next_chunk
    while data := file.data.read(upload.chunk_bytes):
        request = StoreChunk(number=number, id=upload.attachment.id, position=position, data=data)
        _send_chunk(session, request)
        position += 1
        progress.update(file.data.tell())


def _send_chunk(session: Session, request: StoreChunk) -> None:
    """Send a chunk, as soon as the rate limit allows."""
    while True:
        try:
            session.client.send_now(request)
        except TooMany as error:
            pause = error.extra.get("retry_after")
            if not isinstance(pause, int | float) or pause > MAX_PAUSE_SECONDS:
                raise
            time.sleep(pause)
        else:
            return

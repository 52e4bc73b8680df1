"""Download an attachment: never outside the chosen directory, never over a file, and only with the right bytes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import IO
from uuid import uuid4

from todo_cli.cli.render.progress import TransferProgress
from todo_cli.cli.session import Session
from todo_cli.contract.attachments import FetchAttachment, ReadChunk
from todo_cli.contract.task_types import Attachment
from todo_cli.errors import Conflict, Invalid

MAX_FILE_NAME_BYTES = 200  # file systems allow 255; a suffix must still fit
WINDOWS_DEVICES = {"con", "prn", "aux", "nul", *(f"{name}{digit}" for name in ("com", "lpt") for digit in range(10))}
UNSAFE_ON_WINDOWS = '<>:"|?*'


def choose_local_name(name: str) -> str:
    """Return a file name that is harmless on this machine: no path, no control character, no hidden file."""
    last = name.replace("\\", "/").rpartition("/")[2].strip()
    unsafe = UNSAFE_ON_WINDOWS if os.name == "nt" else ""
    last = "".join(letter if letter.isprintable() and letter not in unsafe else "_" for letter in last).rstrip(". ")
    if last.startswith(".") or last.split(".")[0].lower() in WINDOWS_DEVICES:
        last = f"_{last.lstrip('.')}"
    stem, dot, suffix = last.rpartition(".")
    if not stem or len(suffix.encode()) > 20:
        stem, dot, suffix = last, "", ""
    kept = stem.encode()[: MAX_FILE_NAME_BYTES - len((dot + suffix).encode())].decode(errors="ignore")
    return kept + dot + suffix or "attachment"


def download_to_file(session: Session, number: int, attachment: Attachment, target: Path, *, force: bool) -> None:
    """Download into a new file beside the target, which gets its name when all bytes are right; raises TodoError."""
    if not force and os.path.lexists(target):
        raise _already_exists(target)
    part = target.with_name(f".{uuid4().hex}.part")
    try:
        with open(part, "xb") as out:
            _download(session, number, attachment, out)
        if force:
            part.replace(target)
        else:
            _rename_to_new(part, target)
    except OSError as error:
        raise Invalid(f"cannot write {target}: {error.strerror}", hint="choose another directory with: --dir") from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def download_to_stdout(session: Session, number: int, attachment: Attachment) -> None:
    """Write the bytes to stdout as they arrive; raises Conflict at the end where they are not the right ones."""
    _download(session, number, attachment, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def _rename_to_new(part: Path, target: Path) -> None:
    """Rename, unless the target has appeared meanwhile."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise _already_exists(target) from None
    except OSError:  # a file system without links
        if os.path.lexists(target):
            raise _already_exists(target) from None
        part.rename(target)


def _already_exists(target: Path) -> Conflict:
    return Conflict(f"{target} already exists", hint="overwrite it with --force, or choose a name with --output")


class _CheckedOutput:
    """Writes parts and counts and hashes them; refuses more bytes than the file has."""

    def __init__(self, out: IO[bytes], attachment: Attachment, progress: TransferProgress) -> None:
        self._out, self._attachment, self._progress = out, attachment, progress
        self._size, self._digest = 0, sha256()

    def restart(self) -> Callable[[bytes], None]:
        """Begin an attempt; raises Conflict where the output cannot be written again from its beginning."""
        if self._size:
            if not self._out.seekable():
                raise Conflict("the transfer was cut short", hint="repeat the command")
            self._out.seek(0)
            self._out.truncate()
        self._size, self._digest = 0, sha256()
        return self.write

    def write(self, part: bytes) -> None:
        """Write a part."""
        self._size += len(part)
        if self._size > self._attachment.size:
            raise self._wrong_bytes()
        self._digest.update(part)
        self._out.write(part)
        self._progress.update(self._size)

    def finish(self) -> None:
        """Raise Conflict unless all bytes are there and right."""
        if (self._size, self._digest.hexdigest()) != (self._attachment.size, self._attachment.sha256):
            raise self._wrong_bytes()

    def _wrong_bytes(self) -> Conflict:
        return Conflict(
            "the downloaded bytes are not those that were attached (by size and SHA-256)",
            hint="repeat the command; if that does not help, the store is damaged",
        )


def _download(session: Session, number: int, attachment: Attachment, out: IO[bytes]) -> None:
    progress = TransferProgress(attachment.name, attachment.size)
    output = _CheckedOutput(out, attachment, progress)
    client = session.client
    try:
        source = client.send_now(FetchAttachment(number=number, id=attachment.id))
        if isinstance(source.url, str):
            from todo_cli.clients.http_files import get_file

            get_file(source.url, output.restart)
        else:
            for position in range(source.chunks):
                output.write(client.send_now(ReadChunk(number=number, id=attachment.id, position=position)).data)
        output.finish()
    finally:
        progress.end()
        client.close()

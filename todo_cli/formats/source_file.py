"""Open the file of an import so that it can be read twice: a file, a copy of stdin, or a member of a zip archive."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, NamedTuple, cast
from zipfile import BadZipFile, ZipFile

from todo_cli.errors import Invalid

MAX_MEMORY_BYTES = 16 * 1024 * 1024
"""More of stdin goes to a temporary file."""
ZIP_MEMBER = "data.json"
"""The member of a zip archive that has the tasks. Nothing is unpacked to disk."""
_ZIP_SIGNATURE = b"PK\x03\x04"


class SourceFile(NamedTuple):
    """An open file and its name without the folder."""

    file: BinaryIO
    name: str


@contextmanager
def open_source(path: str) -> Iterator[SourceFile]:
    """Open a file, or a copy of stdin for `-`; raises Invalid where it cannot be read."""
    if path == "-":
        with SpooledTemporaryFile(max_size=MAX_MEMORY_BYTES) as copy:
            copyfileobj(sys.stdin.buffer, copy)
            yield from _open_content(cast(BinaryIO, copy), "stdin")
        return
    try:
        file = open(path, "rb")  # noqa: SIM115  # closed below; an error of opening it is the user's
    except OSError as error:
        raise Invalid(f"cannot read {path}: {error.strerror}") from None
    with file:
        if not file.seekable():
            with SpooledTemporaryFile(max_size=MAX_MEMORY_BYTES) as copy:
                copyfileobj(file, copy)
                yield from _open_content(cast(BinaryIO, copy), PurePath(path).name)
        else:
            yield from _open_content(file, PurePath(path).name)


def _open_content(file: BinaryIO, name: str) -> Iterator[SourceFile]:
    file.seek(0)
    try:
        is_zip = file.read(len(_ZIP_SIGNATURE)) == _ZIP_SIGNATURE
    except OSError as error:
        raise Invalid(f"cannot read {name}: {error.strerror}") from None
    if not is_zip:
        yield SourceFile(file, name)
        return
    try:
        with ZipFile(file) as archive, archive.open(_find_member(archive, name)) as member:
            yield SourceFile(cast(BinaryIO, member), name)
    except (BadZipFile, NotImplementedError, RuntimeError) as error:
        raise Invalid(f"cannot read the zip archive {name}: {error}") from None


def _find_member(archive: ZipFile, name: str) -> str:
    members = [member.filename for member in archive.infolist() if not member.is_dir()]
    if ZIP_MEMBER in members:
        return ZIP_MEMBER
    if len(members) == 1:
        return members[0]
    raise Invalid(f"{name} has {len(members)} files and no {ZIP_MEMBER}", hint="unpack it and import the files")

"""Open the file of an import so that it can be read twice: a file, or a copy of stdin or of a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, NamedTuple, cast

from todo_cli.errors import Invalid
from todo_cli.formats.records import STDIN_NAME

MAX_MEMORY_BYTES = 16 * 1024 * 1024
"""More of stdin goes to a temporary file."""


class SourceFile(NamedTuple):
    """An open file and its name without the folder."""

    file: BinaryIO
    name: str


@contextmanager
def open_source(path: str) -> Iterator[SourceFile]:
    """Open a file, or a copy of stdin for `-`; raises Invalid where it cannot be read."""
    if path == "-":
        with _copy(sys.stdin.buffer) as copy:
            yield SourceFile(copy, STDIN_NAME)
        return
    name = PurePath(path).name
    try:
        file = open(path, "rb")  # noqa: SIM115  # closed below; an error of opening it is the user's
    except OSError as error:
        raise Invalid(f"cannot read {path}: {error.strerror}") from None
    with file:
        if file.seekable():
            yield SourceFile(file, name)
            return
        with _copy(file) as copy:
            yield SourceFile(copy, name)


@contextmanager
def _copy(file: BinaryIO) -> Iterator[BinaryIO]:
    with SpooledTemporaryFile(max_size=MAX_MEMORY_BYTES) as copy:
        copyfileobj(file, copy)
        yield cast(BinaryIO, copy)

"""Zip archives of an import: members are read bit by bit, within limits, and nothing is unpacked to the disk."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from todo_cli.formats.records import BrokenFile

COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
DAMAGES = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError)
"""What the library raises for a damaged archive, and for one with a password."""
MAX_DATA_BYTES = 2 * 1024 * 1024 * 1024
"""Of all members that are read, unpacked. A member ends at the size that the archive states."""


@contextmanager
def open_archive(file: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """Open an archive; damage found at any time raises BrokenFile."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except DAMAGES as error:
        raise BrokenFile("the archive", str(error) or type(error).__name__) from None

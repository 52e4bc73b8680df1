"""The lines of a text file in any encoding, with their numbers, in constant memory."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from todo_cli.errors import Invalid
from todo_cli.formats.records import FileNotice, NotATask, ReadOptions

CHUNK_BYTES = 64 * 1024
MAX_LINE_BYTES = 1024 * 1024
"""A longer line is refused. A note has up to 100,000 characters of up to 4 bytes."""
SECOND_ENCODING = "cp1252"
"""The encoding of text that is not UTF-8: windows-1252, which contains Latin-1."""


class TextLine(NamedTuple):
    """A line without its end; `number` counts from 1."""

    number: int
    text: str


class TextLines:
    """The lines of a file. They end with LF, CR LF or CR.

    A line that is not UTF-8 is windows-1252. A line that is too long is a refused record, after which the next one
    follows. After the last line, `notices` has the sentences for the report.
    """

    def __init__(self, file: BinaryIO, options: ReadOptions) -> None:
        self._chunks = read_utf8_chunks(file, options.encoding)
        self._foreign_lines = 0

    def __iter__(self) -> Iterator[TextLine | NotATask]:
        for number, line in enumerate(split_lines(self._chunks), 1):
            if line is None:
                reason = f"the line is longer than {MAX_LINE_BYTES:,} bytes"
                yield NotATask(place=f"line:{number}", reason=reason, refused=True)
            else:
                yield TextLine(number, self._decode(line))

    def notices(self) -> Iterator[FileNotice]:
        """Return the notice about lines that were not UTF-8, if there were any."""
        if self._foreign_lines:
            lines = "1 line is" if self._foreign_lines == 1 else f"{self._foreign_lines:,} lines are"
            yield FileNotice(text=f"{lines} not UTF-8: read as windows-1252; --encoding names another")

    def _decode(self, line: bytes) -> str:
        try:
            return line.decode()
        except UnicodeDecodeError:
            self._foreign_lines += 1
            return line.decode(SECOND_ENCODING, "replace")


def read_utf8_chunks(file: BinaryIO, encoding: str | None) -> Iterator[bytes]:
    """Read a file from its beginning without its byte order mark: UTF-16 and a named encoding as UTF-8."""
    file.seek(0)
    chunk = file.read(CHUNK_BYTES)
    encoding = encoding or ("utf-16" if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else None)
    decode = _find_decoder(encoding) if encoding else None
    chunk = chunk.removeprefix(codecs.BOM_UTF8)
    while chunk:
        yield decode.decode(chunk).encode(errors="replace") if decode else chunk
        chunk = file.read(CHUNK_BYTES)
    if decode and (rest := decode.decode(b"", final=True)):
        yield rest.encode(errors="replace")


def _find_decoder(encoding: str) -> codecs.IncrementalDecoder:
    try:
        return codecs.getincrementaldecoder(encoding)(errors="replace")
    except LookupError:
        raise Invalid(f"there is no encoding {encoding!r}", hint="examples: utf-8, utf-16, cp1252, cp437") from None


def split_lines(chunks: Iterator[bytes]) -> Iterator[bytes | None]:
    """Split into lines; None is a line beyond the limit."""
    rest, is_too_long = b"", False
    for chunk in chunks:
        lines = (rest + chunk).splitlines(keepends=True)
        rest = b"" if not lines or lines[-1].endswith(b"\n") else lines.pop()  # a CR may be half of a CR LF
        for line in lines:
            yield None if is_too_long or len(line) > MAX_LINE_BYTES else line.rstrip(b"\r\n")
            is_too_long = False
        if len(rest) > MAX_LINE_BYTES:
            rest, is_too_long = b"", True
    if rest or is_too_long:
        yield None if is_too_long else rest.rstrip(b"\r\n")

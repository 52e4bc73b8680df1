"""The content lines of iCalendar (RFC 5545 section 3.1): unfolding, parameters, escapes of text, and folding."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

from todo_cli.formats.records import FileNotice, ReadOptions
from todo_cli.formats.text_lines import SECOND_ENCODING, read_utf8_chunks, split_lines

MAX_UNFOLDED_BYTES = 4 * 1024 * 1024
"""A longer property, such as an attachment inside the file, loses its value."""
MAX_LINE_OCTETS = 75

_NAME = re.compile(r"[A-Za-z0-9-]+")
_ESCAPE = re.compile(r"\\([\\;,nN])")
_SEPARATOR = re.compile(r"((?:[^\\,]|\\.)*)(?:,|$)", re.DOTALL)
_TEXT_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


class Property(NamedTuple):
    """A content line. `line` is the unfolded text, `value` is still escaped, parameters have names in upper case."""

    line: str
    name: str
    value: str
    parameters: dict[str, str]

    @property
    def text(self) -> str:
        """The value without its escapes."""
        return unescape_text(self.value)


class UnfoldedLine(NamedTuple):
    """A content line and the number of the line in the file that it begins on.

    A line that is too long is cut: `text` is its name then.
    """

    number: int
    text: str
    is_cut: bool = False


class UnfoldedLines:
    """The content lines of a file, unfolded.

    Lines are unfolded before they are decoded, since a fold may be inside a character. A line that is not UTF-8 is
    windows-1252.
    """

    def __init__(self, file: BinaryIO, options: ReadOptions) -> None:
        self._lines = split_lines(read_utf8_chunks(file, options.encoding))
        self._foreign_lines = 0

    def __iter__(self) -> Iterator[UnfoldedLine]:
        start, parts, size = 0, [b""], 0
        for number, line in enumerate(self._lines, 1):
            if line is not None and line[:1] not in (b" ", b"\t"):
                if start:
                    yield self._decode(start, parts, size)
                start, parts, size = number, [line], len(line)
            else:
                size += len(line) - 1 if line is not None else MAX_UNFOLDED_BYTES + 1
                if size <= MAX_UNFOLDED_BYTES and line is not None:
                    parts.append(line[1:])
        if start:
            yield self._decode(start, parts, size)

    def notices(self) -> Iterator[FileNotice]:
        """Return the notice about lines that were not UTF-8, if there were any."""
        if self._foreign_lines:
            lines = "1 line is" if self._foreign_lines == 1 else f"{self._foreign_lines:,} lines are"
            yield FileNotice(text=f"{lines} not UTF-8: read as windows-1252; --encoding names another")

    def _decode(self, number: int, parts: list[bytes], size: int) -> UnfoldedLine:
        line = b"".join(parts)
        if size > MAX_UNFOLDED_BYTES:
            name = re.match(rb"[\w-]*", line)
            return UnfoldedLine(number, name[0].decode() if name else "", is_cut=True)
        try:
            return UnfoldedLine(number, line.decode())
        except UnicodeDecodeError:
            self._foreign_lines += 1
            return UnfoldedLine(number, line.decode(SECOND_ENCODING, "replace"))


def parse_line(line: str) -> Property | None:
    """Return the property of an unfolded line, None for a line that is none."""
    match = _NAME.match(line)
    if not match:
        return None
    name, behind = match[0].upper(), line[match.end() : match.end() + 1]
    if behind == ":":
        return Property(line, name, line[match.end() + 1 :], {})
    if behind != ";":
        return None
    from icalendar.parser import Contentline

    try:
        _, parameters, value = Contentline(line).raw_parts()
    except ValueError:
        return None
    return Property(line, name, value, {key.upper(): _join_values(each) for key, each in parameters.items()})


def _join_values(value: Any) -> str:
    return value if isinstance(value, str) else ",".join(value)


def unescape_text(value: str) -> str:
    """Return a value of type TEXT without its escapes.

    The functions of the library replace one kind of escape after the other: they read `\\\\n`, a backslash and an n,
    as a backslash and a line end.
    """
    return _ESCAPE.sub(lambda match: "\n" if match[1] in "nN" else match[1], value)


def escape_text(text: str) -> str:
    """Return a text as a value of type TEXT."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_TEXT_ESCAPES)


def split_texts(value: str) -> list[str]:
    """Return the texts of a list of texts: `büro,with\\,comma`."""
    return [unescape_text(part) for part in _SEPARATOR.findall(value) if part]


def fold_lines(lines: Iterable[str]) -> str:
    """Return content lines, each in parts of at most 75 octets, with the line ends of the format."""
    return "".join(f"{_fold(line)}\r\n" for line in lines)


def _fold(line: str) -> str:
    if len(line.encode()) <= MAX_LINE_OCTETS:
        return line
    from icalendar.parser import Contentline

    return str(Contentline(line).to_ical(), "utf-8")

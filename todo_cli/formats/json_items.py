"""The items of a JSON file in their order, one at a time: of an array, of an array in an object, or one per line."""

from __future__ import annotations

import json
import math
import re
from codecs import utf_8_decode
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from todo_cli.formats.records import BrokenFile, FileNotice, ReadOptions
from todo_cli.formats.text_lines import SECOND_ENCODING, read_utf8_chunks

MAX_ITEM_CHARS = 16 * 1024 * 1024
"""One task with its note, its comments and the values that are kept."""
MAX_INTEGER_DIGITS = 18

_BLANK = re.compile(r"[\s,]*")


class JsonItem(NamedTuple):
    """An item and its place: `task 3` in an array, `line 3` in a file with an object per line."""

    place: str
    value: Any


class JsonItems:
    """The items of a file. Numbers that JSON cannot carry further (`NaN`, `1e400`, integers over 18 digits) are texts.

    With `key` the file is one object, and the items are those of the array under this key: the object's other values
    are in `others` after the last item. Iteration raises `BrokenFile` where the JSON is none or ends early.
    """

    def __init__(self, file: BinaryIO, options: ReadOptions, key: str | None = None) -> None:
        self.others: dict[str, Any] = {}
        self._key = key
        self._text = JsonText(file, options)

    def __iter__(self) -> Iterator[JsonItem]:
        text = self._text
        if text.take("["):
            yield from self._read_array()
        elif self._key is not None and text.take("{"):
            yield from self._read_object(self._key)
        else:
            while text.peek():
                place = f"line {text.line}"
                yield JsonItem(place, text.read_value(place))
            return
        if text.peek():
            raise BrokenFile("the end of the file", "something follows the JSON")

    def notices(self) -> Iterator[FileNotice]:
        """Return the notice about bytes that were not UTF-8, if there were any."""
        return self._text.notices()

    def _read_array(self) -> Iterator[JsonItem]:
        number = 1
        while not self._text.take("]"):
            place = f"task {number}"
            if not self._text.peek():
                raise BrokenFile(place, "the file ends early")
            yield JsonItem(place, self._text.read_value(place))
            number += 1

    def _read_object(self, key: str) -> Iterator[JsonItem]:
        while not self._text.take("}"):
            name = self._text.read_value("the file's object")
            if not isinstance(name, str) or not self._text.take(":"):
                raise BrokenFile("the file's object", "a name or a colon is missing")
            if name == key and self._text.take("["):
                yield from self._read_array()
            else:
                self.others[name] = self._text.read_value(f"the value of {name!r}")


class JsonText:
    """The text of a file, of which only the part around the current place is in memory."""

    def __init__(self, file: BinaryIO, options: ReadOptions) -> None:
        self.line = 1
        self.foreign_bytes = 0
        self._chunks = read_utf8_chunks(file, options.encoding)
        self._undecoded = b""
        self._buffer = ""
        self._place = 0
        self._is_complete = False
        self._decoder = json.JSONDecoder(parse_float=_read_float, parse_int=_read_int, parse_constant=str, strict=False)

    def peek(self) -> str:
        """Skip blanks and commas and return the next character, nothing at the end."""
        while True:
            self._move(_BLANK.match(self._buffer, self._place).end())  # type: ignore[union-attr]  # it matches always
            if self._place < len(self._buffer) or not self._read_more():
                return self._buffer[self._place : self._place + 1]

    def take(self, character: str) -> bool:
        """Skip the character if it comes next."""
        if self.peek() != character:
            return False
        self._move(self._place + 1)
        return True

    def read_value(self, place: str) -> Any:
        """Read the next value; raises `BrokenFile` where it is none."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._place)
            except RecursionError:
                raise BrokenFile(place, "the JSON is nested too deeply") from None
            except json.JSONDecodeError as error:
                if self._read_more():
                    continue
                reason = f"is longer than {MAX_ITEM_CHARS:,} characters or no JSON" if not self._is_complete else ""
                raise BrokenFile(place, reason or _describe(error, self._buffer)) from None
            if end < len(self._buffer) or not self._read_more():  # a number may go on behind the buffer
                self._move(end)
                return value

    def notices(self) -> Iterator[FileNotice]:
        """Yield the notice about bytes that were not UTF-8, if there were any."""
        if self.foreign_bytes:
            count = f"{self.foreign_bytes:,} byte{'s are' if self.foreign_bytes > 1 else ' is'}"
            yield FileNotice(text=f"{count} not UTF-8: read as windows-1252; --encoding names another")

    def _move(self, place: int) -> None:
        self.line += self._buffer.count("\n", self._place, place)
        self._place = place

    def _read_more(self) -> bool:
        """Double the text behind the current place; return False at the end, or where it is too long for one item."""
        wanted = max(2 * (len(self._buffer) - self._place), 1)
        if self._is_complete or wanted > 2 * MAX_ITEM_CHARS:
            return False
        parts, size = [self._buffer[self._place :]], len(self._buffer) - self._place
        while size < wanted and not self._is_complete:
            chunk = next(self._chunks, None)
            self._is_complete = chunk is None
            parts.append(self._decode(chunk or b""))
            size += len(parts[-1])
        self._buffer, self._place = "".join(parts), 0
        return True

    def _decode(self, chunk: bytes) -> str:
        """Decode UTF-8. Bytes that are none are windows-1252; half a character waits for the next chunk."""
        data = memoryview(self._undecoded + chunk)
        texts = []
        while True:
            try:
                text, used = utf_8_decode(data, "strict", self._is_complete)
            except UnicodeDecodeError as error:
                texts.append(bytes(data[: error.start]).decode())
                texts.append(bytes(data[error.start : error.end]).decode(SECOND_ENCODING, "replace"))
                self.foreign_bytes += error.end - error.start
                data = data[error.end :]
            else:
                self._undecoded = bytes(data[used:])
                return "".join([*texts, text])


def _describe(error: json.JSONDecodeError, buffer: str) -> str:
    is_at_end = error.pos >= len(buffer.rstrip()) or error.msg.startswith("Unterminated string")
    return "the JSON ends early" if is_at_end else f"this is no JSON: {error.msg[:1].lower()}{error.msg[1:]}"


def _read_float(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _read_int(text: str) -> int | str:
    return int(text) if len(text) <= MAX_INTEGER_DIGITS else text

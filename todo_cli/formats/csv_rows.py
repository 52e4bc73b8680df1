"""The rows of a CSV file with a header (RFC 4180), one at a time."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from todo_cli.formats.records import BrokenFile, FileNotice, NotATask, ReadOptions
from todo_cli.formats.text_lines import TextLines

DELIMITERS = ",;\t|"


class CsvRow(NamedTuple):
    """A row by the names of its columns, and its place: `row:2` is the first behind the header."""

    place: str
    cells: dict[str, str]


def split_header(head: str) -> list[str]:
    """Return the names of the columns in the first line of a text."""
    line = next((line for line in head.splitlines() if line.strip()), "")
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=find_delimiter(line)), [])]
    except csv.Error:
        return []


def find_delimiter(header: str) -> str:
    """Return the character that separates the columns of a header."""
    return max(DELIMITERS, key=header.count)


class CsvRows:
    """The rows behind the header."""

    def __init__(self, file: BinaryIO, options: ReadOptions) -> None:
        self._lines = TextLines(file, options)
        self._refused: list[NotATask] = []

    def __iter__(self) -> Iterator[CsvRow | NotATask]:
        texts = self._texts()
        header = next((text for text in texts if text.strip()), "")
        names = split_header(header)
        reader = csv.reader(texts, delimiter=find_delimiter(header), strict=True)
        number = 1
        while (cells := self._read(reader, number + 1)) is not None:
            number += 1
            yield from self._refused
            self._refused.clear()
            if len(cells) > len(names):
                yield NotATask(place=f"row:{number}", reason="it has more cells than the header", refused=True)
            else:
                cells += [""] * (len(names) - len(cells))
                yield CsvRow(f"row:{number}", dict(zip(names, cells, strict=True)))
        yield from self._refused

    def _read(self, reader: Iterator[list[str]], number: int) -> list[str] | None:
        """Return the cells of the next row, None behind the last one."""
        try:
            return next(reader, None)
        except csv.Error as error:
            reason = "a quote never ends" if "unexpected end" in str(error) else str(error)
            raise BrokenFile(f"row {number}", reason) from None

    def _texts(self) -> Iterator[str]:
        for line in self._lines:
            if isinstance(line, NotATask):
                self._refused.append(line)
            else:
                yield f"{line.text}\n"

    def notices(self) -> Iterator[FileNotice]:
        """Return the notice about lines that were not UTF-8, if there were any."""
        yield from self._lines.notices()

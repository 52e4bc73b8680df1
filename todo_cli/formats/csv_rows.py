"""The rows of a CSV file (RFC 4180), one at a time; `,`, `;`, tab or `|` between the cells."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import chain

from todo_cli.formats.records import BrokenFile, NotATask
from todo_cli.formats.text_lines import TextLines

DELIMITERS = ",;\t|"
MAX_CELL_CHARS = 1024 * 1024


def find_delimiter(line: str) -> str | None:
    """Return the delimiter that the header has most often, None for a header with one column."""
    counts = {delimiter: line.count(delimiter) for delimiter in DELIMITERS}
    delimiter = max(counts, key=lambda each: counts[each])
    return delimiter if counts[delimiter] else None


def split_header(head: str) -> list[str]:
    """Return the names of the columns in the first line of a text."""
    line = next((line for line in head.splitlines() if line.strip()), "")
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=find_delimiter(line) or ","), [])]
    except csv.Error:
        return []


def read_rows(lines: TextLines) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows with their numbers, the header first; raises BrokenFile for a quote that never ends."""
    texts = _texts(lines)
    first = next((text for text in texts if text.strip()), None)
    if first is None:
        return
    csv.field_size_limit(MAX_CELL_CHARS)
    reader = csv.reader(chain([first], texts), delimiter=find_delimiter(first) or ",", strict=True)
    number = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            reason = "a quote never ends" if "unexpected end" in str(error) else str(error)
            raise BrokenFile(f"row {number}", reason) from None
        yield number, row
        number += 1


def _texts(lines: TextLines) -> Iterator[str]:
    for line in lines:
        if isinstance(line, NotATask):
            raise BrokenFile(line.place.replace(":", " "), line.reason)
        yield f"{line.text}\n"

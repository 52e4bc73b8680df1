"""CSV: a record per row, with columns by our own names or by a mapping; `,`, `;`, tab or `|` between the cells."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any, BinaryIO

from todo_cli.errors import Invalid
from todo_cli.formats.csv_rows import find_delimiter, read_rows
from todo_cli.formats.csv_values import FIRST_COLUMNS, read_cell, read_tags, strip_apostrophe
from todo_cli.formats.csv_writer import write_tasks
from todo_cli.formats.records import (
    IMPOSSIBLE,
    LIKELY,
    POSSIBLE,
    FileRecord,
    ImportedRepeat,
    ImportedTask,
    NotATask,
    ReadOptions,
    ReadTask,
)
from todo_cli.formats.text_lines import TextLines

__all__ = ["EXTENSIONS", "NAME", "looks_like", "read_tasks", "write_tasks"]

NAME = "csv"
EXTENSIONS = (".csv", ".tsv")

MIN_SIMILAR_ROWS = 3
_IDS = ("id", "uuid", "uid")
_TEXTS = ("note", "project", "assigned_to")
_MOMENTS = ("due", "scheduled", "defer", "started_at", "created_at", "completed_at", "deleted_at")
_FIELDS = ("title", "status", "priority", "tags", "parent", "after", "every", *_TEXTS, *_MOMENTS)


def looks_like(head: str, name: str) -> int:
    """A first row with our column `title` is likely CSV, and so are several rows with as many cells as the first."""
    lines = [line for line in head.splitlines()[:50] if line.strip()]
    delimiter = find_delimiter(lines[0]) if lines else None
    if delimiter is None or lines[0].lstrip()[:1] in ("{", "[") or lines[0].startswith("BEGIN:"):
        return IMPOSSIBLE
    columns = [cell.strip().lower() for cell in next(csv.reader(lines[:1], delimiter=delimiter))]
    if "title" in columns:
        return LIKELY + 20
    rows = list(csv.reader(lines, delimiter=delimiter))
    is_table = len(rows) >= MIN_SIMILAR_ROWS and all(len(row) == len(columns) for row in rows[:-1])
    has_extension = name.lower().endswith(EXTENSIONS)
    return LIKELY if has_extension or (is_table and len(columns) >= MIN_SIMILAR_ROWS) else min(POSSIBLE - 10, LIKELY)


def read_tasks(file: BinaryIO, options: ReadOptions) -> Iterator[FileRecord]:
    """Read the rows behind the header; raises Invalid where no column has the title."""
    lines = TextLines(file, options)
    rows = read_rows(lines)
    header = next(rows, None)
    if header is None:
        return
    table = _CsvTable([cell.strip() for cell in header[1]], options)
    for number, cells in rows:
        yield table.read_row(number, cells)
    yield from lines.notices()


class _CsvTable:
    """The columns of a file: which field each one has."""

    def __init__(self, header: list[str], options: ReadOptions) -> None:
        self._header, self._options = header, options
        self._is_own = tuple(header[: len(FIRST_COLUMNS)]) == FIRST_COLUMNS
        names = {cell.lower(): cell for cell in reversed(header)}
        self._fields = {name: names[name] for name in _FIELDS if name in names}
        for field, column in options.columns.items():
            self._map(field, column)
        self._id = options.columns.get("id") or next((names[name] for name in _IDS if name in names), None)
        if "title" not in self._fields:
            raise Invalid(
                f"{options.name} has no column title; its columns are: {', '.join(header)[:300]}",
                hint="name the columns with: --map title=COLUMN,due=COLUMN",
            )

    def _map(self, field: str, column: str) -> None:
        if field not in (*_FIELDS, "id"):
            raise Invalid(f"there is no field {field!r}", hint=f"fields: id, {', '.join(_FIELDS)}")
        if column not in self._header:
            raise Invalid(
                f"{self._options.name} has no column {column!r}", hint=f"columns: {', '.join(self._header)[:300]}"
            )
        self._fields[field] = column

    def read_row(self, number: int, cells: list[str]) -> FileRecord:
        """Return the task of a row; a short row is filled up, a longer one than the header is refused."""
        place = f"row:{number}"
        if not any(cell.strip() for cell in cells):
            return NotATask(place=place, reason="empty")
        if len(cells) > len(self._header):
            return NotATask(place=place, reason="more cells than the header", refused=True)
        filled = [*cells, *[""] * (len(self._header) - len(cells))]
        row = {name: self._clean(cell) for name, cell in zip(self._header, filled, strict=True)}
        title = row[self._fields["title"]].strip()
        if not title:
            return NotATask(place=place, reason="no title", refused=True)
        return ReadTask(task=self._read_task(place, row, title), place=place.replace(":", " "))

    def _clean(self, cell: str) -> str:
        return strip_apostrophe(cell) if self._is_own else cell

    def _read_task(self, place: str, row: dict[str, str], title: str) -> ImportedTask:
        used = {*self._fields.values(), self._id}
        kept: dict[str, Any] = {name: cell for name, cell in row.items() if name not in used and cell and name}
        lost: list[str] = []
        fields: dict[str, Any] = {}
        for field, column in self._fields.items():
            cell = row[column].strip()
            if field == "title" or not cell:
                continue
            value = row[column] if field == "note" else self._read_field(field, cell)
            if value is None:
                kept[column] = row[column]
                lost.append(field)
            else:
                fields[field] = value
        source_id = row[self._id].strip() if self._id else ""
        return ImportedTask(source_id=source_id or place, title=title, kept=kept, lost=tuple(lost), **fields)

    def _read_field(self, field: str, cell: str) -> Any:
        """Return the value of a field, None where the cell means none."""
        values = self._options.values.get(field, {})
        if cell in values:
            return values[cell]
        if field in ("tags", "after"):
            return read_tags(cell) if field == "tags" else tuple(cell.split())
        if field in ("parent", *_TEXTS):
            return cell
        value = read_cell(field if field not in _MOMENTS else "moment", cell, self._options)
        return ImportedRepeat(rule=value[0], from_done=value[1]) if field == "every" and value else value

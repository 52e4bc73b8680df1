"""The list of formats, and which one a file is in, by its content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import BinaryIO, Protocol, TextIO, cast

from todo_cli.errors import Invalid
from todo_cli.formats.records import IMPOSSIBLE, ExportedTask, FileRecord, ReadOptions, WriteLoss, WriteOptions
from todo_cli.formats.text_lines import read_utf8_chunks

MODULES = {
    "jsonl": "json_lines",
    "todo.txt": "todo_txt",
    "taskwarrior": "taskwarrior",
    "csv": "csv_table",
    "icalendar": "icalendar",
    "todoist-csv": "todoist_csv",
    "todoist-backup": "todoist_backup",
    "td": "td",
    "markdown": "markdown",
    "beads": "beads",
    "vikunja": "vikunja",
}
"""The module of each format, by the format's name."""

FORMATS_OF_UNIQUE_IDS = {"jsonl", "taskwarrior", "icalendar", "td"}
"""Formats in which one id names one task in every file: a second file may bring what the first one has brought."""

HEAD_CHARS = 64 * 1024
ARCHIVE_START = "PK\x03\x04"
"""A zip archive, as a backup of Todoist and an export of Vikunja are."""


class FileFormat(Protocol):
    """A module of a format; `records` describes its parts."""

    NAME: str
    EXTENSIONS: tuple[str, ...]

    def looks_like(self, head: str, name: str) -> int:
        """Return how sure it is that the text is of this format, from 0 to 100."""

    def read_tasks(self, file: BinaryIO, options: ReadOptions) -> Iterator[FileRecord]:
        """Read the records of a file."""


class WritableFormat(FileFormat, Protocol):
    """A format that can be written."""

    def write_tasks(self, tasks: Iterable[ExportedTask], file: TextIO, options: WriteOptions) -> Iterator[WriteLoss]:
        """Write tasks, and yield the values that the format cannot take."""


def find_format(name: str) -> FileFormat:
    """Return the format of this name; raises Invalid where there is none."""
    if name not in MODULES:
        raise Invalid(f"there is no format {name!r}", hint=f"formats: {', '.join(MODULES)}")
    return cast(FileFormat, import_module(f"todo_cli.formats.{MODULES[name]}"))


def find_writable_format(name: str) -> WritableFormat:
    """Return a format that can be written; raises Invalid where it can only be read."""
    if name in MODULES and hasattr(format := find_format(name), "write_tasks"):
        return cast(WritableFormat, format)
    problem = f"{name} can be imported only" if name in MODULES else f"there is no format {name!r}"
    raise Invalid(problem, hint=f"formats to export: {', '.join(list_writable_formats())}")


def list_writable_formats() -> list[str]:
    """Return the names of the formats that can be written."""
    return [name for name in MODULES if hasattr(find_format(name), "write_tasks")]


def name_format(file_name: str) -> str | None:
    """Return the name of the format that writes files with this ending, None for an ending of none or of several."""
    formats = [find_format(name) for name in MODULES]
    names = [
        format.NAME
        for format in formats
        if file_name.lower().endswith(format.EXTENSIONS) and hasattr(format, "write_tasks")
    ]
    return names[0] if len(names) == 1 else None


def detect_format(file: BinaryIO, options: ReadOptions) -> FileFormat | None:
    """Return the format of a file, None for a file without text; raises Invalid where no format fits."""
    head = read_head(file, options)
    if not head.strip():
        return None
    # other control characters may stand in a title, so that our own exports have them
    if "\0" in head and not head.startswith(ARCHIVE_START):
        raise Invalid(f"{options.name} is not a text file", hint=f"formats: {', '.join(MODULES)}")
    formats = [find_format(name) for name in MODULES]
    scores = [(format.looks_like(head, options.name), _has_extension(format, options), format) for format in formats]
    score, _, best = max(scores, key=lambda scored: scored[:2])
    if score == IMPOSSIBLE:
        raise Invalid(
            f"{options.name} is in none of the known formats: {', '.join(MODULES)}",
            hint="name the format with: --format",
        )
    return best


def read_head(file: BinaryIO, options: ReadOptions) -> str:
    """Return the first text of a file without its byte order mark and blanks before it."""
    for chunk in read_utf8_chunks(file, options.encoding):
        head = chunk.decode(errors="replace")
        if head.strip():
            return head[:HEAD_CHARS]
    return ""


def _has_extension(format: FileFormat, options: ReadOptions) -> bool:
    return options.name.lower().endswith(format.EXTENSIONS)

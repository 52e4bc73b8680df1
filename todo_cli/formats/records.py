"""The records that pass between a format and the import or export.

A module of a format has:

- `NAME`, as in `--format NAME`, and `EXTENSIONS`, such as `(".ics",)`: endings of file names, which decide where the
  content fits several formats;
- `looks_like(head: str, name: str) -> int`: how sure the first 64 KiB of text are of this format, from 0 (`IMPOSSIBLE`)
  to 100 (`CERTAIN`). It reads broken and cut text without an error. The file's name decides only between equals;
- `read_tasks(file: BinaryIO, options: ReadOptions) -> Iterator[FileRecord]`: the records of a seekable file in their
  order, read bit by bit. A reader that must know the end before the beginning reads the file twice. It raises
  `BrokenFile` where the structure ends; the records before it count with `--partial`;
- where the format can be written, `write_tasks(tasks: Iterable[ExportedTask], file: TextIO, options: WriteOptions) ->
  Iterator[WriteLoss]`: it writes task by task while the caller iterates, and yields each value that the format cannot
  take. The file translates no line ends. With `GROUPED_BY_PROJECT = True` the tasks come sorted by project and number.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from todo_cli.contract.exports import ExportedTask, TaskReference, TaskSource
from todo_cli.contract.imported_tasks import (
    DayOrInstant,
    ImportedComment,
    ImportedRepeat,
    ImportedSeries,
    ImportedTask,
    own_identity,
)
from todo_cli.contract.task_types import Reminder
from todo_cli.errors import Invalid

__all__ = [
    "BrokenFile",
    "DayOrInstant",
    "ExportedTask",
    "FileLoss",
    "FileNotice",
    "FileRecord",
    "ImportedComment",
    "ImportedRepeat",
    "ImportedSeries",
    "ImportedTask",
    "NotATask",
    "OwnFields",
    "ReadOptions",
    "ReadTask",
    "TaskReference",
    "WriteLoss",
    "WriteOptions",
    "own_identity",
]

IMPOSSIBLE, POSSIBLE, LIKELY, CERTAIN = 0, 20, 60, 100
"""Answers of `looks_like`. Any text is possibly todo.txt; a line `- [ ] x` is likely Markdown."""


STDIN_NAME = "stdin"
"""The name of a file that came by a pipe and was given none: it is no name of a project."""


class ReadOptions(Struct, frozen=True, kw_only=True):
    """How to read a file: `zone` and `now` for its dates, `name` is the file's name without its folder.

    `encoding` names the file's encoding; null means UTF-8, or UTF-16 by its mark, and windows-1252 for a line that is
    neither. The last three are for CSV: the column of each of our fields, for a field our value by the file's, and the
    form of dates such as `DD.MM.YYYY`.
    """

    zone: ZoneInfo
    now: datetime
    name: str
    encoding: str | None = None
    columns: Mapping[str, str] = {}
    values: Mapping[str, Mapping[str, str | int]] = {}
    dates: str | None = None


class WriteOptions(Struct, frozen=True, kw_only=True):
    """How to write a file: `zone` for its dates, `now` where the format wants the time of writing.

    `name` is the file's name without its folder, empty for stdout.
    """

    zone: ZoneInfo
    now: datetime
    name: str = ""


class OwnFields(Struct, frozen=True, kw_only=True):
    """Values that our own JSON Lines have beside the neutral ones."""

    repeat: dict[str, Any] | None = None
    remind: tuple[Reminder, ...] = ()
    moved: str | None = None
    source: TaskSource | None = None


class ReadTask(Struct, frozen=True, kw_only=True):
    """A task of the file and its place there, such as `line 7` or `task 12`.

    Of several records with one `source_id` the one with the greatest `version` counts, of equal ones the last.
    """

    task: ImportedTask
    place: str
    version: tuple[int, str] = (0, "")
    own: OwnFields | None = None


class NotATask(Struct, frozen=True, kw_only=True):
    """A record that is no task, such as `place="line:32", reason="empty"`.

    It is refused where it should have been a task: then the report names it. Otherwise the report counts it.
    """

    place: str
    reason: str
    title: str | None = None
    refused: bool = False


class FileLoss(Struct, frozen=True, kw_only=True):
    """Something that belongs to the whole file and cannot be carried, in words of the report: `view_style`."""

    word: str


class FileNotice(Struct, frozen=True, kw_only=True):
    """A sentence about how the file was read: `3 lines are not UTF-8: read as windows-1252`."""

    text: str


FileRecord = ReadTask | NotATask | FileLoss | FileNotice


class BrokenFile(Invalid):
    """The structure of a file is broken at a place, such as `task 3`: nothing of it is stored without `--partial`."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(
            f"{place}: {reason}; nothing was imported", hint="import the records before it with: --partial", place=place
        )
        self.reason = reason


class WriteLoss(Struct, frozen=True, kw_only=True):
    """A value that the written format cannot take, such as `note` of task 12."""

    number: int
    word: str

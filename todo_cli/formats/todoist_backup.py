"""Todoist's backup: a zip archive with the CSV of each project."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO, cast
from zipfile import ZipInfo

from msgspec.structs import replace

from todo_cli.formats import todoist_csv
from todo_cli.formats.archives import COMPRESSIONS, MAX_DATA_BYTES, open_archive
from todo_cli.formats.detect import ARCHIVE_START
from todo_cli.formats.records import (
    CERTAIN,
    IMPOSSIBLE,
    BrokenFile,
    FileLoss,
    FileNotice,
    FileRecord,
    NotATask,
    ReadOptions,
    ReadTask,
)

NAME = "todoist-backup"
EXTENSIONS = (".zip",)
MAX_PROJECTS = 10_000
_FIRST_NAME = re.compile(r"\.csv", re.IGNORECASE)
_NAME_CHARS = 1_000
"""The name of an archive's first member is within its first characters."""


def looks_like(head: str, name: str) -> int:
    """Return how sure the text is a backup of Todoist: an archive whose first file is a CSV."""
    is_backup = head.startswith(ARCHIVE_START) and _FIRST_NAME.search(head[:_NAME_CHARS])
    return CERTAIN if is_backup else IMPOSSIBLE


def read_tasks(file: BinaryIO, options: ReadOptions) -> Iterator[FileRecord]:
    """Yield the tasks of all projects, in the order of the archive."""
    with open_archive(file) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        _raise_for_size(members)
        for number, member in enumerate(members, 1):
            name = PurePosixPath(member.filename).name
            if not name.lower().endswith(".csv"):
                yield NotATask(place=name, reason="file that is no CSV")
            elif member.compress_type not in COMPRESSIONS:
                yield NotATask(place=name, reason="it cannot be unpacked", refused=True)
            else:
                with archive.open(member) as data:
                    yield from _read_project(cast(BinaryIO, data), number, replace(options, name=name))


def _raise_for_size(members: list[ZipInfo]) -> None:
    if len(members) > MAX_PROJECTS:
        raise BrokenFile("the archive", f"it has more than {MAX_PROJECTS:,} files")
    if sum(member.file_size for member in members) > MAX_DATA_BYTES:
        raise BrokenFile("the archive", f"its files are larger than {MAX_DATA_BYTES:,} bytes")


def _read_project(data: BinaryIO, number: int, options: ReadOptions) -> Iterator[FileRecord]:
    """Yield the records of one project; rows are named with their file, since each file counts its own."""
    for record in todoist_csv.read_tasks(data, options):
        match record:
            case ReadTask():
                yield _name_rows(record, number, options.name)
            case NotATask():
                yield replace(record, place=f"{options.name} {record.place}")
            case FileLoss():
                yield replace(record, word=f"{record.word} ({options.name})")
            case FileNotice():
                yield replace(record, text=f"{options.name}: {record.text}")


def _name_rows(record: ReadTask, number: int, name: str) -> ReadTask:
    task = record.task
    named = replace(
        task,
        source_id=_name_row(task.source_id, number),
        parent=_name_row(task.parent, number) if task.parent else None,
        series=replace(task.series, id=_name_row(task.series.id, number)) if task.series else None,
    )
    return replace(record, task=named, place=f"{name} {record.place}")


def _name_row(place: str, number: int) -> str:
    return f"row:{number}:{place.partition(':')[2]}"

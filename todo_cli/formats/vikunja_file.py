"""The file of a Vikunja export: `data.json` alone or in its archive, read task by task."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple, cast

from todo_cli.formats.archives import COMPRESSIONS, MAX_DATA_BYTES, open_archive
from todo_cli.formats.detect import ARCHIVE_START
from todo_cli.formats.json_items import JsonItem, JsonText
from todo_cli.formats.records import BrokenFile, ReadOptions

DATA, FILTERS = "data.json", "filters.json"
MAX_FILTER_BYTES = 4 * 1024 * 1024


class ExportFile(NamedTuple):
    """The data of an export, and how many filters were saved beside it."""

    data: BinaryIO
    saved_filters: int


@contextmanager
def open_export(file: BinaryIO) -> Iterator[ExportFile]:
    """Open the data of an export. Of an archive only the two files are read, and nothing is written to the disk."""
    file.seek(0)
    if file.read(4) != ARCHIVE_START.encode():
        yield ExportFile(file, 0)
        return
    with open_archive(file) as archive:
        names = {info.filename: info for info in archive.infolist()}
        if DATA not in names or names[DATA].compress_type not in COMPRESSIONS:
            raise BrokenFile("the archive", f"it has no {DATA} that can be read")
        if names[DATA].file_size > MAX_DATA_BYTES:
            raise BrokenFile("the archive", f"{DATA} is larger than {MAX_DATA_BYTES:,} bytes")
        with archive.open(DATA) as data:
            yield ExportFile(cast(BinaryIO, data), _count_filters(archive, names))


def _count_filters(archive: zipfile.ZipFile, names: dict[str, zipfile.ZipInfo]) -> int:
    if FILTERS not in names or names[FILTERS].file_size > MAX_FILTER_BYTES:
        return 0
    try:
        filters = json.loads(archive.read(FILTERS))
    except (ValueError, RecursionError):
        return 0
    return len(filters) if isinstance(filters, list) else 0


class ProjectTask(NamedTuple):
    """A task, and the place of its project among the projects of the file, from 0."""

    project: int
    item: JsonItem


class ProjectField(NamedTuple):
    """A field of a project other than its tasks."""

    project: int
    name: str
    value: Any


class ProjectReader:
    """The tasks and the fields of all projects in their order, one at a time."""

    def __init__(self, data: BinaryIO, options: ReadOptions) -> None:
        self._text = JsonText(data, options)
        self.notices = self._text.notices
        self._tasks = 0

    def __iter__(self) -> Iterator[ProjectTask | ProjectField]:
        text, project = self._text, 0
        if not text.take("["):
            if text.peek():
                raise BrokenFile("the file", "it is not a list of projects")
            return
        while not text.take("]"):
            place = f"project {project + 1}"
            if not text.peek():
                raise BrokenFile(place, "the file ends early")
            if text.take("{"):
                yield from self._read_project(project, place)
            else:
                yield ProjectField(project, "", text.read_value(place))
            project += 1

    def _read_project(self, project: int, place: str) -> Iterator[ProjectTask | ProjectField]:
        text = self._text
        while not text.take("}"):
            name = text.read_value(place)
            if not isinstance(name, str) or not text.take(":"):
                raise BrokenFile(place, "a name or a colon is missing")
            if name == "tasks" and text.take("["):
                yield from self._read_tasks(project)
            else:
                yield ProjectField(project, name, text.read_value(place))

    def _read_tasks(self, project: int) -> Iterator[ProjectTask]:
        while not self._text.take("]"):
            self._tasks += 1
            place = f"task {self._tasks}"
            if not self._text.peek():
                raise BrokenFile(place, "the file ends early")
            yield ProjectTask(project, JsonItem(place, self._text.read_value(place)))

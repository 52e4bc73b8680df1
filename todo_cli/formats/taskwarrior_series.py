"""The recurring series of a file of Taskwarrior: templates, and the newest occurrence of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO, NamedTuple

from todo_cli.formats.json_items import JsonItem, JsonItems
from todo_cli.formats.records import BrokenFile, ReadOptions

DERIVED = ("id", "urgency")
"""Values that Taskwarrior computes: they are dropped."""
STATUSES = {"pending": "open", "waiting": "open", "recurring": "open", "completed": "done", "deleted": "deleted"}


class NewestOccurrence(NamedTuple):
    """The occurrence of a series with the highest number so far, and whether it is open."""

    place: int
    uuid: str
    is_open: bool


class SeriesOfFile(NamedTuple):
    """The templates of a file, and the newest occurrence of each."""

    templates: dict[str, dict[str, Any]]
    newest: dict[str, NewestOccurrence]


def find_series(file: BinaryIO, options: ReadOptions) -> SeriesOfFile:
    """Read the whole file for its series."""
    series = SeriesOfFile({}, {})
    for item in _whole_items(file, options):
        record = item.value
        if not isinstance(record, dict):
            continue
        uuid, parent, place = str(record.get("uuid")), record.get("parent"), read_place(record)
        if record.get("status") == "recurring":
            series.templates[uuid] = {name: value for name, value in record.items() if name not in DERIVED}
        elif isinstance(parent, str) and place is not None:
            newest = NewestOccurrence(place, uuid, STATUSES.get(str(record.get("status"))) == "open")
            series.newest[parent] = max(series.newest.get(parent, newest), newest)
    return series


def _whole_items(file: BinaryIO, options: ReadOptions) -> Iterator[JsonItem]:
    """Yield the items before the place where the file is broken: the second reading names it."""
    with suppress(BrokenFile):
        yield from JsonItems(file, options)


def read_place(record: dict[str, Any]) -> int | None:
    """Return the place of an occurrence in its series, from 0; old forms write it as a float in a text."""
    try:
        return int(float(record["imask"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None

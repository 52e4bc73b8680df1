"""What an import reads of its space: what the file brought before, and the rows that it may restore or update."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from todo_cli.contract.imports import ImportTasks
from todo_cli.core.journal import Stamp
from todo_cli.core.tasks.load import Loaded, Wanted
from todo_cli.core.transfers.imported_rows import list_references, name_series
from todo_cli.core.transfers.sources_sql import LOAD_IMPORT
from todo_cli.core.validation import check_line, check_text
from todo_cli.db.sql import StatementCall
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class ImportWanted(Wanted):
    """The file, and the ids of the tasks of the batch and of those to which they refer."""

    format: str
    name: str
    file: str
    source_ids: list[str]
    series: dict[str, str | None]
    digests: dict[str, str]
    update: bool = False

    @property
    def is_any_file(self) -> bool:
        """Return whether the name is that of the format: one id then names one task in all of its files."""
        return self.name == self.format


class KnownSource(msgspec.Struct):
    """A task that the file brought before, with the change that did and the digest of its record then.

    A task that no import has brought has 0 and no digest: the file is an export of this list. `is_undone` where an undo of that import has put it in
    the trash; `is_changed` where it takes the file's changes.
    """

    source_id: str
    number: int
    digest: str
    is_undone: bool
    seq: int
    is_changed: bool = False


class FormerRows(msgspec.Struct):
    """Rows of one earlier import, as the journal keeps them, and its long texts."""

    rows: list[Any]
    texts: dict[str, Any] = {}  # msgspec copies it for each value


class LoadedSources(Loaded):
    """What the file brought before, and the group of its import if it was the same file."""

    sources: list[KnownSource] = []  # noqa: RUF012  # msgspec copies it for each value
    group: str | None = None
    former: list[FormerRows] = []  # noqa: RUF012
    occurrences: list[tuple[str, int, int]] = []  # noqa: RUF012  # series, occurrence and number of tasks


async def want_import(tx: Transaction, request: ImportTasks) -> ImportWanted:
    """Read what the file brought before of the batch and of the tasks to which it refers."""
    source_ids = {task.source_id for task in request.tasks}
    if len(source_ids) < len(request.tasks):
        raise Invalid("two tasks of the batch have one source_id")
    source_ids.update(*(list_references(task.links) for task in request.tasks))
    name = check_line("name", request.name)
    file = f"{request.format}\0{name}"
    return ImportWanted(
        format=request.format,
        name=name,
        file=request.file,
        source_ids=sorted(check_text("source_id", source_id) for source_id in source_ids),
        series={task.source_id: name_series(str(tx.values["space"]), file, task) for task in request.tasks},
        digests={task.source_id: task.digest for task in request.tasks},
        update=request.update is not None,
    )


def load_import_call(wanted: ImportWanted, stamp: Stamp) -> StatementCall:
    """Return the statement that reads what the file brought before, with its values."""
    values: dict[str, Any] = {
        "format": wanted.format,
        "name": wanted.name,
        "file": wanted.file,
        "source_ids": wanted.source_ids,
        "own_uuids": list(filter(_UUID.fullmatch, wanted.source_ids)) if wanted.is_any_file else [],
        "own_ids": list(wanted.digests),
        "digests": list(wanted.digests.values()),
        "update": wanted.update,
    }
    values["series"] = sorted({series for series in wanted.series.values() if series})
    return LOAD_IMPORT, values | {"key": stamp.key, "hash": stamp.hash}

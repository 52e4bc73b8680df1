"""Write tasks as CSV (RFC 4180) with our own column names, such that a spreadsheet runs no cell."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import TextIO

from todo_cli.formats.csv_values import FROM_DONE, OWN_COLUMNS, local_time, protect_cell
from todo_cli.formats.records import ExportedTask, WriteLoss, WriteOptions


def write_tasks(tasks: Iterable[ExportedTask], file: TextIO, options: WriteOptions) -> Iterator[WriteLoss]:
    """Write the header and a row per task. Comments, tracked time and attachments have no column."""
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(OWN_COLUMNS)
    for task in tasks:
        cells = _make_cells(task, options)
        writer.writerow([cells[name] for name in OWN_COLUMNS])
        for word in ("comments", "tracked", "attachments"):
            if getattr(task, word):
                yield WriteLoss(number=task.number, word=word)


def _make_cells(task: ExportedTask, options: WriteOptions) -> dict[str, str]:
    names = ("due", "scheduled", "defer", "started_at", "created_at", "completed_at", "deleted_at")
    moments = {name: local_time(options.zone, getattr(task, name)) for name in names}
    every = f"{FROM_DONE if task.every.from_done else ''}{task.every.rule}" if task.every else ""
    return moments | {
        "id": protect_cell(task.identity),
        "title": protect_cell(task.title),
        "status": task.status,
        "priority": str(task.priority or ""),
        "project": protect_cell(task.project or ""),
        "tags": protect_cell(",".join(task.tags)),
        "parent": protect_cell(task.parent.identity) if task.parent else "",
        "after": protect_cell(" ".join(reference.identity for reference in task.after)),
        "every": every,
        "note": protect_cell(task.note or ""),
        "assigned_to": protect_cell(task.assigned_to or ""),
    }

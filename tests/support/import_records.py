"""Records of a file, and their import."""

from __future__ import annotations

from hashlib import md5
from typing import Any

from tests.support.ask import Ask
from todo_cli.contract.ids import new_id
from todo_cli.contract.imports import ImportedTasks, ImportTasks, TaskToImport

FILE = "0" * 32


def record(source_id: str, **fields: Any) -> TaskToImport:
    """Return a record with a digest of its fields."""
    fields = {"title": source_id, **fields}
    digest = md5(repr(fields).encode(), usedforsecurity=False).hexdigest()
    return TaskToImport(source_id=source_id, digest=digest, **fields)


def import_records(ask: Ask, *tasks: TaskToImport, group: str | None = None, file: str = FILE) -> ImportedTasks:
    """Import one batch of `list.json`."""
    return ask(
        ImportTasks(format="taskwarrior", name="list.json", file=file, group=group or new_id(), tasks=tuple(tasks))
    )

"""Several changes in one transaction: loaded together, decided one after the other, stored once.

Each change is decided on the space as the changes before it leave it. They are not stored yet, so `rebase` brings what
was loaded up to date.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from todo_cli.core.tasks.load import Loaded, Wanted
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.tasks.store import DecidedChange

L = TypeVar("L", bound=Loaded)


def rebase(loaded: L, wanted: Wanted, earlier: Sequence[DecidedChange]) -> L:
    """Return what was loaded as the earlier changes of the same transaction leave it.

    Counts of rows that were not loaded (open subtasks) stay as the database has them.
    """
    if not earlier:
        return loaded
    changed = {row.number: row for change in earlier for row in change.rows}
    rows = [changed.get(row.number, row) for row in loaded.rows]
    numbers = {row.number for row in rows}
    rows += [changed[number] for number in wanted.numbers if number in changed and number not in numbers]
    updates: dict[str, Any] = {
        "seq": earlier[-1].seq,
        "next_number": earlier[-1].next_number,
        "rows": rows,
        "next_occurrences": _next_occurrences(loaded, rows, changed),
        "statuses": [*{**dict(loaded.statuses), **_named_statuses(wanted, changed)}.items()],
        "ancestors": [*_ancestors(loaded, earlier, changed).items()],
        "dependencies": _dependencies(loaded, earlier, changed),
    }
    return replace(loaded, **updates)


def _next_occurrences(loaded: Loaded, rows: Sequence[TaskRow], changed: dict[int, TaskRow]) -> list[TaskRow]:
    found = {row.number: changed.get(row.number, row) for row in loaded.next_occurrences}
    wanted = {(row.series, row.occurrence + 1) for row in rows if row.series and row.occurrence}
    found |= {row.number: row for row in changed.values() if (row.series, row.occurrence) in wanted}
    return list(found.values())


def _named_statuses(wanted: Wanted, changed: dict[int, TaskRow]) -> dict[int, str]:
    named = {*wanted.parents, *wanted.blockers, *wanted.sources}
    return {number: row.status for number, row in changed.items() if number in named}


def _ancestors(loaded: Loaded, earlier: Sequence[DecidedChange], changed: dict[int, TaskRow]) -> dict[int, int | None]:
    """Return the parent of every task that one of the changes has read or changed."""
    parents: dict[int, int | None] = {}
    for read in (*(change.loaded for change in earlier), loaded):
        parents |= dict(read.ancestors)
    return parents | {number: row.parent for number, row in changed.items()}


def _dependencies(
    loaded: Loaded, earlier: Sequence[DecidedChange], changed: dict[int, TaskRow]
) -> list[tuple[int, int]]:
    """Return the blockers of every task that one of the changes has read or changed."""
    read = {link for each in (*(change.loaded for change in earlier), loaded) for link in each.dependencies}
    kept = {(number, blocker) for number, blocker in read if number not in changed}
    return sorted(kept | {(row.number, blocker) for row in changed.values() for blocker in row.after})

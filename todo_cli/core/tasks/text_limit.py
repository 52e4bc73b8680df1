"""The limit of the text that one change writes: a short request could otherwise store a long note in thousands of tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from todo_cli.contract.limits import MAX_CHANGED_TEXT_BYTES
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.errors import Invalid

TEXT_COLUMNS = ("title", "note", "project", "tags", "repeat")


def raise_for_changed_texts(before: Mapping[int, TaskRow], rows: Sequence[TaskRow]) -> None:
    """Raise Invalid where the rows set and replace more bytes of text than one change may."""
    size = sum(_count_changed_bytes(before.get(row.number), row) for row in rows)
    if size > MAX_CHANGED_TEXT_BYTES:
        limit = MAX_CHANGED_TEXT_BYTES // 2**20
        raise Invalid(
            f"the change would replace {size / 2**20:,.1f} MB of text in {len(rows):,} tasks;"
            f" at most {limit} MB can be changed at once; nothing was changed",
            hint="change fewer tasks at once, or shorten the text",
        )


def _count_changed_bytes(before: TaskRow | None, row: TaskRow) -> int:
    if before is row:
        return 0
    size = 0
    for name in TEXT_COLUMNS:
        new, old = getattr(row, name), getattr(before, name, None)
        if new != old:
            size += len(msgspec.json.encode(new)) + len(msgspec.json.encode(old))
    return size

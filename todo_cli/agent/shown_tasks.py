"""Read the tasks out of stored results: those that a turn has shown, and those that its calls have changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

CHANGED_FIELDS = ("task", "tasks", "differences")
"""The fields of a change's result that hold the tasks it has touched. A next occurrence is added, not touched."""
SHOWN_FIELDS = (*CHANGED_FIELDS, "next", "refused")


def read_tasks(content: str, fields: Iterable[str] = SHOWN_FIELDS) -> dict[int, str]:
    """Return number and title of the tasks in a result, in order; none for an error or a result that is cut."""
    return dict(_read_pairs(_decode(content), fields))


def _decode(content: str) -> dict[str, Any]:
    try:
        result = msgspec.json.decode(content.encode())
    except (msgspec.DecodeError, UnicodeError):
        return {}
    return result if isinstance(result, dict) and "error" not in result else {}


def _read_pairs(result: dict[str, Any], fields: Iterable[str]) -> Iterator[tuple[int, str]]:
    for field in fields:
        value = result.get(field)
        for task in value if isinstance(value, list) else [value]:
            if isinstance(task, dict) and isinstance(task.get("number"), int):
                yield task["number"], str(task.get("title", ""))

"""Assemble tool calls from streamed fragments, in every dialect that was measured.

A fragment begins a new call if its index is new, if its id differs from the id of the call that it would continue, or
if it repeats a name after complete arguments. Ids and names are set, never appended; only arguments are appended.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from todo_cli.llm.errors import ModelServerError
from todo_cli.llm.storable_text import to_storable


class ToolCall(Struct):
    """A complete call, not yet checked. `index` counts from 0; `id` is the provider's, or ""."""

    index: int
    id: str
    name: str
    arguments: str


@dataclass
class _PartialCall:
    index: int | None
    id: str = ""
    name: str = ""
    parts: list[str] = field(default_factory=list)
    repeats_name: bool = False

    @property
    def arguments(self) -> str:
        return "".join(self.parts)


class CallAssembler:
    """The calls of one answer while they arrive."""

    def __init__(self) -> None:
        self._calls: list[_PartialCall] = []

    def add(self, entries: object) -> int:
        """Add the `tool_calls` of one delta; return the number of characters that they brought."""
        entries = [entries] if isinstance(entries, dict) else entries
        if not isinstance(entries, list):
            return 0
        return sum(self._add_entry(entry) for entry in entries if isinstance(entry, dict))

    def finish(self) -> list[ToolCall]:
        """Return all calls, in the provider's order where it gave one."""
        placed = [
            (call.index if call.index is not None else place, call)
            for place, call in enumerate(self._calls)
            if call.name or call.arguments.strip()
        ]
        ordered = [call for _, call in sorted(placed, key=lambda pair: pair[0])]
        return [
            ToolCall(index, to_storable(call.id), to_storable(call.name), to_storable(call.arguments))
            for index, call in enumerate(ordered)
        ]

    def _add_entry(self, entry: dict[str, Any]) -> int:
        function = entry.get("function")
        function = function if isinstance(function, dict) else {}
        index, call_id = _int_or_none(entry.get("index")), _str_or_empty(entry.get("id"))
        name, arguments = _str_or_empty(function.get("name")), arguments_text(function.get("arguments"))
        call = self._continued_call(index, call_id, name, arguments)
        if call is None:
            call = _PartialCall(index)
            self._calls.append(call)
        elif call_id and call.id == call_id and name and _is_complete(call.arguments) and arguments == call.arguments:
            return len(arguments)  # the provider sent the whole call again
        call.repeats_name = call.repeats_name or bool(name and call.name)
        call.id, call.name = call_id or call.id, name or call.name
        call.parts.append(arguments)
        return len(arguments) + len(name) + len(call_id)

    def _continued_call(self, index: int | None, call_id: str, name: str, arguments: str) -> _PartialCall | None:
        """Return the call that a fragment continues, or None where it begins a new one."""
        last = self._last_call(index, call_id)
        if last is None:
            newest = self._calls[-1] if self._calls and not call_id and not name else None
            return newest if newest and newest.index is None else None
        if call_id and last.id and call_id != last.id:
            return next((call for call in reversed(self._calls) if (call.index, call.id) == (index, call_id)), None)
        if not name or not last.name:
            return last
        # a dialect that repeats names may end with an empty fragment; in the others an empty fragment begins a call
        has_content = bool(arguments.strip()) or not (call_id or last.repeats_name)
        is_repeat = call_id and arguments == last.arguments
        begins = name != last.name or (has_content and not is_repeat and _is_complete(last.arguments))
        return None if begins else last

    def _last_call(self, index: int | None, call_id: str) -> _PartialCall | None:
        if index is not None:
            return next((call for call in reversed(self._calls) if call.index == index), None)
        if call_id:
            return next((call for call in reversed(self._calls) if call.id in (call_id, "")), None)
        return self._calls[-1] if self._calls else None


def arguments_text(value: object) -> str:
    """Return arguments as text; providers send text, null or an object."""
    if value is None or isinstance(value, str):
        return value or ""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        raise ModelServerError("broken", "sent arguments that cannot be read") from None


def _str_or_empty(value: object) -> str:
    return value if isinstance(value, str) else ""


def _int_or_none(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _is_complete(arguments: str) -> bool:
    if not arguments.rstrip().endswith("}"):
        return False
    try:
        return isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return False

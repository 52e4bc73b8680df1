"""Tool calls out of streamed fragments, in every dialect that was measured. Pure.

A call begins when its index is new, or its id is another than that of the call it would continue, or its name is given
again after whole arguments. Ids and names are set, never appended; only arguments are.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from todo_cli.llm.errors import ModelServerError
from todo_cli.llm.unicode import storable


class Call(Struct):
    """A call that the model wishes, whole: index 0, 1, 2 in order; id as the provider gave it or ""; nothing judged."""

    index: int
    id: str
    name: str
    arguments: str


@dataclass
class _Open:
    index: int | None
    id: str = ""
    name: str = ""
    parts: list[str] = field(default_factory=list)
    renamed: bool = False

    @property
    def arguments(self) -> str:
        return "".join(self.parts)


class OpenCalls:
    """The calls of one answer while they arrive."""

    def __init__(self) -> None:
        self._open: list[_Open] = []

    def take(self, entries: object) -> int:
        """One delta's `tool_calls`; how many characters it brought."""
        entries = [entries] if isinstance(entries, dict) else entries
        if not isinstance(entries, list):
            return 0
        return sum(self._entry(entry) for entry in entries if isinstance(entry, dict))

    def whole(self) -> list[Call]:
        """All of them, in the provider's order where it gave one."""
        named = [(one.index if one.index is not None else at, one) for at, one in enumerate(self._open)
                 if one.name or one.arguments.strip()]  # fmt: skip
        in_order = [one for _, one in sorted(named, key=lambda pair: pair[0])]
        return [
            Call(at, storable(one.id), storable(one.name), storable(one.arguments)) for at, one in enumerate(in_order)
        ]

    def _entry(self, entry: dict[str, Any]) -> int:
        function = entry.get("function")
        function = function if isinstance(function, dict) else {}
        number, name, arguments = (
            _index(entry.get("index")),
            _text(function.get("name")),
            as_text(function.get("arguments")),
        )
        given = _text(entry.get("id"))
        call = self._continued(number, given, name, arguments)
        if call is None:
            call = _Open(number)
            self._open.append(call)
        elif given and call.id == given and name and _complete(call.arguments) and arguments == call.arguments:
            return len(arguments)  # the same call, sent whole once more
        call.renamed = call.renamed or bool(name and call.name)
        call.id, call.name = given or call.id, name or call.name
        call.parts.append(arguments)
        return len(arguments) + len(name) + len(given)

    def _continued(self, number: int | None, given: str, name: str, arguments: str) -> _Open | None:
        last = self._last(number, given)
        if last is None:
            stray = self._open[-1] if self._open and not given and not name else None
            return stray if stray and stray.index is None else None
        if given and last.id and given != last.id:
            return next((one for one in reversed(self._open) if (one.index, one.id) == (number, given)), None)
        if not name or not last.name:
            return last
        # a dialect that repeats names may end with an empty delta; one that does not, begins a call with it
        brings = bool(arguments.strip()) or not (given or last.renamed)
        repeated = given and arguments == last.arguments
        again = name != last.name or (brings and not repeated and _complete(last.arguments))
        return None if again else last

    def _last(self, number: int | None, given: str) -> _Open | None:
        if number is not None:
            return next((one for one in reversed(self._open) if one.index == number), None)
        if given:
            return next((one for one in reversed(self._open) if one.id in (given, "")), None)
        return self._open[-1] if self._open else None


def lone_call(text: str, names: Collection[str]) -> Call | None:
    """The call that a model wrote as its whole text instead of making it; None when it is anything else."""
    try:
        value = json.loads(_unwrapped(text.strip()))
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or value.keys() != {"name", "arguments"} or value["name"] not in [*names]:
        return None
    return Call(0, "", value["name"], storable(as_text(value["arguments"])))


def may_be_lone_call(text: str) -> bool:
    """Whether text that begins so can still become a lone call, so that it must not be shown yet."""
    text = text.lstrip()
    for opener, _ in _WRAPS:
        if opener.startswith(text):
            return True
        if text.startswith(opener):
            text = text[len(opener) :].lstrip()
            break
    rest = text[1:].lstrip()
    return not text or (text[0] == "{" and any(key.startswith(rest[: len(key)]) for key in ('"name"', '"arguments"')))


_WRAPS = (("```json", "```"), ("```", "```"), ("<tool_call>", "</tool_call>"))


def _unwrapped(text: str) -> str:
    for opener, closer in _WRAPS:
        if text.startswith(opener) and text.endswith(closer):
            return text[len(opener) : -len(closer)]
    return text


def as_text(value: object) -> str:
    """Arguments as text, whatever they came as: text, nothing, or an object."""
    if value is None or isinstance(value, str):
        return value or ""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        raise ModelServerError("broken", "sent arguments that cannot be read") from None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _index(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _complete(arguments: str) -> bool:
    if not arguments.rstrip().endswith("}"):
        return False
    try:
        return isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return False

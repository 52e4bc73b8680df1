"""Recognise tool calls that a model wrote as its text instead of making them.

Small models do so in several forms. A text is a call only if it contains nothing else, names a tool that was offered,
and has arguments that are fields of that tool.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from todo_cli.llm.storable_text import to_storable
from todo_cli.llm.tool_calls import ToolCall, arguments_text

ToolFields = Mapping[str, Collection[str] | None]
"""The fields of each tool, by the tool's name; None where its schema lists none."""

_FENCES = (("```json", "```"), ("```", "```"))
_OPENING_TAG, _CLOSING_TAG = "<tool_call>", "</tool_call>"
_NAME_KEYS = ("name", "tool", "function")
_ARGUMENTS_KEYS = ("arguments", "parameters", "args")
_OTHER_KEYS = ("type", "id")
_FIRST_KEYS = tuple(f'"{key}"' for key in (*_NAME_KEYS, *_ARGUMENTS_KEYS, *_OTHER_KEYS))
_INTERCHANGEABLE_FIELDS = frozenset({"number", "numbers"})
"""Models confuse these two, and the tools accept either."""


def tool_fields(tools: Sequence[Mapping[str, Any]]) -> ToolFields:
    """Return the fields of each tool of a request."""
    functions = [tool["function"] for tool in tools]
    return {function["name"]: function.get("parameters", {}).get("properties") for function in functions}


def parse_text_calls(text: str, fields: ToolFields) -> list[ToolCall]:
    """Return the calls that a whole text consists of; [] if it is anything else."""
    try:
        values = [json.loads(part) for part in _split_blocks(text.strip())]
    except (ValueError, RecursionError):
        return []
    if len(values) == 1 and isinstance(values[0], list):
        values = values[0]
    calls = [_parse_call(index, value, fields) for index, value in enumerate(values)]
    known = [call for call in calls if call is not None]
    return known if len(known) == len(calls) else []


def may_become_text_call(text: str) -> bool:
    """Return True if a text that begins so may still become a call, so that nobody may see it yet."""
    text = text.lstrip()
    for opener in (*(opener for opener, _ in _FENCES), _OPENING_TAG):
        if opener.startswith(text):
            return True
        if text.startswith(opener):
            text = text[len(opener) :].lstrip()
            break
    if text.startswith("["):
        text = text[1:].lstrip()
    if not text:
        return True
    key = text[1:].lstrip()
    return text[0] == "{" and any(first.startswith(key[: len(first)]) for first in _FIRST_KEYS)


def _split_blocks(text: str) -> list[str]:
    """Return the JSON texts within fences or tags; the text itself where there are none."""
    if text.startswith(_OPENING_TAG):
        return [block.removesuffix(_CLOSING_TAG) for block in re.split(rf"\s*{_OPENING_TAG}", text)[1:]]
    for opener, closer in _FENCES:
        if text.startswith(opener) and text.endswith(closer):
            return [text[len(opener) : -len(closer)]]
    return [text]


def _parse_call(index: int, value: object, fields: ToolFields) -> ToolCall | None:
    """Parse one of {"name", "arguments"}, {"tool", "args"}, {"function": {"name", "arguments"}} and their mixtures."""
    if isinstance(value, dict) and isinstance(value.get("function"), dict):
        value = value["function"] if value.keys() <= {"function", *_OTHER_KEYS} else None
    if not isinstance(value, dict) or value.keys() - {*_NAME_KEYS, *_ARGUMENTS_KEYS, *_OTHER_KEYS}:
        return None
    names = [value[key] for key in _NAME_KEYS if key in value]
    arguments = [value[key] for key in _ARGUMENTS_KEYS if key in value]
    if len(names) != 1 or len(arguments) != 1 or not isinstance(names[0], str) or names[0] not in fields:
        return None
    if not _fits(arguments[0], fields[names[0]]):
        return None
    return ToolCall(index, "", names[0], to_storable(arguments_text(arguments[0])))


def _fits(arguments: object, fields: Collection[str] | None) -> bool:
    """Return True if the arguments are an object, or JSON of one, with fields of the tool only."""
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return False
    if not isinstance(arguments, dict) or fields is None:
        return isinstance(arguments, dict)
    allowed = {*fields, *(_INTERCHANGEABLE_FIELDS if _INTERCHANGEABLE_FIELDS & {*fields} else ())}
    return arguments.keys() <= allowed

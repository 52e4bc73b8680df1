"""The Requests that a model may call, as tools: names that models know, schemas without references, much tolerance.

A small model drowns in many tools: it is always given those of ALWAYS and one that finds the rest by words.
A model's "number": "3" is numbers [3]; null is "not given" (what is to be emptied stands in `clear`); dates are the
person's own words. What cannot be understood is told as an error that says what can.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from todo_cli.contract import tasks
from todo_cli.contract.base import Request, title_of
from todo_cli.contract.codec import convert_request
from todo_cli.contract.registry import REQUESTS
from todo_cli.errors import Invalid

ALWAYS: dict[str, type[Request[Any]]] = {
    request.tool: request for request in REQUESTS if request.tool and request.tool_always
}
"""The tools that a model is offered in every request."""

FOUND: dict[str, type[Request[Any]]] = {
    request.tool: request for request in REQUESTS if request.tool and not request.tool_always
}
"""The tools that a model is offered once it has asked for them."""

TOOLS = ALWAYS | FOUND

MORE = "more_tools"
"""The tool that finds the others; it is no Request, and is answered by the chat itself."""

_ONLY_IF_SAID = "Only if the user said so."
_ABOUT = {
    "numbers": "The numbers of the tasks, as list_tasks shows them: never guess one.",
    "number": "The number of the task, as list_tasks shows it: never guess one.",
    "due": f"The user's own words, such as 'next friday 9am'; do not work the date out. {_ONLY_IF_SAID}",
    "due_before": "The user's own words, such as 'friday'.",
    "due_after": "The user's own words, such as 'today'.",
    "priority": f"1 is the most urgent, 3 the least. {_ONLY_IF_SAID}",
    "project": _ONLY_IF_SAID,
    "tags": _ONLY_IF_SAID,
    "note": _ONLY_IF_SAID,
    "clear": "The fields to be emptied.",
}
_HIDDEN = {"if_rev", "if_claimed", "force", "home", "parse"}
_CLEARABLE = ("due", "note", "project", "priority", "every", "defer", "scheduled", "parent")


@cache
def tools() -> tuple[dict[str, Any], ...]:
    """All of them, as the chat-completions protocol wants them."""
    return tuple(_tool(name, title_of(kind), schema(kind)) for name, kind in TOOLS.items())


@cache
def offered(found: frozenset[str]) -> tuple[dict[str, Any], ...]:
    """Those of a request in which these of FOUND were found; the same bytes for the same names."""
    made = {tool["function"]["name"]: tool for tool in tools()}
    finder = _tool(MORE, f"Find more tools, such as: {', '.join(FOUND)}.", _FINDER)
    return (*(made[name] for name in ALWAYS), finder, *(made[name] for name in FOUND if name in found))


def _tool(name: str, about: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": about, "parameters": parameters}}


_FINDER = {
    "type": "object",
    "properties": {"words": {"type": "string", "description": "What you want to do, such as 'take back a change'."}},
    "required": ["words"],
}


def schema(kind: type[Request[Any]]) -> dict[str, Any]:
    """The JSON Schema of a tool's arguments."""
    whole = msgspec.json.schema(kind)
    definitions = whole.get("$defs", {})
    made = _inlined(definitions[kind.__name__], definitions)
    fields = {
        name: _plain(field) | ({"description": _ABOUT[name]} if name in _ABOUT else {})
        for name, field in made["properties"].items()
        if name not in _hidden(kind)
    }
    if kind is tasks.EditTasks:
        listed = {"type": "string", "enum": list(_CLEARABLE)}
        fields["clear"] = {"type": "array", "items": listed, "description": _ABOUT["clear"]}
    required = made.get("required", []) + (["numbers"] if kind.needs_numbers else [])
    return {"type": "object", "properties": fields, "required": required}


def _hidden(kind: type[Request[Any]]) -> set[str]:
    """The fields that no model is given: what it changes, it names by numbers that it was shown."""
    return _HIDDEN | {"filter"} if issubclass(kind, tasks.OnTasks) else _HIDDEN


def _inlined(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inlined(one, definitions) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(definitions[node["$ref"].rpartition("/")[2]], definitions)
    return {name: _inlined(one, definitions) for name, one in node.items()}


def _plain(field: dict[str, Any]) -> dict[str, Any]:
    """Without null and defaults, which small models copy."""
    branches = [one for one in field.get("anyOf", ()) if one.get("type") != "null"]
    made = {name: one for name, one in field.items() if name not in ("anyOf", "default")}
    return made | (branches[0] if len(branches) == 1 else {"anyOf": branches} if branches else {})


def wished(name: str, arguments: str) -> tuple[type[Request[Any]], dict[str, Any]]:
    """The Request that a call wishes, and its fields; raises Invalid with a sentence for the model."""
    kind = TOOLS.get(name)
    if kind is None:
        raise Invalid(f"there is no tool {name[:60]!r}", hint=f"these there are: {', '.join(TOOLS)}")
    try:
        given = msgspec.json.decode(arguments.strip() or "{}")
    except (msgspec.DecodeError, UnicodeError):
        raise Invalid("the arguments are not JSON", hint="call the tool again with one JSON object") from None
    if not isinstance(given, dict):
        raise Invalid("the arguments are not a JSON object", hint="call the tool again with one JSON object")
    fields = _fields(kind, {field: value for field, value in given.items() if value is not None and value != ""})
    convert_request(fields, kind)
    if kind.needs_numbers and not fields.get("numbers"):
        raise Invalid("numbers is empty", hint="name the tasks by their numbers")
    return kind, fields


def _fields(kind: type[Request[Any]], given: dict[str, Any]) -> dict[str, Any]:
    known = [name for name in kind.__struct_fields__ if name not in _hidden(kind)]
    other = {"numbers": "number", "number": "numbers"}
    slips = {name: other[name] for name in given if name not in known and other.get(name) in known}
    given = {slips.get(name, name): value for name, value in given.items()}
    cleared = _listed(given.pop("clear", [])) if kind is tasks.EditTasks else []
    unknown = [name for name in given if name not in known]
    if unknown:
        raise Invalid(f"{unknown[0][:40]!r} is no field of this tool", hint=f"its fields are: {', '.join(known)}")
    wrong = [name for name in cleared if name not in _CLEARABLE]
    if wrong:
        raise Invalid(f"{str(wrong[0])[:40]!r} cannot be cleared", hint=f"these can: {', '.join(_CLEARABLE)}")
    return {name: _value(name, value) for name, value in given.items()} | dict.fromkeys(cleared)


def _value(name: str, value: Any) -> Any:
    if name in ("numbers", "after", "add_after", "remove_after"):
        return [_number(one) for one in _listed(value)]
    if name in ("number", "parent"):
        return _number(value[0] if isinstance(value, list) and len(value) == 1 else value)
    if name in ("tags", "add_tags", "remove_tags"):
        return _listed(value)
    return value


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str) and "," in value:
        return [one.strip() for one in value.split(",")]
    return value if isinstance(value, list) else [value]


def _number(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    text = value.strip().removeprefix("#") if isinstance(value, str) else ""
    return int(text) if text.isdecimal() and len(text) < 19 else value

"""The tools of models and MCP clients: Requests under names that models know, with schemas without references.

Small models cope badly with many tools. The chat therefore offers BASIC_TOOLS and one tool that finds the others. Calls
are read with tolerance: `"number": "3"` is numbers [3], null and "" mean "not given", and `clear` names the fields to
empty. A call that cannot be read becomes an error that says what the model may send.
"""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

import msgspec

from todo_cli.contract.base import Request, summary_of
from todo_cli.contract.codec import convert_request
from todo_cli.contract.registry import REQUESTS
from todo_cli.contract.tasks import EditTasks, OnTasks
from todo_cli.errors import Invalid

TOOLS: dict[str, type[Request[Any]]] = {request.tool: request for request in REQUESTS if request.tool}
BASIC_TOOLS = {name: request for name, request in TOOLS.items() if request.tool_always}
"""The tools that the chat offers in every request to the model."""
EXTRA_TOOLS = {name: request for name, request in TOOLS.items() if not request.tool_always}
"""The tools that the chat offers once the model has found them."""

MORE_TOOLS = "more_tools"
"""The tool that finds the others. It is no Request: the chat answers it itself."""

CLEARABLE_FIELDS = tuple(
    field.name
    for field in msgspec.structs.fields(EditTasks)
    if {type(None), msgspec.UnsetType} <= {*get_args(field.type)}
)
"""The fields of a task that `clear` may empty."""

_HIDDEN_FIELDS = {"if_rev", "if_claimed", "force", "home", "parse"}
_ONLY_IF_SAID = "Only if the user said so."
_DESCRIPTIONS = {
    "numbers": "The numbers of the tasks, as list_tasks shows them: never guess one.",
    "number": "The number of the task, as list_tasks shows it: never guess one.",
    "due": f"The user's own words, such as 'next friday 9am'; do not compute the date. {_ONLY_IF_SAID}",
    "due_before": "The user's own words, such as 'friday'.",
    "due_after": "The user's own words, such as 'today'.",
    "priority": f"1 is the most urgent, 3 the least. {_ONLY_IF_SAID}",
    "project": _ONLY_IF_SAID,
    "tags": _ONLY_IF_SAID,
    "note": _ONLY_IF_SAID,
    "clear": "The fields to empty.",
}
_FINDER_PARAMETERS = {
    "type": "object",
    "properties": {"words": {"type": "string", "description": "What you want to do, such as 'undo a change'."}},
    "required": ["words"],
}
_NUMBER_FIELDS = ("number", "parent")
_NUMBER_LIST_FIELDS = ("numbers", "after", "add_after", "remove_after")
_TAG_LIST_FIELDS = ("tags", "add_tags", "remove_tags")


@cache
def list_tools() -> tuple[dict[str, Any], ...]:
    """Return all tools in the form of the chat-completions protocol."""
    return tuple(_make_tool(name, summary_of(request), make_schema(request)) for name, request in TOOLS.items())


@cache
def offer_tools(found: frozenset[str]) -> tuple[dict[str, Any], ...]:
    """Return the tools of one request to the model: the basic ones, the finder, and the extra ones that it has found.

    The same names give the same bytes, so that the model server can cache the prompt.
    """
    tools = {tool["function"]["name"]: tool for tool in list_tools()}
    finder = _make_tool(MORE_TOOLS, f"Find more tools, such as: {', '.join(EXTRA_TOOLS)}.", _FINDER_PARAMETERS)
    return (*(tools[name] for name in BASIC_TOOLS), finder, *(tools[name] for name in EXTRA_TOOLS if name in found))


def _make_tool(name: str, description: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def make_schema(request: type[Request[Any]]) -> dict[str, Any]:
    """Return the JSON Schema of a tool's arguments."""
    document = msgspec.json.schema(request)
    definitions = document.get("$defs", {})
    schema = _inline_references(definitions[request.__name__], definitions)
    fields = {
        name: _simplify(field) | ({"description": _DESCRIPTIONS[name]} if name in _DESCRIPTIONS else {})
        for name, field in schema["properties"].items()
        if name not in _hidden_fields(request)
    }
    if request is EditTasks:
        items = {"type": "string", "enum": list(CLEARABLE_FIELDS)}
        fields["clear"] = {"type": "array", "items": items, "description": _DESCRIPTIONS["clear"]}
    required = schema.get("required", []) + (["numbers"] if request.needs_numbers else [])
    return {"type": "object", "properties": fields, "required": required}


def _hidden_fields(request: type[Request[Any]]) -> set[str]:
    """Return the fields that models do not have. They name the tasks that they change by numbers, not by a filter."""
    return _HIDDEN_FIELDS | {"filter"} if issubclass(request, OnTasks) else _HIDDEN_FIELDS


def _inline_references(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inline_references(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inline_references(definitions[node["$ref"].rpartition("/")[2]], definitions)
    return {name: _inline_references(value, definitions) for name, value in node.items()}


def _simplify(field: dict[str, Any]) -> dict[str, Any]:
    """Return a field's schema without null and defaults, which small models copy."""
    branches = [branch for branch in field.get("anyOf", ()) if branch.get("type") != "null"]
    schema = {name: value for name, value in field.items() if name not in ("anyOf", "default")}
    return schema | (branches[0] if len(branches) == 1 else {"anyOf": branches} if branches else {})


def parse_tool_call(name: str, arguments: str) -> tuple[type[Request[Any]], dict[str, Any]]:
    """Return the Request of a tool call and its fields; raises Invalid with a sentence for the model."""
    request = TOOLS.get(name)
    if request is None:
        raise Invalid(f"there is no tool {name[:60]!r}", hint=f"the tools are: {', '.join(TOOLS)}")
    fields = _parse_fields(request, _decode_arguments(arguments))
    convert_request(fields, request)
    if request.needs_numbers and not fields.get("numbers"):
        raise Invalid("numbers is empty", hint="name the tasks by their numbers")
    return request, fields


def _decode_arguments(arguments: str) -> dict[str, Any]:
    """Return the arguments that are given: null and empty text are not."""
    try:
        given = msgspec.json.decode(arguments.strip() or "{}")
    except (msgspec.DecodeError, UnicodeError):
        raise Invalid("the arguments are not JSON", hint="call the tool again with one JSON object") from None
    if not isinstance(given, dict):
        raise Invalid("the arguments are not a JSON object", hint="call the tool again with one JSON object")
    return {field: value for field, value in given.items() if value is not None and value != ""}


def _parse_fields(request: type[Request[Any]], given: dict[str, Any]) -> dict[str, Any]:
    """Return the Request's fields from a model's arguments, `number` for `numbers` and the other way round."""
    known = [name for name in request.__struct_fields__ if name not in _hidden_fields(request)]
    other = {"numbers": "number", "number": "numbers"}
    renamed = {name: other[name] for name in given if name not in known and other.get(name) in known}
    given = {renamed.get(name, name): value for name, value in given.items()}
    clear = _to_list(given.pop("clear", [])) if request is EditTasks else []
    unknown = [name for name in given if name not in known]
    if unknown:
        raise Invalid(f"the tool has no field {unknown[0][:40]!r}", hint=f"its fields are: {', '.join(known)}")
    wrong = [name for name in clear if name not in CLEARABLE_FIELDS]
    if wrong:
        raise Invalid(f"{str(wrong[0])[:40]!r} cannot be cleared", hint=f"these can: {', '.join(CLEARABLE_FIELDS)}")
    return {name: _parse_value(name, value) for name, value in given.items()} | dict.fromkeys(clear)


def _parse_value(name: str, value: Any) -> Any:
    if name in _NUMBER_LIST_FIELDS:
        return [_parse_number(item) for item in _to_list(value)]
    if name in _NUMBER_FIELDS:
        return _parse_number(value[0] if isinstance(value, list) and len(value) == 1 else value)
    return _to_list(value) if name in _TAG_LIST_FIELDS else value


def _to_list(value: Any) -> list[Any]:
    if isinstance(value, str) and "," in value:
        return [item.strip() for item in value.split(",")]
    return value if isinstance(value, list) else [value]


def _parse_number(value: Any) -> Any:
    """Return 3 for 3.0, "3" and "#3"; anything else as it is, for the Request to refuse."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    text = value.strip().removeprefix("#") if isinstance(value, str) else ""
    return int(text) if text.isdecimal() and len(text) < 19 else value

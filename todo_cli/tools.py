"""The tools of models and MCP clients: Requests under names that models know, with schemas without references.

Small models cope badly with many tools. The chat therefore offers BASIC_TOOLS and one tool that finds the others. Calls
are read with tolerance: `"number": "3"` is numbers [3], null and "" mean "not given", and `clear` names the fields to
empty. A call that cannot be read becomes an error that says what the model may send.
"""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

import msgspec

from todo_cli.contract.base import Asks, Request, summary_of
from todo_cli.contract.codec import convert_request
from todo_cli.contract.registry import REQUESTS
from todo_cli.contract.tasks import EditTasks, ListTasks, OnTasks
from todo_cli.errors import Invalid

TOOLS: dict[str, type[Request[Any]]] = {request.tool: request for request in REQUESTS if request.tool}
BASIC_TOOLS = {name: request for name, request in TOOLS.items() if request.tool_always}
"""The tools that the chat offers in every request to the model."""
EXTRA_TOOLS = {name: request for name, request in TOOLS.items() if not request.tool_always}
"""The tools that the chat offers once the model has found them."""

MAX_STATED_NUMBER = 100
"""A greater number is no limit that a model need know."""

MORE_TOOLS = "more_tools"
"""The tool that finds the others. It is no Request: the chat answers it itself."""

_CLEARABLE_LISTS = ("tags", "after")
CLEARABLE_FIELDS = (
    *(
        field.name
        for field in msgspec.structs.fields(EditTasks)
        if {type(None), msgspec.UnsetType} <= {*get_args(field.type)}
    ),
    *_CLEARABLE_LISTS,
)
"""The fields of a task that `clear` may empty."""

_HIDDEN_FIELDS = {"if_rev", "if_claimed", "force", "home", "count_deferred", "count_all", "parse"}
_ONLY_IF_SAID = "Only if the user said so."
_FIELDS_WITHOUT_REMARK = ("cursor", "before", "filter", "dry_run")
"""The optional fields that a model composes itself or takes from a result."""
_APP_ASKS = "The app asks the user: do not ask first."
_DESCRIPTIONS = {
    "numbers": "As list_tasks shows them.",
    "number": "As list_tasks shows it.",
    "due": "The deadline. English words such as 'next friday 9am', or ISO.",
    "scheduled": "When to work on it, not the deadline. Words or ISO.",
    "defer": "Hidden until then: 'not before'. Words or ISO.",
    "every": "How often: 'every 2 weeks on mon'; 'every! 3 days' counts from completion.",
    "due_before": "Words such as 'friday', or ISO.",
    "due_after": "Words such as 'today', or ISO.",
    "filter": "For example 'project:home due<fri', 'p1 @phone -@work', 'is:blocked'.",
    "sort": "Such as 'priority,-due'; also created, updated, title, completed, urgency.",
    "limit": "How many at most.",
    "cursor": "The `more` of the previous result.",
    "before": "The `more` of the previous result.",
    "id": "The `seq` of the change.",
    "priority": "1 is the most urgent, 3 the least.",
    "add_tags": "Tags to add.",
    "remove_tags": "Tags to remove.",
    "parent": "The task above it.",
    "after": "The tasks that it waits for.",
    "lease": "How many seconds the claim lasts; 900 by default.",
    "partial": "Leave changed tasks alone.",
    "dry_run": "Only say what it would change.",
    "add_after": "More tasks that it waits for.",
    "remove_after": "Tasks that it waits for no longer.",
    "occurrences": "'this' one only, or 'all': the next dates too.",
    "clear": "The fields to empty.",
}
_DESCRIPTIONS_IN: dict[type[Request[Any]], dict[str, str]] = {
    ListTasks: {"due": "Due on that day: words such as 'friday', or ISO."},
    EditTasks: {
        "tags": "All tags of the task: replaces the list.",
        "after": "All tasks that it waits for: replaces the list.",
    },
}
"""The descriptions of fields that differ from `_DESCRIPTIONS` in one tool."""
_LIMIT_NAMES = {"minLength", "maxLength", "minItems", "maxItems"}
_RANGE_NAMES = {"minimum", "maximum"}
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
    return tuple(_make_tool(name, _describe_tool(request), make_schema(request)) for name, request in TOOLS.items())


def _describe_tool(request: type[Request[Any]]) -> str:
    summary = summary_of(request)
    return f"{summary} {_APP_ASKS}" if request.asks is Asks.ALWAYS else summary


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
    required = schema.get("required", []) + (["numbers"] if request.needs_numbers else [])
    descriptions = _DESCRIPTIONS | _DESCRIPTIONS_IN.get(request, {})
    fields = {
        name: _describe_field(name, _simplify(field), descriptions.get(name), is_optional=name not in required)
        for name, field in schema["properties"].items()
        if name not in _hidden_fields(request)
    }
    if request is EditTasks:
        items = {"type": "string", "enum": list(CLEARABLE_FIELDS)}
        fields["clear"] = {"type": "array", "items": items, "description": _DESCRIPTIONS["clear"]}
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
    """Return a field's schema without null and defaults, which small models copy, and without limits of size.

    The limits cost words, and a call beyond one is answered with an error that names it.
    """
    branches = [branch for branch in field.get("anyOf", ()) if branch.get("type") != "null"]
    schema = {name: value for name, value in field.items() if name not in ("anyOf", "default")}
    schema |= branches[0] if len(branches) == 1 else {"anyOf": branches} if branches else {}
    hidden = _LIMIT_NAMES if schema.get("maximum", 0) < MAX_STATED_NUMBER else _LIMIT_NAMES | _RANGE_NAMES
    if "items" in schema:
        items = _simplify(schema["items"])
        schema["items"] = {name: value for name, value in items.items() if name != "description"}
    return {name: value for name, value in schema.items() if name not in hidden}


def _describe_field(name: str, schema: dict[str, Any], text: str | None, *, is_optional: bool) -> dict[str, Any]:
    """Return the schema of a field with its description, which is `text` where there is one."""
    remark = _ONLY_IF_SAID if is_optional and name not in _FIELDS_WITHOUT_REMARK else ""
    description = " ".join(filter(None, (text or schema.get("description"), remark)))
    return schema | ({"description": description} if description else {})


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
    empty: dict[str, Any] = {name: [] if name in _CLEARABLE_LISTS else None for name in clear}
    return {name: _parse_value(name, value) for name, value in given.items()} | empty


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

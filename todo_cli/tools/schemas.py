"""The schemas of tools, without references, and the descriptions that models read."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from todo_cli.contract.base import Asks, Request, summary_of
from todo_cli.contract.codec import answer_type
from todo_cli.contract.tasks import EditTasks, ListTasks
from todo_cli.contract.tool_requests import FENCE_ARGUMENT, KEY_ARGUMENT, takes_fence
from todo_cli.tools.tool_list import (
    BASIC_TOOLS,
    CLEARABLE_FIELDS,
    EXTRA_TOOLS,
    MCP_FIELDS,
    MORE_TOOLS,
    TOOLS,
    hidden_fields,
)

MAX_STATED_NUMBER = 100
"""A greater number is no limit that a model need know."""

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
    "remind": "'1h before', 'at due', or a time in words or ISO.",
    "replace": "Instead of the reminders that it has; [] removes them.",
    "lease": "How many seconds the claim lasts; 900 by default.",
    "partial": "Leave changed tasks alone.",
    "dry_run": "Only say what it would change.",
    "add_after": "More tasks that it waits for.",
    "remove_after": "Tasks that it waits for no longer.",
    "occurrences": "'this' one only, or 'all': the next dates too.",
    "clear": "The fields to empty.",
    "assigned_to": "The member of the space who is to finish it, or 'me'.",
    "discovered_from": "The task during which you found this one.",
    "fence": "The `fence` of your claim_task, if you have claimed the task.",
    "key": "A text of your own for this change. A repeated call with the same key does nothing more.",
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
    "properties": {"words": {"type": "string", "description": "What to do: 'skip a date'."}},
    "required": ["words"],
}


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
    finder = _make_tool(MORE_TOOLS, f"Find more tools: {', '.join(EXTRA_TOOLS)}.", _FINDER_PARAMETERS)
    return (*(tools[name] for name in BASIC_TOOLS), finder, *(tools[name] for name in EXTRA_TOOLS if name in found))


def _make_tool(name: str, description: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def make_schema(request: type[Request[Any]], *, with_key: bool = False) -> dict[str, Any]:
    """Return the JSON Schema of a tool's arguments.

    With `with_key` a write has the idempotency key and the fence. The chat offers neither: there each call acts once
    anyway.
    """
    document = msgspec.json.schema(request)
    definitions = document.get("$defs", {})
    schema = _inline_references(definitions[request.__name__], definitions)
    required = schema.get("required", []) + (["numbers"] if request.needs_numbers else [])
    descriptions = _DESCRIPTIONS | _DESCRIPTIONS_IN.get(request, {})
    fields = {
        name: _describe_field(name, _simplify(field), descriptions.get(name), is_optional=name not in required)
        for name, field in schema["properties"].items()
        if name not in hidden_fields(request) and (with_key or name not in MCP_FIELDS)
    }
    if request is EditTasks:
        clearable = [*CLEARABLE_FIELDS, *(MCP_FIELDS if with_key else ())]
        items = {"type": "string", "enum": clearable}
        fields["clear"] = {"type": "array", "items": items, "description": _DESCRIPTIONS["clear"]}
    if with_key and request.write:
        fields[KEY_ARGUMENT] = {"type": "string", "description": _DESCRIPTIONS[KEY_ARGUMENT]}
    if with_key and takes_fence(request):
        fields[FENCE_ARGUMENT] = {"type": "integer", "description": _DESCRIPTIONS[FENCE_ARGUMENT]}
    return {"type": "object", "properties": fields, "required": required}


@cache
def make_answer_schema(request: type[Request[Any]]) -> dict[str, Any]:
    """Return the JSON Schema of a tool's answer, without the descriptions of its parts."""
    document = msgspec.json.schema(answer_type(request))
    schema: dict[str, Any] = _without_remarks(_inline_references({"$ref": document["$ref"]}, document["$defs"]))
    return schema


def _without_remarks(node: Any) -> Any:
    """Return a schema without titles and descriptions."""
    if isinstance(node, list):
        return [_without_remarks(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        # below `properties` the names are those of fields
        name: {field: _without_remarks(schema) for field, schema in value.items()}
        if name == "properties"
        else _without_remarks(value)
        for name, value in node.items()
        if name not in ("title", "description")
    }


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

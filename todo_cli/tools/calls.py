"""Read the calls of models with tolerance.

`"number": "3"` is numbers [3], null and "" mean "not given", and `clear` names the fields to empty. A call that cannot
be read becomes an error that says what the model may send.
"""

from __future__ import annotations

from typing import Any

import msgspec

from todo_cli.contract.base import Request
from todo_cli.contract.codec import convert_request
from todo_cli.contract.keys import check_key, parse_fences
from todo_cli.contract.tasks import EditTasks
from todo_cli.contract.tool_requests import FENCE_ARGUMENT, KEY_ARGUMENT, takes_fence
from todo_cli.errors import Invalid
from todo_cli.tools.tool_list import CLEARABLE_FIELDS, CLEARABLE_LISTS, MCP_FIELDS, TOOLS, hidden_fields

_NUMBER_FIELDS = ("number", "parent", "discovered_from")
_NUMBER_LIST_FIELDS = ("numbers", "after", "add_after", "remove_after")
_TAG_LIST_FIELDS = ("tags", "add_tags", "remove_tags")


def parse_tool_call(name: str, arguments: str) -> tuple[type[Request[Any]], dict[str, Any]]:
    """Return the Request of a tool call and its fields; raises Invalid with a sentence for the model.

    The fields of a write may have KEY_ARGUMENT and FENCE_ARGUMENT too, which are no fields of the Request.
    """
    request = TOOLS.get(name)
    if request is None:
        raise Invalid(f"there is no tool {name[:60]!r}", hint=f"the tools are: {', '.join(TOOLS)}")
    fields = _parse_fields(request, _decode_arguments(arguments))
    beside = (KEY_ARGUMENT, FENCE_ARGUMENT)
    convert_request({name: value for name, value in fields.items() if name not in beside}, request)
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
    known = [name for name in request.__struct_fields__ if name not in hidden_fields(request)]
    key = given.pop(KEY_ARGUMENT, None) if request.write else None
    fence = given.pop(FENCE_ARGUMENT, None) if takes_fence(request) else None
    other = {"numbers": "number", "number": "numbers"}
    renamed = {name: other[name] for name in given if name not in known and other.get(name) in known}
    given = {renamed.get(name, name): value for name, value in given.items()}
    clear = _to_list(given.pop("clear", [])) if request is EditTasks else []
    unknown = [name for name in given if name not in known]
    if unknown:
        raise Invalid(f"the tool has no field {unknown[0][:40]!r}", hint=f"its fields are: {', '.join(known)}")
    wrong = [name for name in clear if name not in (*CLEARABLE_FIELDS, *MCP_FIELDS)]
    if wrong:
        raise Invalid(f"{str(wrong[0])[:40]!r} cannot be cleared", hint=f"these can: {', '.join(CLEARABLE_FIELDS)}")
    empty: dict[str, Any] = {name: [] if name in CLEARABLE_LISTS else None for name in clear}
    fields = {name: _parse_value(name, value) for name, value in given.items()} | empty
    fields |= {} if key is None else {KEY_ARGUMENT: parse_key(key)}
    return fields if fence is None else fields | {FENCE_ARGUMENT: _parse_fence(fence)}


def _parse_fence(fence: Any) -> int:
    """Return the fence of a call, also where it is text; raises Invalid."""
    return parse_fences([str(_parse_number(fence))])[0]


def parse_key(key: Any) -> str:
    """Return the idempotency key of a call, a number as text; raises Invalid."""
    if not isinstance(key, str | int):
        raise Invalid("the key is not text", hint="send a text of your own choice, and the same for the same change")
    check_key(str(key))
    return str(key)


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

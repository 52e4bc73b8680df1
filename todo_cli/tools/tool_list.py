"""The tools of models and MCP clients: Requests under names that models know.

Small models cope badly with many tools. The chat therefore offers BASIC_TOOLS and one tool that finds the others.
"""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from todo_cli.contract.base import Request
from todo_cli.contract.registry import REQUESTS
from todo_cli.contract.tasks import AddTask, EditTasks, OnTasks

TOOLS: dict[str, type[Request[Any]]] = {request.tool: request for request in REQUESTS if request.tool}
BASIC_TOOLS = {name: request for name, request in TOOLS.items() if request.tool_always}
"""The tools that the chat offers in every request to the model."""
EXTRA_TOOLS = {name: request for name, request in TOOLS.items() if not request.tool_always}
"""The tools that the chat offers once the model has found them."""

MORE_TOOLS = "more_tools"
"""The tool that finds the others. It is no Request: the chat answers it itself."""

MCP_FIELDS = ("discovered_from", "assigned_to")
"""Fields of tools over MCP that the chat does not offer: small models have no room for them in the prompt."""

CLEARABLE_LISTS = ("tags", "after")
CLEARABLE_FIELDS = (
    *(
        field.name
        for field in msgspec.structs.fields(EditTasks)
        if {type(None), msgspec.UnsetType} <= {*get_args(field.type)} and field.name not in MCP_FIELDS
    ),
    *CLEARABLE_LISTS,
)
"""The fields of a task that `clear` may empty; over MCP those of MCP_FIELDS too."""

_HIDDEN_FIELDS = {
    "if_rev",
    "if_claimed",
    "force",
    "home",
    "count_deferred",
    "count_all",
    "with_links",
    "explain",
    "as_of",
    "seq",
    "token",
    "parse",
    "report_similar",
    "default_project",
}


def hidden_fields(request: type[Request[Any]]) -> set[str]:
    """Return the fields that models do not have. They name the tasks that they change by numbers, not by a filter."""
    if request in (AddTask, EditTasks):
        return _HIDDEN_FIELDS | {"filter", "remind"}  # remind_task has it
    return _HIDDEN_FIELDS | {"filter"} if issubclass(request, OnTasks) else _HIDDEN_FIELDS

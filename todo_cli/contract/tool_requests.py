"""The part of a tool call that is the same in the chat and over MCP: its key, and the fields that no model sets."""

from typing import Any

from msgspec.structs import replace

from todo_cli.contract.base import Request
from todo_cli.contract.claims import ClaimTask
from todo_cli.contract.tasks import AddTask, ListTasks

KEY_ARGUMENT = "key"
"""The argument of every tool that writes, and the name in `_meta` of MCP: the idempotency key of the call."""

FENCE_ARGUMENT = "fence"
"""The argument of a tool over MCP that changes existing tasks: the fence of the claim on which the caller acts."""


def takes_fence(request: type[Request[Any]]) -> bool:
    """Return whether calls of the Request over MCP may name a fence: those that change tasks that exist."""
    return request.write and request not in (AddTask, ClaimTask)


def complete_tool_request(request: Request[Any], *, has_key: bool) -> Request[Any]:
    """Return the Request with the fields that tools always set.

    A list counts the deferred tasks that it hides. An addition without a key names the task that is like it, since the
    client may have repeated a call whose answer was lost.
    """
    if isinstance(request, ListTasks):
        return replace(request, count_deferred=True)
    if isinstance(request, AddTask) and not has_key:
        return replace(request, report_similar=True)
    return request

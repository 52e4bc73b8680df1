"""Print the stored messages of a conversation."""

from __future__ import annotations

from typing import Any

from todo_cli.cli.render.escape import escape, escape_block
from todo_cli.cli.render.turn import format_call
from todo_cli.cli.render.turn_summary import format_usage
from todo_cli.contract.turn_steps import Message


def format_message(message: Message) -> list[str]:
    """Return the lines of a conversation's message for a pipe; none for results of calls and summaries."""
    if message.role in ("tool", "summary"):
        return []
    author = "you" if message.role == "user" else "todo"
    mark = "" if message.status == "whole" else " (interrupted)"
    body = escape_block(message.content).replace("\n", "\n    ")
    lines = [f"{message.seq:>4} {author}{mark}: {body}"] if message.content or not message.calls else []
    lines += [f"     {format_call(call.name, call.arguments)}" for call in message.calls]
    return [*lines, *_format_cost(message.usage)]


def _format_cost(usage: dict[str, Any] | None) -> list[str]:
    if not usage or "cost" not in usage:
        return []
    tokens, cost = format_usage(usage)
    return [escape(f"     ({cost}, {tokens})")]

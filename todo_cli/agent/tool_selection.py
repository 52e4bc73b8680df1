"""Select the tools that a request offers: a few always, others once the model has found them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from todo_cli.contract.base import summary_of
from todo_cli.contract.turn_steps import Message
from todo_cli.tools.schemas import offer_tools
from todo_cli.tools.tool_list import EXTRA_TOOLS, MORE_TOOLS

_COMMON_WORDS = {
    "and",
    "any",
    "are",
    "for",
    "from",
    "has",
    "one",
    "task",
    "tasks",
    "that",
    "the",
    "them",
    "tool",
    "tools",
    "what",
    "with",
}  # fmt: skip - one word a line would be a screen
_STEM_CHARS = 5


def select_tools(messages: Sequence[Message]) -> tuple[dict[str, Any], ...]:
    """Return the tools of the next request: the basic ones, and those that a replayed turn has found or called."""
    calls_by_message = {(message.conversation, message.seq): message.calls for message in messages if message.calls}
    names = {call.name for calls in calls_by_message.values() for call in calls}
    for message in messages:
        calls = calls_by_message.get((message.conversation, message.call_seq or 0), ())
        index = message.call_index or 0
        if message.role == "tool" and index < len(calls) and calls[index].name == MORE_TOOLS:
            names |= {*_listed_names(message.content)}
    return offer_tools(frozenset(names & EXTRA_TOOLS.keys()))


def find_tools(arguments: str) -> str:
    """Answer a call of MORE_TOOLS: the tools with one of the words in their name or description, else all tools."""
    words = {*_stems(arguments)} - {"words"}
    descriptions = {name: summary_of(kind) for name, kind in EXTRA_TOOLS.items()}
    matches = [name for name, text in descriptions.items() if words & {*_stems(f"{name} {text}")}]
    tools = [{"name": name, "description": descriptions[name]} for name in matches or descriptions]
    return msgspec.json.encode({"tools": tools, "hint": "call them by name, from now on"}).decode()


def _listed_names(answer: str) -> Iterator[str]:
    try:
        tools = msgspec.json.decode(answer, type=dict[str, Any]).get("tools")
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeError):
        return
    for tool in tools if isinstance(tools, list) else ():
        if isinstance(tool, dict) and isinstance(tool.get("name"), str):
            yield tool["name"]


def _stems(text: str) -> Iterator[str]:
    """Yield the words cut to their stems, so that "changes" finds "change", without the words that every tool has."""
    for word in re.findall(r"[a-z]{3,}", text.lower().replace("_", " ")):
        if word not in _COMMON_WORDS:
            yield word[:_STEM_CHARS]

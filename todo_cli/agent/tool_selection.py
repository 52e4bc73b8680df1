"""Which tools a request offers: a few always, others once they were found. Pure, from what is stored alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from todo_cli.contract.base import title_of
from todo_cli.contract.turn_steps import Message
from todo_cli.tools import EXTRA_TOOLS, MORE_TOOLS, offer_tools

_COMMON = {"and", "any", "are", "for", "from", "has", "one", "task", "tasks", "that", "the", "them", "tool", "tools",
           "what", "with"}  # fmt: skip
_STEM = 5


def offers(messages: Sequence[Message], turn: str) -> tuple[dict[str, Any], ...]:
    """The tools of the next request: those found in this turn, and those that a replayed turn has called."""
    called = {(one.conversation, one.seq): one.calls for one in messages if one.calls}
    names = {call.name for calls in called.values() for call in calls}
    for one in messages:
        wishes = called.get((one.conversation, one.call_seq or 0), ())
        place = one.call_index or 0
        if one.role == "tool" and one.turn == turn and place < len(wishes) and wishes[place].name == MORE_TOOLS:
            names |= {*_named(one.content)}
    return offer_tools(frozenset(names & EXTRA_TOOLS.keys()))


def tools_for(arguments: str) -> str:
    """The answer to a call of MORE: the tools whose name or description has one of the words, all where none has."""
    asked = {*_words(arguments)} - {"words"}
    about = {name: title_of(kind) for name, kind in EXTRA_TOOLS.items()}
    fitting = [name for name, line in about.items() if asked & {*_words(f"{name} {line}")}]
    listed = [{"name": name, "description": about[name]} for name in fitting or about]
    return msgspec.json.encode({"tools": listed, "hint": "call them by name, from now on"}).decode()


def _named(answer: str) -> Iterator[str]:
    try:
        listed = msgspec.json.decode(answer, type=dict[str, Any]).get("tools")
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeError):
        return
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and isinstance(one.get("name"), str):
            yield one["name"]


def _words(text: str) -> Iterator[str]:
    """Words cut to a stem's length, so that "changes" finds "change"; without those that every tool has."""
    for word in re.findall(r"[a-z]{3,}", text.lower().replace("_", " ")):
        if word not in _COMMON:
            yield word[:_STEM]

"""Which calls may be done at once, which need a person's yes, and which name a task that nobody has spoken of. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from todo_cli.agent.tool_selection import tools_for
from todo_cli.contract.base import Asks, Request
from todo_cli.contract.tasks import AddTask
from todo_cli.contract.turn_steps import Message
from todo_cli.errors import Invalid
from todo_cli.tools import MORE_TOOLS, parse_tool_call

FREE_ADDS = 20

NAMING = ("number", "numbers", "parent", "after", "add_after", "remove_after")
"""The fields of tools that are tasks' numbers."""

# in a result a title's quotes are escaped: it cannot look like this
_LISTED = re.compile(r'"number":(\d{1,18})')
_SPOKEN = re.compile(r"\d{1,18}")
_RANGE = re.compile(r"(\d{1,18})\s*(?:-|–|\.\.|to)\s*#?(\d{1,18})")


class ParsedCall(msgspec.Struct, frozen=True):
    """A call as it is understood: a Request's kind and fields, the error, or (`told`) the answer at once."""

    message: int
    index: int
    kind: type[Request[Any]] | None = None
    fields: dict[str, Any] = {}
    error: Invalid | None = None
    told: str = ""

    @property
    def numbers(self) -> list[int]:
        """The tasks that it is about."""
        one = self.fields.get("number")
        return [*self.fields.get("numbers", ()), *([one] if one is not None else [])]

    @property
    def named(self) -> list[int]:
        """Every task's number in it, those too that are not changed."""
        found = [self.fields.get(name) for name in NAMING]
        return [each for one in found for each in (one if isinstance(one, list | tuple) else [one]) if each is not None]

    @property
    def changes(self) -> bool:
        """It is no mere look."""
        return self.kind is not None and self.kind.write and not self.fields.get("dry_run")


def understood(message: Message, index: int) -> ParsedCall:
    """What a call wishes."""
    call = message.calls[index]
    if call.name == MORE_TOOLS:
        return ParsedCall(message.seq, index, told=tools_for(call.arguments))
    try:
        kind, fields = parse_tool_call(call.name, call.arguments)
    except Invalid as error:
        return ParsedCall(message.seq, index, error=error)
    return ParsedCall(message.seq, index, kind, fields)


def judged(calls: Sequence[ParsedCall], messages: Sequence[Message], turn: str, summary: str | None) -> list[str]:
    """For each call "run", "ask", or "error"; counted over all that the turn has done and now wishes."""
    done = _done(messages, turn)
    known = known_numbers(messages, summary)
    counted = [one for one in [*done, *calls] if one.changes and one.kind and one.kind.asks is Asks.SEVERAL]
    several = len({number for one in counted for number in one.numbers}) > 1
    adds = sum(one.kind is AddTask for one in done)
    verdicts = []
    for one in calls:
        adds += one.kind is AddTask
        verdicts.append(_verdict(one, known, several=several, too_many=adds > FREE_ADDS))
    return verdicts


def _verdict(one: ParsedCall, known: set[int], *, several: bool, too_many: bool) -> str:
    if one.kind is None or not known.issuperset(one.named):
        return "error"
    if not one.changes:
        return "run"
    if one.kind is AddTask:
        return "ask" if too_many else "run"
    return "ask" if one.kind.asks is Asks.ALWAYS or (one.kind.asks is Asks.SEVERAL and several) else "run"


def _done(messages: Sequence[Message], turn: str) -> list[ParsedCall]:
    mine = [one for one in messages if one.turn == turn]
    answers = {(one.call_seq, one.call_index): one.content for one in mine if one.role == "tool"}
    return [
        understood(one, index)
        for one in mine
        for index in range(len(one.calls))
        if not answers.get((one.seq, index), '{"error"').startswith('{"error"')
    ]


def known_numbers(messages: Sequence[Message], summary: str | None) -> set[int]:
    """Every task's number that the person named or that a result has shown; what the model says counts for nothing."""
    found: set[int] = set()
    for one in messages:
        if one.role == "tool":
            found |= {int(number) for number in _LISTED.findall(one.content)}
        elif one.role == "user":
            found |= _spoken(one.content)
    return found | (_spoken(summary) if summary else set())


def _spoken(text: str) -> set[int]:
    named = {int(number) for number in _SPOKEN.findall(text)}
    for first, last in _RANGE.findall(text):
        if 0 <= int(last) - int(first) <= 1_000:
            named |= set(range(int(first), int(last) + 1))
    return named


def unknown_numbers(one: ParsedCall, messages: Sequence[Message], summary: str | None) -> str:
    """What is answered to a call that names tasks which nobody has spoken of."""
    known = known_numbers(messages, summary)
    named = ", ".join(f"#{number}" for number in one.named if number not in known)
    return f"nobody has spoken of task {named} here; nothing was done"

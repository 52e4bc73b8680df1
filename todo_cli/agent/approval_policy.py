"""Decide for each tool call whether it runs at once, needs a person's approval, or names an unknown task."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from todo_cli.agent.spoken_numbers import spoken_numbers
from todo_cli.agent.tool_selection import find_tools
from todo_cli.contract.attached_text import remove_attachment
from todo_cli.contract.base import Asks, Request
from todo_cli.contract.claims import ClaimTask
from todo_cli.contract.journal import Redo, Undo
from todo_cli.contract.tasks import AddTask
from todo_cli.contract.turn_steps import Message
from todo_cli.errors import Invalid
from todo_cli.tools.calls import parse_tool_call
from todo_cli.tools.tool_list import MORE_TOOLS

MAX_FREE_ADDS = 20
"""Tasks that a turn may add without approval."""
REPEATABLE = (Undo, Redo, ClaimTask)
"""Changes that mean something else each time: the last change, the next free task."""

NUMBER_FIELDS = ("number", "numbers", "parent", "after", "add_after", "remove_after", "discovered_from")
"""The fields of tools that hold the numbers of tasks."""

# a result escapes the quotes of a title, so that no title can look like this
_LISTED_NUMBER = re.compile(r'"number":(\d{1,18})')


class ParsedCall(msgspec.Struct, frozen=True):
    """A call as a Request's class and fields, as an error, or with its `answer` where it is no Request."""

    message: int
    index: int
    kind: type[Request[Any]] | None = None
    fields: dict[str, Any] = {}
    error: Invalid | None = None
    answer: str = ""

    @property
    def numbers(self) -> list[int]:
        """The tasks that the call is about."""
        number = self.fields.get("number")
        return [*self.fields.get("numbers", ()), *([number] if number is not None else [])]

    @property
    def all_numbers(self) -> list[int]:
        """Every task's number in the call, also of tasks that it does not change."""
        values = [self.fields.get(name) for name in NUMBER_FIELDS]
        lists = [value if isinstance(value, list | tuple) else [value] for value in values]
        return [number for numbers in lists for number in numbers if number is not None]

    @property
    def is_change(self) -> bool:
        """True if the call changes something."""
        return self.kind is not None and self.kind.write and not self.fields.get("dry_run")


def parse_call(message: Message, index: int) -> ParsedCall:
    """Parse call `index` of a message."""
    call = message.calls[index]
    if call.name == MORE_TOOLS:
        return ParsedCall(message.seq, index, answer=find_tools(call.arguments))
    try:
        kind, fields = parse_tool_call(call.name, call.arguments)
    except Invalid as error:
        return ParsedCall(message.seq, index, error=error)
    return ParsedCall(message.seq, index, kind, fields)


def decide(calls: Sequence[ParsedCall], messages: Sequence[Message], turn: str) -> list[str]:
    """Return "run", "ask" or "error" for each call, by its arguments.

    A change that may "run" still needs the person's consent once it is decided. All changes of the
    turn count together.
    """
    done = [call for call, _ in completed_calls([message for message in messages if message.turn == turn])]
    known = known_numbers(messages)
    changes = [call for call in [*done, *calls] if call.is_change and call.kind is not AddTask]
    changes_several = len({number for call in changes for number in call.numbers}) > 1
    adds = sum(call.kind is AddTask for call in done)
    decisions = []
    for call in calls:
        adds += call.kind is AddTask
        too_many_adds = adds > MAX_FREE_ADDS
        decisions.append(_decide_call(call, known, changes_several=changes_several, too_many_adds=too_many_adds))
    return decisions


def _decide_call(call: ParsedCall, known: set[int], *, changes_several: bool, too_many_adds: bool) -> str:
    if call.kind is None or not known.issuperset(call.all_numbers):
        return "error"
    if not call.is_change:
        return "run"
    if call.kind is AddTask:
        return "ask" if too_many_adds else "run"
    return "ask" if changes_several or call.kind.asks is Asks.ALWAYS else "run"


def completed_calls(messages: Sequence[Message]) -> list[tuple[ParsedCall, str]]:
    """Return the calls of a turn's messages that succeeded, each with its result."""
    results = {
        (message.call_seq, message.call_index): message.content for message in messages if message.role == "tool"
    }
    return [
        (parse_call(message, index), results[message.seq, index])
        for message in messages
        for index in range(len(message.calls))
        if not results.get((message.seq, index), '{"error"').startswith('{"error"')
    ]


def repeated_result(call: ParsedCall, messages: Sequence[Message], turn: str) -> str | None:
    """Return the result of the same change in an earlier round of the turn, or None for a new change.

    A model in a loop would otherwise do the change again. The same call twice within one message is meant as two.
    """
    if not call.is_change or call.kind in REPEATABLE:
        return None
    for done, content in completed_calls([message for message in messages if message.turn == turn]):
        if done.message < call.message and (done.kind, done.fields) == (call.kind, call.fields):
            return content
    return None


def known_numbers(messages: Sequence[Message]) -> set[int]:
    """Return every task's number that the user wrote or a result listed.

    The model's own text, a summary among it, and attached files do not count.
    """
    numbers: set[int] = set()
    for message in messages:
        if message.role == "tool":
            numbers |= {int(number) for number in _LISTED_NUMBER.findall(message.content)}
        elif message.role == "user":
            numbers |= spoken_numbers(remove_attachment(message.content))
    return numbers


def unknown_numbers_message(call: ParsedCall, messages: Sequence[Message]) -> str:
    """Return the error text for a call that names tasks which do not occur in the conversation."""
    known = known_numbers(messages)
    numbers = ", ".join(f"#{number}" for number in call.all_numbers if number not in known)
    return f"task {numbers} was not mentioned or listed in this conversation; nothing was done"

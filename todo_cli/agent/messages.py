"""Stored messages → the model's. Pure: the same messages give the same bytes, the date's line apart.

What comes out passes `faults`, whatever went in: every call has its one result, directly behind it and in order; ids
are unique; nothing is empty; a user's message is followed by an answer before the next; turns are whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import msgspec

from todo_cli.agent.prompts import system
from todo_cli.contract.turn_steps import Message, MessageCall

Said = dict[str, Any]

INTERRUPTED = '{"error":"interrupted","detail":"it is not known to have been done; look before you claim it"}'
MARK = "(interrupted)"


def request_messages(messages: Sequence[Message], summary: str | None, today: str) -> list[Said]:
    """The whole request: prompt and summary, the turns, and in the newest one the date."""
    line = whole_turns(messages)
    newest = line[-1].turn if line else None
    made: list[Said] = [{"role": "system", "content": system(summary)}]
    ids = _Ids()
    for turn, said in groupby(line, key=lambda one: one.turn):
        _turn(made, list(said), ids, today if turn == newest else None)
    return made


def whole_turns(messages: Sequence[Message]) -> list[Message]:
    """Without what the budget has left of a turn whose beginning it cut, and without what is outside the line."""
    line = [one for one in messages if one.status != "dead" and one.role != "summary"]
    first = next((at for at, one in enumerate(line) if one.role == "user"), len(line))
    return line[first:]


def open_calls(messages: Sequence[Message]) -> list[tuple[Message, int]]:
    """The calls of the newest message that have no result, in order."""
    newest = next((one for one in reversed(messages) if one.calls), None)
    if newest is None or any(one.role != "tool" for one in messages[messages.index(newest) + 1 :]):
        return []
    here = [one for one in messages if one.conversation == newest.conversation]  # a fork counts from 1 again
    done = {one.call_index for one in here if one.call_seq == newest.seq and one.role == "tool"}
    return [(newest, index) for index in range(len(newest.calls)) if index not in done]


def _turn(made: list[Said], said: list[Message], ids: _Ids, today: str | None) -> None:
    results = {
        (one.conversation, one.call_seq, one.call_index): one.content
        for one in said
        if one.role == "tool" and one.content.strip()
    }
    for one in said:
        if one.role == "user":
            if made[-1]["role"] in ("user", "tool"):
                made.append({"role": "assistant", "content": MARK})
            text = one.content if one.content.strip() else "(blank)"
            made.append({"role": "user", "content": f"{text}\n\n{today}" if today else text})
        elif one.role == "assistant" and one.calls:
            if made[-1]["role"] == "assistant":
                made.pop()
            made += _calls(one, results, ids)
        elif one.role == "assistant" and made[-1]["role"] != "assistant":
            made.append({"role": "assistant", "content": one.content if one.content.strip() else "(no words)"})


def _calls(said: Message, results: dict[Any, str], ids: _Ids) -> list[Said]:
    named = [(ids.of(call.id, said.seq, index), call) for index, call in enumerate(said.calls)]
    calls = [{"id": name, "type": "function", "function": _function(call)} for name, call in named]
    answers = [
        {"role": "tool", "tool_call_id": name,
         "content": results.get((said.conversation, said.seq, index)) or INTERRUPTED}
        for index, (name, _) in enumerate(named)
    ]  # fmt: skip
    return [{"role": "assistant", "content": said.content or None, "tool_calls": calls}, *answers]


def _function(call: MessageCall) -> Said:
    return {"name": call.name or "unknown", "arguments": _object(call.arguments)}


def _object(arguments: str) -> str:
    """Arguments that every server reads: those that were no JSON object have had their error already."""
    try:
        return arguments if isinstance(msgspec.json.decode(arguments), dict) else "{}"
    except (msgspec.DecodeError, UnicodeError):
        return "{}"


class _Ids:
    """Ids for calls: the provider's own where it is one and new, else ours."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def of(self, given: str, seq: int, index: int) -> str:
        name, more = given if 0 < len(given) <= 64 else f"call_{seq}_{index}", 0
        while name in self._used:
            more += 1
            name = f"call_{seq}_{index}" + (f"_{more}" if more > 1 else "")
        self._used.add(name)
        return name


def valid(messages: Sequence[Said]) -> bool:
    """Whether a model's API accepts them."""
    return not faults(messages)


def faults(messages: Sequence[Said]) -> list[str]:
    """What a model's API would refuse."""
    found: list[str] = []
    waiting: list[str] = []
    used: set[str] = set()
    before = ""
    for at, one in enumerate(messages):
        role = one["role"]
        if waiting and role != "tool":
            found.append(f"{at}: {role} before the results of {waiting}")
            waiting = []
        if role == "tool":
            if not waiting or one["tool_call_id"] != waiting.pop(0):
                found.append(f"{at}: a result without its call")
        elif (role == "system" and at) or (role == "user" and before in ("user", "tool")):
            found.append(f"{at}: {role} after {before}")
        elif role == "assistant" and before in ("system", "assistant"):
            found.append(f"{at}: assistant after {before}")
        calls = [call["id"] for call in one.get("tool_calls", ())]
        if not calls and not (one.get("content") or "").strip():
            found.append(f"{at}: empty")
        found += [f"{at}: id {name!r} is empty or repeated" for name in calls if not name or name in used]
        used |= {*calls}
        waiting, before = waiting + calls, role
    if waiting or before not in ("user", "tool"):
        found.append("the end: the model has nothing to answer")
    return found

"""Convert stored messages to a request that a model's API accepts.

The same messages give the same bytes, apart from the line with the date. Whatever is stored, the request passes
`protocol_errors`: every call has one result, directly behind it and in order; ids are unique; no message is empty; a
user's message is followed by an answer before the next one; turns are complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import msgspec

from todo_cli.agent.prompts import system_prompt
from todo_cli.contract.turn_steps import Message, MessageCall

ApiMessage = dict[str, Any]

MISSING_RESULT = '{"error":"interrupted","detail":"the result is unknown; look before you say that this was done"}'
MISSING_ANSWER = "(interrupted)"
EMPTY_ANSWER = "(no words)"
EMPTY_QUESTION = "(blank)"
MAX_CALL_ID_CHARS = 64


def build_request(messages: Sequence[Message], summary: str | None, date_line: str) -> list[ApiMessage]:
    """Return the system prompt with the summary, then the turns; the newest user message ends with the date."""
    branch = complete_turns(messages)
    newest = branch[-1].turn if branch else None
    request: list[ApiMessage] = [{"role": "system", "content": system_prompt(summary)}]
    ids = _CallIds()
    for turn, turn_messages in groupby(branch, key=lambda message: message.turn):
        _add_turn(request, list(turn_messages), ids, date_line if turn == newest else None)
    return request


def complete_turns(messages: Sequence[Message]) -> list[Message]:
    """Drop messages outside the branch, and the rest of a turn whose beginning did not fit the budget."""
    branch = [message for message in messages if message.status != "dead" and message.role != "summary"]
    first = next((index for index, message in enumerate(branch) if message.role == "user"), len(branch))
    return branch[first:]


def open_calls(messages: Sequence[Message]) -> list[tuple[Message, int]]:
    """Return the calls of the newest message with calls that have no result, in order."""
    newest = next((message for message in reversed(messages) if message.calls), None)
    if newest is None or any(message.role != "tool" for message in messages[messages.index(newest) + 1 :]):
        return []
    answered = {
        message.call_index
        for message in messages
        # a fork counts its messages from 1 again
        if message.conversation == newest.conversation and message.call_seq == newest.seq and message.role == "tool"
    }
    return [(newest, index) for index in range(len(newest.calls)) if index not in answered]


def _add_turn(request: list[ApiMessage], messages: list[Message], ids: _CallIds, date_line: str | None) -> None:
    results = {
        (message.conversation, message.call_seq, message.call_index): message.content
        for message in messages
        if message.role == "tool" and message.content.strip()
    }
    for message in messages:
        if message.role == "user":
            if request[-1]["role"] in ("user", "tool"):
                request.append({"role": "assistant", "content": MISSING_ANSWER})
            text = message.content if message.content.strip() else EMPTY_QUESTION
            request.append({"role": "user", "content": f"{text}\n\n{date_line}" if date_line else text})
        elif message.role == "assistant" and message.calls:
            if request[-1]["role"] == "assistant":
                request.pop()
            request += _call_messages(message, results, ids)
        elif message.role == "assistant" and request[-1]["role"] != "assistant":
            request.append(
                {"role": "assistant", "content": message.content if message.content.strip() else EMPTY_ANSWER}
            )


def _call_messages(message: Message, results: dict[Any, str], ids: _CallIds) -> list[ApiMessage]:
    call_ids = [ids.unique_id(call.id, message.seq, index) for index, call in enumerate(message.calls)]
    calls = [
        {"id": call_id, "type": "function", "function": _function(call)}
        for call_id, call in zip(call_ids, message.calls, strict=True)
    ]
    answers = [
        {
            "role": "tool",
            "tool_call_id": call_id,
            "content": results.get((message.conversation, message.seq, index)) or MISSING_RESULT,
        }
        for index, call_id in enumerate(call_ids)
    ]
    return [{"role": "assistant", "content": message.content or None, "tool_calls": calls}, *answers]


def _function(call: MessageCall) -> ApiMessage:
    return {"name": call.name or "unknown", "arguments": _object_or_empty(call.arguments)}


def _object_or_empty(arguments: str) -> str:
    """Return arguments that every server can read: the model has had its error for any others."""
    try:
        return arguments if isinstance(msgspec.json.decode(arguments), dict) else "{}"
    except (msgspec.DecodeError, UnicodeError):
        return "{}"


class _CallIds:
    """Ids for calls: the provider's id if it has one that is new, else one of ours."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def unique_id(self, provider_id: str, seq: int, index: int) -> str:
        call_id, repeats = provider_id if 0 < len(provider_id) <= MAX_CALL_ID_CHARS else f"call_{seq}_{index}", 0
        while call_id in self._used:
            repeats += 1
            call_id = f"call_{seq}_{index}" + (f"_{repeats}" if repeats > 1 else "")
        self._used.add(call_id)
        return call_id


def protocol_errors(messages: Sequence[ApiMessage]) -> list[str]:
    """Return what a model's API would refuse, as "index: problem"."""
    errors: list[str] = []
    open_ids: list[str] = []
    used_ids: set[str] = set()
    previous = ""
    for index, message in enumerate(messages):
        role = message["role"]
        if open_ids and role != "tool":
            errors.append(f"{index}: {role} before the results of {open_ids}")
            open_ids = []
        if role == "tool":
            if not open_ids or message["tool_call_id"] != open_ids.pop(0):
                errors.append(f"{index}: a result without its call")
        elif (role == "system" and index) or (role == "user" and previous in ("user", "tool")):
            errors.append(f"{index}: {role} after {previous}")
        elif role == "assistant" and previous in ("system", "assistant"):
            errors.append(f"{index}: assistant after {previous}")
        call_ids = [call["id"] for call in message.get("tool_calls", ())]
        if not call_ids and not (message.get("content") or "").strip():
            errors.append(f"{index}: empty")
        bad_ids = [call_id for call_id in call_ids if not call_id or call_id in used_ids]
        errors += [f"{index}: id {call_id!r} is empty or repeated" for call_id in bad_ids]
        used_ids |= {*call_ids}
        open_ids, previous = open_ids + call_ids, role
    if open_ids or previous not in ("user", "tool"):
        errors.append("the end: the model has nothing to answer")
    return errors

"""Find what a provider of models would refuse in the messages of a request."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def replay_errors(messages: Sequence[dict[str, Any]]) -> list[str]:
    """Return the reasons for which a provider would refuse the messages."""
    faults: list[str] = []
    open_ids: list[str] = []
    seen: set[str] = set()
    before = ""
    for at, message in enumerate(messages):
        role = message.get("role")
        if role == "tool":
            faults += _result_errors(at, message, open_ids)
        else:
            faults += [f"{at}: {role} while {open_ids} stand open"] if open_ids else []
            open_ids = []
        if role == "assistant":
            faults += [f"{at}: assistant after assistant"] if before == "assistant" else []
            open_ids = _call_errors(at, message, seen, faults)
        elif role == "user":
            faults += [] if message.get("content") else [f"{at}: user without content"]
        elif role not in ("system", "developer", "tool"):
            faults.append(f"{at}: role {role!r}")
        before = str(role) if role not in ("system", "developer") else before
    faults += [f"end: {open_ids} stand open"] if open_ids else []
    return faults + (["end: nobody asked anything"] if before not in ("user", "tool") else [])


def _result_errors(at: int, message: dict[str, Any], open_ids: list[str]) -> list[str]:
    given = message.get("tool_call_id")
    faults = [] if isinstance(message.get("content"), str) else [f"{at}: result without text"]
    if given not in open_ids:
        return [*faults, f"{at}: result for {given!r}, which nobody called"]
    if open_ids[0] != given:
        faults.append(f"{at}: result for {given!r} out of order")
    open_ids.remove(given)
    return faults


def _call_errors(at: int, message: dict[str, Any], seen: set[str], faults: list[str]) -> list[str]:
    made = message.get("tool_calls") or []
    if not made and not message.get("content"):
        faults.append(f"{at}: assistant without content or calls")
    ids = [str(call.get("id") or "") for call in made]
    for call, given in zip(made, ids, strict=True):
        function = call.get("function", {})
        if not given or given in seen:
            faults.append(f"{at}: id {given!r} is empty or was used before")
        if call.get("type") != "function" or not _NAME.fullmatch(str(function.get("name"))):
            faults.append(f"{at}: call without type or with a wrong name")
        if not _is_object(function.get("arguments")):
            faults.append(f"{at}: arguments are no JSON object")
        seen.add(given)
    return ids


def _is_object(text: object) -> bool:
    try:
        return isinstance(text, str) and isinstance(json.loads(text), dict)
    except ValueError:
        return False

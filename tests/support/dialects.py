"""The dialects of servers in which tool calls differ, and the ways in which a stream breaks."""

from __future__ import annotations

from typing import Any

from tests.support.model_answers import Script, chunk, delta_stream
from tests.support.model_client import ADD_ARGUMENTS

TWO_CALLS = (("add_task", {"title": "milk"}), ("add_task", {"title": "bread"}))
CALL_DIALECTS: dict[str, dict[str, Any]] = {
    "split": {},
    "in single characters": {"size": 1},
    "whole": {"arguments": "whole"},
    "id and name in every delta": {"repeat": True, "size": 2},
    "no arguments key first": {"arguments": "late"},
    "arguments null first": {"arguments": "null"},
    "arguments an object": {"arguments": "object"},
    "no index": {"index": "none"},
    "no index, repeated": {"index": "none", "repeat": True},
    "all index 0": {"index": "zero"},
    "all index 0, whole": {"index": "zero", "arguments": "whole"},
    "all index 0, repeated": {"index": "zero", "repeat": True},
    "out of order": {"index": "reversed"},
    "side by side": {"together": True},
    "no ids": {"ids": "none"},
    "no ids, index 0": {"ids": "none", "index": "zero"},
    "no ids, no index": {"ids": "none", "index": "none"},
    "no ids, no index, objects": {"ids": "none", "index": "none", "arguments": "object", "together": True},
    "no ids, no index, repeated": {"ids": "none", "index": "none", "repeat": True},
    "ids that are the same": {"ids": "same"},
    "ids that are the same, no index": {"ids": "same", "index": "none", "arguments": "whole"},
    "finish stop": {"finish": "stop"},
    "no finish": {"finish": None},
}


def call_stream(entry: dict[str, Any], *more: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a stream of call deltas."""
    return delta_stream(*({"tool_calls": [each]} for each in (entry, *more)), finish="tool_calls")


def call_delta(name: str, arguments: Any = ADD_ARGUMENTS, **more: Any) -> dict[str, Any]:
    """Return a call delta."""
    return {"index": 0, "id": "a", "function": {"name": name, "arguments": arguments}} | more


BROKEN_STREAMS: dict[str, tuple[Script, str]] = {
    "an error object": ([{"data": {"error": {"message": "boom", "code": 502}}}], "failed with status 502: boom"),
    "an error beside choices": (
        [{"data": {"error": {"message": "boom"}, "choices": [{"delta": {"content": ""}, "finish_reason": "error"}]}}],
        "failed: boom",
    ),
    "an error by its object": (
        [{"data": {"object": "error", "message": "boom", "code": 500}}],
        "failed with status 500: boom",
    ),
    "an error event": ([{"event": "error"}, {"data": {"message": "boom"}}], "failed: boom"),
    "an error as text": ([{"data": {"error": "boom"}}], "failed: boom"),
    "the reason error": ([chunk({}, "error")], "reported an error in the middle of the answer"),
    "a line that is not JSON": ([{"data": '{"choices": [{'}], "sent a chunk that is not JSON"),
    "too deep": ([{"data": "[" * 100_000}], "sent a chunk that is not JSON"),
    "cut in a chunk": ([{"cut": True}], "closed the connection in the middle of the answer"),
    "a stall": ([{"stall": True}], "sent nothing for 0.3 s"),
    "comments for ever": ([{"forever": {"comment": "x"}}], "sent nothing for 0.3 s"),
    "empty deltas for ever": ([{"forever": chunk({})}], "sent nothing for 0.3 s"),
}

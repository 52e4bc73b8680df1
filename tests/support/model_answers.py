"""Scripts of a model's answers, in the dialects of its servers: `fake_model` plays them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

Step = dict[str, Any]
Script = list[Step] | dict[str, Any]
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def chunk(delta: Any = None, finish: str | None = None, **more: Any) -> Step:
    """Return one data event of a completion."""
    choice = {"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish}
    return {"data": {"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": [choice]} | more}


def usage_chunk(form: str = "empty") -> list[Step]:
    """Return the usage as servers send it: with choices empty, null, filled with an empty delta, or absent."""
    choices: dict[str, Any] = {"empty": [], "null": None, "filled": [{"index": 0, "delta": {}}]}
    if form == "none":
        return []
    bare = {"id": "c1", "object": "chat.completion.chunk", "usage": USAGE}
    return [{"data": bare if form == "absent" else bare | {"choices": choices[form]}}]


def delta_stream(
    *deltas: Any, finish: str | None = "stop", usage: str = "empty", done: bool = True, role: bool = True
) -> list[Step]:
    """Return a whole answer with these deltas."""
    opening = [chunk({"role": "assistant", "content": None})] if role else []
    ending = [chunk({}, finish)] if finish else []
    return [*opening, *map(chunk, deltas), *ending, *usage_chunk(usage), *([{"done": True}] if done else [])]


def text_answer(*words: str, **dialect: Any) -> list[Step]:
    """Return an answer with one delta for each text."""
    return delta_stream(*({"content": word} for word in words), **dialect)


def call_answer(
    *wished: tuple[str, Any],
    text: str | None = None,
    finish: str | None = "tool_calls",
    usage: str = "empty",
    done: bool = True,
    **dialect: Any,
) -> list[Step]:
    """Return an answer that makes calls of (name, arguments), in a dialect of `call_deltas`."""
    before = [{"content": text}] if text else []
    return delta_stream(*before, *call_deltas(wished, **dialect), finish=finish, usage=usage, done=done)


def call_deltas(
    wished: Sequence[tuple[str, Any]],
    *,
    ids: str = "own",
    index: str = "own",
    repeat: bool = False,
    arguments: str = "split",
    size: int = 3,
    together: bool = False,
) -> list[Step]:
    """Return the deltas of calls.

    ids: own, none, same. index: own, none, zero, reversed. repeat: id and name in every delta.
    arguments: split (first ""), late (the first delta has no such key), null (the first has null), whole, object.
    together: all first deltas in one list.
    """
    per_call = [
        list(_call_parts(at, *one, len(wished), ids, index, repeat, arguments, size)) for at, one in enumerate(wished)
    ]
    if index == "reversed":
        per_call.reverse()
    if together:
        firsts = [parts[0] for parts in per_call]
        return [{"tool_calls": firsts}, *({"tool_calls": [part]} for parts in per_call for part in parts[1:])]
    return [{"tool_calls": [part]} for parts in per_call for part in parts]


def _call_parts(
    at: int, name: str, value: Any, count: int, ids: str, index: str, repeat: bool, arguments: str, size: int
) -> Iterator[dict[str, Any]]:
    text = value if isinstance(value, str) else json.dumps(value)
    place = {} if index == "none" else {"index": 0 if index == "zero" else at}
    given = {} if ids == "none" else {"id": "call_x" if ids == "same" else f"call_{at}", "type": "function"}
    first: dict[str, Any] = {
        "whole": {"arguments": text},
        "object": {"arguments": value},
        "late": {},
        "null": {"arguments": None},
        "split": {"arguments": ""},
    }[arguments]
    yield place | given | {"function": {"name": name} | first}
    if arguments in ("whole", "object"):
        return
    for start in range(0, len(text), size):
        part: dict[str, Any] = {"arguments": text[start : start + size]}
        yield place | ((given | {"function": {"name": name} | part}) if repeat else {"function": part})


def error_answer(
    status: int, message: str = "no", *, headers: dict[str, str] | None = None, **error: Any
) -> list[Step]:
    """Return an error in OpenAI's form, with more members by name (code, type)."""
    body = {"error": {"message": message} | error}
    return [{"answer": {"status": status, "headers": headers or {}, "body": body}}]


def body_answer(body: Any, status: int = 200, **headers: str) -> list[Step]:
    """Return a whole answer that is not a stream."""
    return [{"answer": {"status": status, "body": body, "headers": headers}}]

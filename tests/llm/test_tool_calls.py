"""Tool calls in every known dialect give the exact events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.dialects import CALL_DIALECTS, TWO_CALLS, call_delta, call_stream
from tests.support.model_answers import Script, call_answer, delta_stream, text_answer
from tests.support.model_client import ADD_ARGUMENTS, COUNTED, STOP, TEXT_CALL, join_text, stream_events
from todo_cli.llm.client import Event, Finished, TextDelta, ToolCall


@pytest.mark.parametrize("name", CALL_DIALECTS)
def test_two_calls_in_any_dialect_are_read(name: str) -> None:
    form = CALL_DIALECTS[name]
    ids = {"none": ("", ""), "same": ("call_x", "call_x")}.get(form.get("ids", ""), ("call_0", "call_1"))
    *made, end = stream_events(call_answer(*TWO_CALLS, **form))
    assert made == [
        ToolCall(0, ids[0], "add_task", ADD_ARGUMENTS),
        ToolCall(1, ids[1], "add_task", '{"title": "bread"}'),
    ]
    assert isinstance(end, Finished)
    assert (end.reason, end.usage) == ("calls", COUNTED)


CALLS: dict[str, tuple[Script, list[Event]]] = {
    "text, then a call": (
        call_answer(TWO_CALLS[0], text="Right."),
        [TextDelta("Right."), ToolCall(0, "call_0", "add_task", ADD_ARGUMENTS)],
    ),
    "a call, then text": (
        delta_stream({"tool_calls": [call_delta("add_task")]}, {"content": "Done."}),
        [TextDelta("Done."), ToolCall(0, "a", "add_task", ADD_ARGUMENTS)],
    ),
    "an unknown tool": (call_answer(("fly", {})), [ToolCall(0, "call_0", "fly", "{}")]),
    "malformed": (call_answer(("add_task", '{"title": mi')), [ToolCall(0, "call_0", "add_task", '{"title": mi')]),
    "no object": (call_answer(("add_task", "[1]")), [ToolCall(0, "call_0", "add_task", "[1]")]),
    "arguments null": (call_stream(call_delta("list_tasks", None)), [ToolCall(0, "a", "list_tasks", "")]),
    "arguments a number": (call_stream(call_delta("add_task", 3)), [ToolCall(0, "a", "add_task", "3")]),
    "first index 1": (call_stream(call_delta("add_task", index=1)), [ToolCall(0, "a", "add_task", ADD_ARGUMENTS)]),
    "sent whole twice": (
        call_stream(call_delta("add_task"), call_delta("add_task")),
        [ToolCall(0, "a", "add_task", ADD_ARGUMENTS)],
    ),
    "the id later": (
        call_stream(
            call_delta("add_task", "", id=None), {"index": 0, "id": "a", "function": {"arguments": ADD_ARGUMENTS}}
        ),
        [ToolCall(0, "a", "add_task", ADD_ARGUMENTS)],
    ),
    "a delta without function": (
        call_stream(call_delta("add_task"), {"index": 0, "function": None}, {"index": 0}),
        [ToolCall(0, "a", "add_task", ADD_ARGUMENTS)],
    ),
    "a single object for a list": (
        delta_stream({"tool_calls": call_delta("add_task")}),
        [ToolCall(0, "a", "add_task", ADD_ARGUMENTS)],
    ),
    "function_call beside it": (
        delta_stream(
            {"tool_calls": [call_delta("add_task")], "function_call": {"name": "add_task", "arguments": ADD_ARGUMENTS}}
        ),
        [ToolCall(0, "a", "add_task", ADD_ARGUMENTS)],
    ),
    "neither name nor arguments": (
        call_stream({"index": 0}, call_delta("add_task", index=1)),
        [ToolCall(0, "a", "add_task", ADD_ARGUMENTS)],
    ),
    "a thousand": (
        call_stream(*[call_delta("list_tasks", "{}", index=at, id=f"i{at}") for at in range(1000)]),
        [ToolCall(at, f"i{at}", "list_tasks", "{}") for at in range(1000)],
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_call_in_any_form_gives_the_exact_events(name: str) -> None:
    script, events = CALLS[name]
    *found, end = stream_events(script)
    assert found == events
    assert isinstance(end, Finished)
    assert end.reason == "calls"


@pytest.mark.parametrize(
    "text",
    [
        TEXT_CALL,
        f"\n {TEXT_CALL}\n",
        f"```json\n{TEXT_CALL}\n```",
        f"```\n{TEXT_CALL}```",
        f"<tool_call>\n{TEXT_CALL}\n</tool_call>",
    ],
)
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_call_written_as_text_is_a_call(text: str, size: int) -> None:
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    assert stream_events(text_answer(*parts)) == [
        ToolCall(0, "", "add_task", ADD_ARGUMENTS),
        Finished("calls", COUNTED),
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"Sure: {TEXT_CALL}",
        f"{TEXT_CALL} Done.",
        TEXT_CALL * 2,
        TEXT_CALL.replace("add_task", "fly"),
        TEXT_CALL[:-1],
        '{"name": "add_task"}',
        TEXT_CALL[:-1] + ', "x": 1}',
        '{"milk": 1}',
        "```python\n1\n```",
        "<tool_call>",
        "{",
        "`",
        '{"name": [], "arguments": 1}',
    ],
)
def test_other_text_stays_text(text: str) -> None:
    events = stream_events(text_answer(*text))
    assert join_text(events) == text
    assert events[-1] == STOP


def test_text_that_is_not_a_call_is_emitted_at_once() -> None:
    assert stream_events(text_answer("{", '"milk"', ": 1}")) == [TextDelta('{"milk"'), TextDelta(": 1}"), STOP]
    assert stream_events(text_answer(TEXT_CALL), tools=[]) == [TextDelta(TEXT_CALL), STOP]
    assert stream_events(text_answer(TEXT_CALL, finish=None))[0] == TextDelta(TEXT_CALL)
    assert stream_events(delta_stream({"content": TEXT_CALL, "tool_calls": [call_delta("list_tasks", "{}")]}))[:2] == [
        TextDelta(TEXT_CALL),
        ToolCall(0, "a", "list_tasks", "{}"),
    ]


@pytest.mark.parametrize(("finish", "reason"), [("length", "length"), ("content_filter", "filter")])
def test_answer_that_was_cut_has_no_calls(finish: str, reason: str) -> None:
    *events, end = stream_events(call_answer(TWO_CALLS[0], text="Right.", finish=finish))
    assert events == [TextDelta("Right.")]
    assert isinstance(end, Finished)
    assert end.reason == reason


def call_texts() -> dict[str, str]:
    call, arguments = {"name": "add_task", "arguments": {"title": "milk"}}, {"title": "milk"}
    two = [call, {"name": "list_tasks", "arguments": {}}]
    return {
        "function": json.dumps({"type": "function", "function": call}),
        "tool and parameters": json.dumps({"tool": "add_task", "parameters": arguments}),
        "function and args": json.dumps({"function": "add_task", "args": arguments}),
        "arguments as text": json.dumps({"name": "add_task", "arguments": json.dumps(arguments)}),
        "list": json.dumps([call]),
        "two in a list": json.dumps(two),
        "two blocks": "\n".join(f"<tool_call>\n{json.dumps(each)}\n</tool_call>" for each in two),
        "unclosed block": f"<tool_call>\n{json.dumps(call)}",
        "fenced list": f"```json\n{json.dumps(two)}\n```",
    }


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("name", call_texts())
def test_text_in_a_form_of_small_models_is_a_call(name: str, size: int) -> None:
    text = call_texts()[name]
    *events, end = stream_events(text_answer(*[text[start : start + size] for start in range(0, len(text), size)]))
    names = ["add_task", "list_tasks"] if "two" in name or name == "fenced list" else ["add_task"]
    assert [event.name for event in events if isinstance(event, ToolCall)] == names
    assert next(json.loads(event.arguments) for event in events if isinstance(event, ToolCall)) == {"title": "milk"}
    assert end == Finished("calls", COUNTED)


SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}, "numbers": {"type": "array"}}}
STRICT = [{"type": "function", "function": {"name": "add_task", "parameters": SCHEMA}}]


@pytest.mark.parametrize(
    ("arguments", "fits"),
    [({"title": "milk"}, True), ({"number": 3}, True), ({"colour": "red"}, False), ([], False), ("x", False)],
)
def test_text_with_arguments_of_the_tool_only_is_a_call(arguments: Any, fits: bool) -> None:
    events = stream_events(text_answer(json.dumps({"name": "add_task", "arguments": arguments})), tools=STRICT)
    assert isinstance(events[0], ToolCall if fits else TextDelta)

"""Text, reasoning, finish reasons and usage in a stream give the exact events."""

from __future__ import annotations

import pytest

from tests.support.model_answers import USAGE, Script, chunk, delta_stream, text_answer
from tests.support.model_client import ADD_ARGUMENTS, COUNTED, STOP, TEXT_CALL, stream_events
from todo_cli.llm.client import Event, Finished, ReasoningDelta, TextDelta, TokenUsage, ToolCall

TEXT = "Grüße 🌍, `x`"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("split", [None, 1, 2, 3, 7])
def test_text_in_any_pieces_is_joined(split: int | None, newline: str) -> None:
    script = {"steps": text_answer("Hi ", TEXT), "split": split, "newline": newline}
    assert stream_events(script) == [TextDelta("Hi "), TextDelta(TEXT), STOP]


TEXTS: dict[str, tuple[Script, list[Event]]] = {
    "comments": ([{"comment": "ping"}, *text_answer("Hi"), {"comment": "bye"}], [TextDelta("Hi"), STOP]),
    "no done": (text_answer("Hi", done=False), [TextDelta("Hi"), STOP]),
    "no role": (text_answer("Hi", role=False), [TextDelta("Hi"), STOP]),
    "role null and late": (
        delta_stream({"role": None, "content": "a"}, {"role": "assistant", "content": "b"}, role=False),
        [TextDelta("a"), TextDelta("b"), STOP],
    ),
    "role in every delta": (
        delta_stream({"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}),
        [TextDelta("a"), TextDelta("b"), STOP],
    ),
    "content empty and null": (text_answer("", "Hi", ""), [TextDelta("Hi"), STOP]),
    "content in parts": (
        delta_stream({"content": [{"type": "text", "text": "Hi"}, {"type": "image"}, 3]}),
        [TextDelta("Hi"), STOP],
    ),
    "delta null": ([chunk(), {"data": {"choices": [{"delta": None}]}}, *text_answer("Hi")], [TextDelta("Hi"), STOP]),
    "choices null, empty, missing": (
        [
            {"data": {"choices": None}},
            {"data": {"choices": []}},
            {"data": {"id": "c"}},
            {"data": "[]"},
            {"data": "null"},
            *text_answer("Hi"),
        ],
        [TextDelta("Hi"), STOP],
    ),
    "another choice": (
        [{"data": {"choices": [{"index": 1, "delta": {"content": "no"}}]}}, *text_answer("Hi")],
        [TextDelta("Hi"), STOP],
    ),
    "a surrogate pair in two": (
        [
            {"data": '{"choices":[{"delta":{"content":"a\\ud83c"}}]}'},
            {"data": '{"choices":[{"delta":{"content":"\\udf0d"}}]}'},
            *text_answer("!"),
        ],
        [TextDelta("a"), TextDelta("🌍"), TextDelta("!"), STOP],
    ),
    "half a surrogate pair, NUL, bad UTF-8": (
        [
            {"data": '{"choices":[{"delta":{"content":"a\\ud83c"}}]}'},
            {"data": '{"choices":[{"delta":{"content":"b\\u0000"}}]}'},
            {"raw": 'data: {"choices":[{"delta":{"content":"'},
            {"hex": "ff"},
            {"raw": '"}}]}\n\n'},
            *text_answer(),
        ],
        [TextDelta("a"), TextDelta("\ufffdb\ufffd"), TextDelta("\ufffd"), STOP],
    ),
    "escapes and bidi are text": (
        text_answer("\x1b]0;pwn\x07", "\u202egnp"),
        [TextDelta("\x1b]0;pwn\x07"), TextDelta("\u202egnp"), STOP],
    ),
    "reasoning_content": (
        delta_stream({"reasoning_content": "hm"}, {"content": "Hi"}),
        [ReasoningDelta("hm"), TextDelta("Hi"), STOP],
    ),
    "reasoning": (delta_stream({"reasoning": "hm", "content": "Hi"}), [ReasoningDelta("hm"), TextDelta("Hi"), STOP]),
    "both reasonings": (
        delta_stream({"reasoning": "hm", "reasoning_content": "hm"}, {"content": "Hi"}),
        [ReasoningDelta("hm"), TextDelta("Hi"), STOP],
    ),
    "refusal": (delta_stream({"refusal": "I can't."}), [TextDelta("I can't."), STOP]),
    "length": (
        text_answer("Hi", finish="length"),
        [TextDelta("Hi"), Finished("length", COUNTED, "the model's length limit cut the answer")],
    ),
    "filter": (
        text_answer("Hi", finish="content_filter"),
        [TextDelta("Hi"), Finished("filter", COUNTED, "the provider's content filter cut the answer")],
    ),
    "a reason that nobody knows": (text_answer("Hi", finish="eos"), [TextDelta("Hi"), STOP]),
    "tool_calls without calls": (
        text_answer(finish="tool_calls"),
        [Finished("stop", COUNTED, "the model announced a tool call but made none")],
    ),
    "an empty answer": (text_answer(), [STOP]),
    "no reason": (
        text_answer("Hi", finish=None),
        [TextDelta("Hi"), Finished("interrupted", COUNTED, "the answer ended without a reason")],
    ),
    "no reason, no done": (
        text_answer("Hi", finish=None, done=False, usage="none"),
        [TextDelta("Hi"), Finished("interrupted", None, "the answer ended without a reason")],
    ),
    "an end that is no chunked one": ([{"open": {"chunked": False}}, *text_answer("Hi")], [TextDelta("Hi"), STOP]),
    "the last blank line is missing": (
        [
            *text_answer("Hi", done=False, usage="none"),
            {"raw": 'data: {"usage": {"prompt_tokens": 7, "completion_tokens": 3}}'},
        ],
        [TextDelta("Hi"), STOP],
    ),
    "more after done": ([*text_answer("Hi"), {"data": "junk"}, {"stall": True}], [TextDelta("Hi"), STOP]),
    "the wrong content type": (
        [{"open": {"headers": {"Content-Type": "application/json"}}}, *text_answer("Hi")],
        [TextDelta("Hi"), STOP],
    ),
    "no line end for long": (
        [{"open": {}}, {"raw": "\ufeff\n\n"}, *text_answer("Hi" * 5000)],
        [TextDelta("Hi" * 5000), STOP],
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_of_any_form_gives_the_exact_events(name: str) -> None:
    script, events = TEXTS[name]
    assert stream_events(script) == events


@pytest.mark.parametrize("form", ["empty", "null", "filled", "absent"])
def test_usage_in_any_form_is_counted(form: str) -> None:
    assert stream_events(text_answer("Hi", usage=form)) == [TextDelta("Hi"), STOP]


def test_usage_that_is_absent_or_junk_is_none() -> None:
    assert stream_events(text_answer("Hi", usage="none"))[-1] == Finished("stop")
    growing = [chunk({"content": "a"}, usage=USAGE | {"completion_tokens": n}) for n in (1, 2, 3)]
    assert stream_events([*growing, chunk({}, "stop", usage=None)])[-1] == STOP
    junk = {
        "prompt_tokens": "7",
        "completion_tokens": -1,
        "prompt_tokens_details": None,
        "completion_tokens_details": {"reasoning_tokens": 2, "x": []},
    }
    assert stream_events([chunk({"content": "a"}, "stop", usage=junk)])[-1] == Finished("stop", TokenUsage(0, 0, 0, 2))
    assert stream_events([chunk({"content": "a"}, "stop", usage=[1])])[-1] == Finished("stop")


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("content", "reasoning", "answer"),
    [
        ("<think>hm</think>\n\nHi", "hm", "Hi"),
        ("<think>a</think>b<think>c</think> d", "ac", "bd"),
        ("<think>no end", "no end", ""),
        ("1 <th 2 < 3 </think", "", "1 <th 2 < 3 </think"),
        ("<think></think>", "", ""),
    ],
)
def test_stream_with_think_tags_is_reasoning(content: str, reasoning: str, answer: str, size: int) -> None:
    events = stream_events(text_answer(*[content[start : start + size] for start in range(0, len(content), size)]))
    assert "".join(event.text for event in events if isinstance(event, ReasoningDelta)) == reasoning
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == answer


def test_stream_with_think_tags_before_a_text_call_is_a_call() -> None:
    events = stream_events(text_answer("<think>hm</think>\n", TEXT_CALL))
    assert events == [ReasoningDelta("hm"), ToolCall(0, "", "add_task", ADD_ARGUMENTS), Finished("calls", COUNTED)]

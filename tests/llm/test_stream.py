"""What servers send as words, thoughts, reasons and usage: the exact events."""

from __future__ import annotations

import pytest

from tests.support.fake_model import USAGE, Script, chunk, says, stream
from tests.support.model_client import ADD, COUNTED, LONE, STOP, got
from todo_cli.llm.client import Event, Finished, ReasoningDelta, TextDelta, TokenUsage, ToolCall

TEXT = "Grüße 🌍, `x`"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("split", [None, 1, 2, 3, 7])
def test_text_in_any_pieces(split: int | None, newline: str) -> None:
    script = {"steps": says("Hi ", TEXT), "split": split, "newline": newline}
    assert got(script) == [TextDelta("Hi "), TextDelta(TEXT), STOP]


TEXTS: dict[str, tuple[Script, list[Event]]] = {
    "comments": ([{"comment": "ping"}, *says("Hi"), {"comment": "bye"}], [TextDelta("Hi"), STOP]),
    "no done": (says("Hi", done=False), [TextDelta("Hi"), STOP]),
    "no role": (says("Hi", role=False), [TextDelta("Hi"), STOP]),
    "role null and late": (stream({"role": None, "content": "a"}, {"role": "assistant", "content": "b"}, role=False),
                           [TextDelta("a"), TextDelta("b"), STOP]),
    "role in every delta": (stream({"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}),
                            [TextDelta("a"), TextDelta("b"), STOP]),
    "content empty and null": (says("", "Hi", ""), [TextDelta("Hi"), STOP]),
    "content in parts": (stream({"content": [{"type": "text", "text": "Hi"}, {"type": "image"}, 3]}), [TextDelta("Hi"), STOP]),
    "delta null": ([chunk(), {"data": {"choices": [{"delta": None}]}}, *says("Hi")], [TextDelta("Hi"), STOP]),
    "choices null, empty, missing": ([{"data": {"choices": None}}, {"data": {"choices": []}}, {"data": {"id": "c"}},
                                      {"data": "[]"}, {"data": "null"}, *says("Hi")], [TextDelta("Hi"), STOP]),
    "another choice": ([{"data": {"choices": [{"index": 1, "delta": {"content": "no"}}]}}, *says("Hi")],
                       [TextDelta("Hi"), STOP]),
    "a surrogate pair in two": ([{"data": '{"choices":[{"delta":{"content":"a\\ud83c"}}]}'},
                                 {"data": '{"choices":[{"delta":{"content":"\\udf0d"}}]}'}, *says("!")],
                                [TextDelta("a"), TextDelta("🌍"), TextDelta("!"), STOP]),
    "half a surrogate pair, NUL, bad UTF-8": (
        [{"data": '{"choices":[{"delta":{"content":"a\\ud83c"}}]}'}, {"data": '{"choices":[{"delta":{"content":"b\\u0000"}}]}'},
         {"raw": 'data: {"choices":[{"delta":{"content":"'}, {"hex": "ff"}, {"raw": '"}}]}\n\n'}, *says()],
        [TextDelta("a"), TextDelta("\ufffdb\ufffd"), TextDelta("\ufffd"), STOP]),
    "escapes and bidi are text": (says("\x1b]0;pwn\x07", "\u202egnp"), [TextDelta("\x1b]0;pwn\x07"), TextDelta("\u202egnp"), STOP]),
    "reasoning_content": (stream({"reasoning_content": "hm"}, {"content": "Hi"}), [ReasoningDelta("hm"), TextDelta("Hi"), STOP]),
    "reasoning": (stream({"reasoning": "hm", "content": "Hi"}), [ReasoningDelta("hm"), TextDelta("Hi"), STOP]),
    "both reasonings": (stream({"reasoning": "hm", "reasoning_content": "hm"}, {"content": "Hi"}),
                        [ReasoningDelta("hm"), TextDelta("Hi"), STOP]),
    "refusal": (stream({"refusal": "I can't."}), [TextDelta("I can't."), STOP]),
    "length": (says("Hi", finish="length"), [TextDelta("Hi"), Finished("length", COUNTED, "the model's length limit cut the answer")]),
    "filter": (says("Hi", finish="content_filter"),
               [TextDelta("Hi"), Finished("filter", COUNTED, "the provider's content filter cut the answer")]),
    "a reason that nobody knows": (says("Hi", finish="eos"), [TextDelta("Hi"), STOP]),
    "tool_calls without calls": (says(finish="tool_calls"),
                                 [Finished("stop", COUNTED, "the model announced a tool call but made none")]),
    "an empty answer": (says(), [STOP]),
    "no reason": (says("Hi", finish=None), [TextDelta("Hi"), Finished("interrupted", COUNTED, "the answer ended without a reason")]),
    "no reason, no done": (says("Hi", finish=None, done=False, usage="none"),
                           [TextDelta("Hi"), Finished("interrupted", None, "the answer ended without a reason")]),
    "an end that is no chunked one": ([{"open": {"chunked": False}}, *says("Hi")], [TextDelta("Hi"), STOP]),
    "the last blank line is missing": ([*says("Hi", done=False, usage="none"), {"raw": 'data: {"usage": {"prompt_tokens": 7, '
                                        '"completion_tokens": 3}}'}], [TextDelta("Hi"), STOP]),
    "more after done": ([*says("Hi"), {"data": "junk"}, {"stall": True}], [TextDelta("Hi"), STOP]),
    "the wrong content type": ([{"open": {"headers": {"Content-Type": "application/json"}}}, *says("Hi")],
                               [TextDelta("Hi"), STOP]),
    "no line end for long": ([{"open": {}}, {"raw": "\ufeff\n\n"}, *says("Hi" * 5000)], [TextDelta("Hi" * 5000), STOP]),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_texts(name: str) -> None:
    script, events = TEXTS[name]
    assert got(script) == events


@pytest.mark.parametrize("form", ["empty", "null", "filled", "absent"])
def test_usage_in_any_form(form: str) -> None:
    assert got(says("Hi", usage=form)) == [TextDelta("Hi"), STOP]


def test_usage_that_is_absent_in_every_chunk_or_junk() -> None:
    assert got(says("Hi", usage="none"))[-1] == Finished("stop")
    growing = [chunk({"content": "a"}, usage=USAGE | {"completion_tokens": n}) for n in (1, 2, 3)]
    assert got([*growing, chunk({}, "stop", usage=None)])[-1] == STOP
    junk = {"prompt_tokens": "7", "completion_tokens": -1, "prompt_tokens_details": None,
            "completion_tokens_details": {"reasoning_tokens": 2, "x": []}}  # fmt: skip
    assert got([chunk({"content": "a"}, "stop", usage=junk)])[-1] == Finished("stop", TokenUsage(0, 0, 0, 2))
    assert got([chunk({"content": "a"}, "stop", usage=[1])])[-1] == Finished("stop")


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
    events = got(says(*[content[start : start + size] for start in range(0, len(content), size)]))
    assert "".join(event.text for event in events if isinstance(event, ReasoningDelta)) == reasoning
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == answer


def test_stream_with_think_tags_before_a_text_call_is_a_call() -> None:
    events = got(says("<think>hm</think>\n", LONE))
    assert events == [ReasoningDelta("hm"), ToolCall(0, "", "add_task", ADD), Finished("calls", COUNTED)]

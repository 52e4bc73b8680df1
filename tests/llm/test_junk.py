"""Any bytes, split anywhere, give events or ModelFailed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.dialects import BROKEN_STREAMS, CALL_DIALECTS, TWO_CALLS
from tests.support.fake_model import run_fake_model
from tests.support.model_answers import call_answer, chunk, text_answer, usage_chunk
from tests.support.model_client import ADD_ARGUMENTS, TEXT_CALL, ask_model
from todo_cli.errors import ModelFailed
from todo_cli.llm.client import Event, Finished
from todo_cli.llm.errors import ModelServerError
from todo_cli.llm.sse import SseDecoder
from todo_cli.llm.stream import AnswerAssembler


def decode_offline(body: bytes, cuts: Sequence[int]) -> list[Event] | str:
    """Decode a body that arrives cut at these places, as the client does, without a network."""
    assembler, decoder = AnswerAssembler({"add_task": None}, 10_000), SseDecoder(1_000_000)
    places = [0, *sorted(cuts), len(body)]
    events: list[Event] = []
    cut = None
    try:
        for start, stop in pairwise(places):
            for chunk in decoder.feed(body[start:stop]):
                events += assembler.add(chunk)
        for chunk in decoder.close():
            events += assembler.add(chunk)
    except ModelServerError as error:
        cut = error.detail
    return events + assembler.finish(cut, done=decoder.done)


def as_bytes(script: Sequence[dict[str, Any]], newline: str) -> bytes:
    """The body of such a script."""
    lines = [
        "[DONE]"
        if "done" in step
        else step["data"]
        if isinstance(step["data"], str)
        else json.dumps(step["data"], ensure_ascii=False)
        for step in script
    ]
    return "".join(f"data: {line}{newline * 2}" for line in lines).encode("utf-8", "surrogatepass")


ANSWERS = st.one_of(
    st.lists(st.text(max_size=8), max_size=5).map(lambda parts: text_answer(*parts)),
    st.sampled_from(list(CALL_DIALECTS.values())).map(lambda form: call_answer(*TWO_CALLS, **form)),
    st.sampled_from([script for script, _ in BROKEN_STREAMS.values()]).map(
        lambda script: [chunk({"content": "Hel"}), *(step for step in script if "data" in step)]
    ),
    st.just([*text_answer(TEXT_CALL), *usage_chunk("none")]),
)


@settings(max_examples=300, deadline=None)
@given(script=ANSWERS, newline=st.sampled_from(["\n", "\r\n"]), data=st.data())
def test_bytes_split_anywhere_give_the_same_events(
    script: list[dict[str, Any]], newline: str, data: st.DataObject
) -> None:
    body = as_bytes(script, newline)
    cuts = data.draw(st.lists(st.integers(0, len(body)), max_size=12))
    assert decode_offline(body, cuts) == decode_offline(body, []) == decode_offline(body, range(len(body)))


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["stop", "error", ADD_ARGUMENTS]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "delta",
                    "message",
                    "content",
                    "tool_calls",
                    "function",
                    "name",
                    "arguments",
                    "index",
                    "id",
                    "finish_reason",
                    "usage",
                    "prompt_tokens",
                    "prompt_tokens_details",
                    "error",
                    "object",
                    "code",
                    "refusal",
                    "reasoning",
                    "text",
                    "type",
                    "detail",
                ]
            )
            | st.text(max_size=3),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)
DELTAS = st.dictionaries(st.sampled_from(["content", "tool_calls", "refusal", "reasoning", "role"]), JUNK, max_size=3)
PIECES = JUNK | DELTAS.map(lambda delta: {"choices": [{"index": 0, "delta": delta}]})


@settings(max_examples=500, deadline=None)
@given(st.lists(PIECES, max_size=5))
@example(
    [{"choices": [{"delta": {"tool_calls": [{"index": True, "id": 3, "function": {"name": {}, "arguments": [1]}}]}}]}]
)
def test_junk_in_any_order_raises_only_model_failed(pieces: list[Any]) -> None:
    body = b"".join(b"data: " + json.dumps(piece).encode() + b"\n\n" for piece in pieces)
    events = decode_offline(body, [])
    assert isinstance(events[-1], Finished)
    for event in events:
        json.dumps(str(event), ensure_ascii=False).encode()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", b"data: ", b"{", b'data: {"choices":[{"delta":{"content":"x']))
def test_random_bytes_raise_only_model_failed(body: bytes, prefix: bytes) -> None:
    assert isinstance(decode_offline(prefix + body, [])[-1], Finished)


@settings(max_examples=15, deadline=None)
@given(st.lists(JUNK, min_size=1, max_size=4), st.sampled_from([200, 400, 500]))
def test_junk_from_a_server_raises_only_model_failed(junk: list[Any], status: int) -> None:
    script = [{"open": {"status": status}}, *({"data": json.dumps(piece)} for piece in junk)]
    with run_fake_model(*[script] * 4) as server, suppress(ModelFailed):
        ask_model(server.url, backoff_seconds=0.001)

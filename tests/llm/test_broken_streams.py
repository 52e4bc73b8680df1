"""Streams that break, stall, flood or never end: the received text is kept, and no incomplete call runs."""

from __future__ import annotations

import pytest

from tests.support.dialects import BROKEN_STREAMS, TWO_CALLS, call_delta
from tests.support.fake_model import run_fake_model
from tests.support.model_answers import call_answer, chunk, text_answer
from tests.support.model_client import ADD_ARGUMENTS, STOP, ask_model, join_text, stream_events, stream_failure
from todo_cli.errors import ModelFailed
from todo_cli.llm.client import Finished, TextDelta, ToolCall


@pytest.mark.parametrize("name", BROKEN_STREAMS)
def test_stream_broken_in_the_middle_keeps_the_text_and_makes_no_calls(name: str) -> None:
    """Not asked again: the second script is never taken."""
    script, why = BROKEN_STREAMS[name]
    begun = [chunk({"content": "Hel"}), chunk({"tool_calls": [call_delta("add_task")]})]
    with run_fake_model([*begun, *script], text_answer("no")) as server:
        first, end = ask_model(server.url, **({"idle_seconds": 0.3} if "0.3 s" in why else {}))
        assert first == TextDelta("Hel")
        assert end == Finished("interrupted", None, f"127.0.0.1:{server.port} {why}")
        assert len(server.asked) == 1


@pytest.mark.parametrize("name", BROKEN_STREAMS)
def test_stream_broken_before_the_first_word_fails_or_is_retried(name: str) -> None:
    script, why = BROKEN_STREAMS[name]
    with run_fake_model(script, script, script, script) as server:
        with pytest.raises(ModelFailed, match=why.replace("0.3", "0.4")) as caught:
            ask_model(server.url, **({"first_content_seconds": 0.4} if "0.3 s" in why else {}))
        assert caught.value.extra["kind"] == "broken"
        again = "error" in name and "reason" not in name
        assert len(server.asked) == (4 if again or name == "cut in a chunk" else 1)


def test_stream_broken_after_the_finish_reason_is_complete() -> None:
    script = text_answer("Hi", done=False)
    assert stream_events([*script, {"cut": True}]) == [TextDelta("Hi"), STOP]
    assert stream_events([*script, {"stall": True}]) == [TextDelta("Hi"), STOP]
    assert stream_events([*call_answer(TWO_CALLS[0], done=False), {"data": "junk"}])[0] == ToolCall(
        0, "call_0", "add_task", ADD_ARGUMENTS
    )


def test_stream_that_ends_between_two_calls_makes_none() -> None:
    begun = call_answer(*TWO_CALLS, finish=None, usage="none", done=False)[:-3]
    assert stream_events([{"open": {"chunked": False}}, *begun]) == [
        Finished("interrupted", None, "the answer ended without a reason")
    ]


def test_stream_that_is_endless_or_too_large_is_cut() -> None:
    endless = stream_events([{"forever": chunk({"content": "x"})}], total_seconds=0.5)
    assert endless[-1].detail.endswith("did not finish its answer within 0.5 s")  # type: ignore[union-attr]
    flood = stream_events([{"forever": chunk({"content": "x" * 99}), "every": 0}], max_chars=1000)
    assert len(join_text(flood)) == 1000
    assert flood[-1] == Finished("interrupted", None, "the answer was longer than 1000 characters")
    arguments = stream_events(
        [{"forever": {"data": {"choices": [{"delta": {"tool_calls": [call_delta("", "x" * 99)]}}]}}, "every": 0}],
        max_chars=1000,
    )
    assert arguments == [Finished("interrupted", None, "the answer was longer than 1000 characters")]
    assert (
        stream_failure(
            [{"forever": {"raw": "x" * 10_000}, "every": 0}], max_chars=1, first_content_seconds=20, total_seconds=20
        ).extra["kind"]
        == "broken"
    )


def test_stream_with_slow_words_does_not_time_out() -> None:
    script = [step for letter in "slowly" for step in ({"wait": 0.15}, chunk({"content": letter}))]
    assert join_text(stream_events([*script, chunk({}, "stop")])) == "slowly"

"""Streams that break, stall, flood or never end: what had come is kept, and nothing half is called."""

from __future__ import annotations

import pytest

from tests.support.dialects import BREAKS, TWO, named
from tests.support.fake_model import calls, chunk, says, scripted
from tests.support.model_client import ADD, STOP, ask, failure, got, words
from todo_cli.errors import ModelFailed
from todo_cli.llm.client import Finished, TextDelta, ToolCall


@pytest.mark.parametrize("name", BREAKS)
def test_what_breaks_in_the_middle_keeps_the_words_and_makes_no_calls(name: str) -> None:
    """Not asked again: the second script is never taken."""
    script, why = BREAKS[name]
    begun = [chunk({"content": "Hel"}), chunk({"tool_calls": [named("add_task")]})]
    with scripted([*begun, *script], says("no")) as server:
        first, end = ask(server.url)
        assert first == TextDelta("Hel")
        assert end == Finished("interrupted", None, f"127.0.0.1:{server.port} {why}")
        assert len(server.asked) == 1


@pytest.mark.parametrize("name", BREAKS)
def test_what_breaks_before_the_first_word_is_an_error_or_asked_again(name: str) -> None:
    script, why = BREAKS[name]
    with scripted(script, script, script, script) as server:
        with pytest.raises(ModelFailed, match=why.replace("0.3", "0.4")) as caught:
            ask(server.url)
        assert caught.value.extra["kind"] == "broken"
        again = "error" in name and "reason" not in name
        assert len(server.asked) == (4 if again or name == "cut in a chunk" else 1)


def test_what_breaks_after_the_reason_is_whole() -> None:
    script = says("Hi", done=False)
    assert got([*script, {"cut": True}]) == [TextDelta("Hi"), STOP]
    assert got([*script, {"stall": True}]) == [TextDelta("Hi"), STOP]
    assert got([*calls(TWO[0], done=False), {"data": "junk"}])[0] == ToolCall(0, "call_0", "add_task", ADD)


def test_a_stream_that_ends_between_two_calls_makes_none() -> None:
    begun = calls(*TWO, finish=None, usage="none", done=False)[:-3]
    assert got([{"open": {"chunked": False}}, *begun]) == [
        Finished("interrupted", None, "the answer ended without a reason")]  # fmt: skip


def test_never_ending_and_flooding() -> None:
    endless = got([{"forever": chunk({"content": "x"})}], total_seconds=0.5)
    assert endless[-1].detail.endswith("did not finish its answer within 0.5 s")  # type: ignore[union-attr]
    flood = got([{"forever": chunk({"content": "x" * 99}), "every": 0}], max_chars=1000)
    assert len(words(flood)) == 1000
    assert flood[-1] == Finished("interrupted", None, "the answer was longer than 1000 characters")
    arguments = got(
        [{"forever": {"data": {"choices": [{"delta": {"tool_calls": [named("", "x" * 99)]}}]}}, "every": 0}],
        max_chars=1000,
    )
    assert arguments == [Finished("interrupted", None, "the answer was longer than 1000 characters")]
    assert (
        failure(
            [{"forever": {"raw": "x" * 10_000}, "every": 0}], max_chars=1, first_content_seconds=20, total_seconds=20
        ).extra["kind"]
        == "broken"
    )


def test_slow_words_are_not_late() -> None:
    script = [step for letter in "slowly" for step in ({"wait": 0.15}, chunk({"content": letter}))]
    assert words(got([*script, chunk({}, "stop")])) == "slowly"

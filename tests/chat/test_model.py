"""Every case of what servers behind the protocol do: the exact events, or the one error."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.chat.scripted import (
    USAGE,
    Script,
    Scripted,
    calls,
    chunk,
    fails,
    plain,
    replay_faults,
    says,
    scripted,
    stream,
    usage_chunk,
)
from tests.conftest import free_port, wait_for
from todo_cli.chat.assembler import Assembler
from todo_cli.chat.endpoints import Endpoint
from todo_cli.chat.failures import Trouble, wait_asked
from todo_cli.chat.model import Call, Event, Finished, Thought, Usage, Words, answer
from todo_cli.chat.wire import Wire
from todo_cli.contract.base import Secret
from todo_cli.errors import ModelFailed

TOOLS = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
         for name in ("add_task", "list_tasks", "delete_task")]  # fmt: skip
MESSAGES = [{"role": "user", "content": "add milk"}]
COUNTED = Usage(7, 3)
ADD = '{"title": "milk"}'
LONE = json.dumps({"name": "add_task", "arguments": {"title": "milk"}})
KEY = "sk-very-secret"


def endpoint(url: str, **more: Any) -> Endpoint:
    """Impatient."""
    patience = {"first_content": 0.4, "idle": 0.3, "total": 2.0, "backoff": 0.02}
    return Endpoint(**({"base_url": url, "model": "m", "api_key": Secret(KEY)} | patience | more))


def ask(url: str, *, tools: Sequence[dict[str, Any]] = TOOLS, **more: Any) -> list[Event]:
    """One answer, to its end."""

    async def listen() -> list[Event]:
        async with aclosing(answer(endpoint(url, **more), MESSAGES, tools)) as events:
            return [event async for event in events]

    return asyncio.run(listen())


def got(*scripts: Script, **more: Any) -> list[Event]:
    """What the client makes of these scripts."""
    with scripted(*scripts) as server:
        return ask(server.url, **more)


def failure(*scripts: Script, **more: Any) -> ModelFailed:
    """The error that they end in: told in one line, without the key."""
    with pytest.raises(ModelFailed) as caught:
        got(*scripts, **more)
    shown = f"{caught.value.as_problem()}"
    assert KEY not in shown
    assert "<" not in caught.value.detail
    assert caught.value.detail.isprintable()
    assert caught.value.__context__ is None
    return caught.value


def words(events: Sequence[Event]) -> str:
    """All that it said."""
    return "".join(event.text for event in events if isinstance(event, Words))


STOP = Finished("stop", COUNTED)
TEXT = "Grüße 🌍, `x`"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("split", [None, 1, 2, 3, 7])
def test_text_in_any_pieces(split: int | None, newline: str) -> None:
    script = {"steps": says("Hi ", TEXT), "split": split, "newline": newline}
    assert got(script) == [Words("Hi "), Words(TEXT), STOP]


TEXTS: dict[str, tuple[Script, list[Event]]] = {
    "comments": ([{"comment": "ping"}, *says("Hi"), {"comment": "bye"}], [Words("Hi"), STOP]),
    "no done": (says("Hi", done=False), [Words("Hi"), STOP]),
    "no role": (says("Hi", role=False), [Words("Hi"), STOP]),
    "role null and late": (stream({"role": None, "content": "a"}, {"role": "assistant", "content": "b"}, role=False),
                           [Words("a"), Words("b"), STOP]),
    "role in every delta": (stream({"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}),
                            [Words("a"), Words("b"), STOP]),
    "content empty and null": (says("", "Hi", ""), [Words("Hi"), STOP]),
    "content in parts": (stream({"content": [{"type": "text", "text": "Hi"}, {"type": "image"}, 3]}), [Words("Hi"), STOP]),
    "delta null": ([chunk(), {"data": {"choices": [{"delta": None}]}}, *says("Hi")], [Words("Hi"), STOP]),
    "choices null, empty, missing": ([{"data": {"choices": None}}, {"data": {"choices": []}}, {"data": {"id": "c"}},
                                      {"data": "[]"}, {"data": "null"}, *says("Hi")], [Words("Hi"), STOP]),
    "another choice": ([{"data": {"choices": [{"index": 1, "delta": {"content": "no"}}]}}, *says("Hi")],
                       [Words("Hi"), STOP]),
    "a surrogate pair in two": ([{"data": '{"choices":[{"delta":{"content":"a\\ud83c"}}]}'},
                                 {"data": '{"choices":[{"delta":{"content":"\\udf0d"}}]}'}, *says("!")],
                                [Words("a"), Words("🌍"), Words("!"), STOP]),
    "half a surrogate pair, NUL, bad UTF-8": (
        [{"data": '{"choices":[{"delta":{"content":"a\\ud83c"}}]}'}, {"data": '{"choices":[{"delta":{"content":"b\\u0000"}}]}'},
         {"raw": 'data: {"choices":[{"delta":{"content":"'}, {"hex": "ff"}, {"raw": '"}}]}\n\n'}, *says()],
        [Words("a"), Words("\ufffdb\ufffd"), Words("\ufffd"), STOP]),
    "escapes and bidi are text": (says("\x1b]0;pwn\x07", "\u202egnp"), [Words("\x1b]0;pwn\x07"), Words("\u202egnp"), STOP]),
    "reasoning_content": (stream({"reasoning_content": "hm"}, {"content": "Hi"}), [Thought("hm"), Words("Hi"), STOP]),
    "reasoning": (stream({"reasoning": "hm", "content": "Hi"}), [Thought("hm"), Words("Hi"), STOP]),
    "both reasonings": (stream({"reasoning": "hm", "reasoning_content": "hm"}, {"content": "Hi"}),
                        [Thought("hm"), Words("Hi"), STOP]),
    "refusal": (stream({"refusal": "I can't."}), [Words("I can't."), STOP]),
    "length": (says("Hi", finish="length"), [Words("Hi"), Finished("length", COUNTED, "the model's limit of length cut it")]),
    "filter": (says("Hi", finish="content_filter"),
               [Words("Hi"), Finished("filter", COUNTED, "the provider's content filter cut it")]),
    "a reason that nobody knows": (says("Hi", finish="eos"), [Words("Hi"), STOP]),
    "tool_calls without calls": (says(finish="tool_calls"),
                                 [Finished("stop", COUNTED, "the model announced a call and made none")]),
    "an empty answer": (says(), [STOP]),
    "no reason": (says("Hi", finish=None), [Words("Hi"), Finished("interrupted", COUNTED, "the answer ended without a reason")]),
    "no reason, no done": (says("Hi", finish=None, done=False, usage="none"),
                           [Words("Hi"), Finished("interrupted", None, "the answer ended without a reason")]),
    "an end that is no chunked one": ([{"open": {"chunked": False}}, *says("Hi")], [Words("Hi"), STOP]),
    "the last blank line is missing": ([*says("Hi", done=False, usage="none"), {"raw": 'data: {"usage": {"prompt_tokens": 7, '
                                        '"completion_tokens": 3}}'}], [Words("Hi"), STOP]),
    "more after done": ([*says("Hi"), {"data": "junk"}, {"stall": True}], [Words("Hi"), STOP]),
    "the wrong content type": ([{"open": {"headers": {"Content-Type": "application/json"}}}, *says("Hi")],
                               [Words("Hi"), STOP]),
    "no line end for long": ([{"open": {}}, {"raw": "\ufeff\n\n"}, *says("Hi" * 5000)], [Words("Hi" * 5000), STOP]),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_texts(name: str) -> None:
    script, events = TEXTS[name]
    assert got(script) == events


@pytest.mark.parametrize("form", ["empty", "null", "filled", "absent"])
def test_usage_in_any_form(form: str) -> None:
    assert got(says("Hi", usage=form)) == [Words("Hi"), STOP]


def test_usage_that_is_absent_in_every_chunk_or_junk() -> None:
    assert got(says("Hi", usage="none"))[-1] == Finished("stop")
    growing = [chunk({"content": "a"}, usage=USAGE | {"completion_tokens": n}) for n in (1, 2, 3)]
    assert got([*growing, chunk({}, "stop", usage=None)])[-1] == STOP
    junk = {"prompt_tokens": "7", "completion_tokens": -1, "prompt_tokens_details": None,
            "completion_tokens_details": {"reasoning_tokens": 2, "x": []}}  # fmt: skip
    assert got([chunk({"content": "a"}, "stop", usage=junk)])[-1] == Finished("stop", Usage(0, 0, 0, 2))
    assert got([chunk({"content": "a"}, "stop", usage=[1])])[-1] == Finished("stop")


TWO = (("add_task", {"title": "milk"}), ("add_task", {"title": "bread"}))
FORMS: dict[str, dict[str, Any]] = {
    "split": {}, "in single characters": {"size": 1}, "whole": {"arguments": "whole"},
    "id and name in every delta": {"repeat": True, "size": 2}, "no arguments key first": {"arguments": "late"},
    "arguments null first": {"arguments": "null"}, "arguments an object": {"arguments": "object"},
    "no index": {"index": "none"}, "no index, repeated": {"index": "none", "repeat": True},
    "all index 0": {"index": "zero"}, "all index 0, whole": {"index": "zero", "arguments": "whole"},
    "all index 0, repeated": {"index": "zero", "repeat": True},
    "out of order": {"index": "reversed"}, "side by side": {"together": True},
    "no ids": {"ids": "none"}, "no ids, index 0": {"ids": "none", "index": "zero"},
    "no ids, no index": {"ids": "none", "index": "none"}, "no ids, no index, objects": {
        "ids": "none", "index": "none", "arguments": "object", "together": True},
    "no ids, no index, repeated": {"ids": "none", "index": "none", "repeat": True},
    "ids that are the same": {"ids": "same"}, "ids that are the same, no index": {
        "ids": "same", "index": "none", "arguments": "whole"},
    "finish stop": {"finish": "stop"}, "finish length": {"finish": "length"}, "no finish": {"finish": None},
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_two_calls_in_any_dialect(name: str) -> None:
    form = FORMS[name]
    ids = {"none": ("", ""), "same": ("call_x", "call_x")}.get(form.get("ids", ""), ("call_0", "call_1"))
    *made, end = got(calls(*TWO, **form))
    assert made == [Call(0, ids[0], "add_task", ADD), Call(1, ids[1], "add_task", '{"title": "bread"}')]
    assert isinstance(end, Finished)
    assert (end.reason, end.usage) == ("calls", COUNTED)


def one(entry: dict[str, Any], *more: dict[str, Any]) -> list[dict[str, Any]]:
    """A stream of these call deltas."""
    return stream(*({"tool_calls": [each]} for each in (entry, *more)), finish="tool_calls")


def named(name: str, arguments: Any = ADD, **more: Any) -> dict[str, Any]:
    """A call delta."""
    return {"index": 0, "id": "a", "function": {"name": name, "arguments": arguments}} | more


CALLS: dict[str, tuple[Script, list[Event]]] = {
    "text, then a call": (calls(TWO[0], text="Right."), [Words("Right."), Call(0, "call_0", "add_task", ADD)]),
    "a call, then text": (stream({"tool_calls": [named("add_task")]}, {"content": "Done."}),
                          [Words("Done."), Call(0, "a", "add_task", ADD)]),
    "an unknown tool": (calls(("fly", {})), [Call(0, "call_0", "fly", "{}")]),
    "malformed": (calls(("add_task", '{"title": mi')), [Call(0, "call_0", "add_task", '{"title": mi')]),
    "cut by the length": (calls(("add_task", '{"titl'), finish="length"), [Call(0, "call_0", "add_task", '{"titl')]),
    "no object": (calls(("add_task", "[1]")), [Call(0, "call_0", "add_task", "[1]")]),
    "arguments null": (one(named("list_tasks", None)), [Call(0, "a", "list_tasks", "")]),
    "arguments a number": (one(named("add_task", 3)), [Call(0, "a", "add_task", "3")]),
    "first index 1": (one(named("add_task", index=1)), [Call(0, "a", "add_task", ADD)]),
    "sent whole twice": (one(named("add_task"), named("add_task")), [Call(0, "a", "add_task", ADD)]),
    "the id later": (one(named("add_task", "", id=None), {"index": 0, "id": "a", "function": {"arguments": ADD}}),
                     [Call(0, "a", "add_task", ADD)]),
    "a delta without function": (one(named("add_task"), {"index": 0, "function": None}, {"index": 0}),
                                 [Call(0, "a", "add_task", ADD)]),
    "a single object for a list": (stream({"tool_calls": named("add_task")}), [Call(0, "a", "add_task", ADD)]),
    "function_call beside it": (stream({"tool_calls": [named("add_task")],
                                        "function_call": {"name": "add_task", "arguments": ADD}}),
                                [Call(0, "a", "add_task", ADD)]),
    "neither name nor arguments": (one({"index": 0}, named("add_task", index=1)), [Call(0, "a", "add_task", ADD)]),
    "a thousand": (one(*[named("list_tasks", "{}", index=at, id=f"i{at}") for at in range(1000)]),
                   [Call(at, f"i{at}", "list_tasks", "{}") for at in range(1000)]),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_calls(name: str) -> None:
    script, events = CALLS[name]
    *found, end = got(script)
    assert found == events
    assert isinstance(end, Finished)
    assert end.reason == "calls"


@pytest.mark.parametrize(
    "text", [LONE, f"\n {LONE}\n", f"```json\n{LONE}\n```", f"```\n{LONE}```", f"<tool_call>\n{LONE}\n</tool_call>"]
)
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_a_call_written_as_text_is_a_call(text: str, size: int) -> None:
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    assert got(says(*parts)) == [Call(0, "", "add_task", ADD), Finished("calls", COUNTED)]


@pytest.mark.parametrize(
    "text",
    [f"Sure: {LONE}", f"{LONE} Done.", LONE * 2, LONE.replace("add_task", "fly"), LONE[:-1], '{"name": "add_task"}',
     LONE[:-1] + ', "x": 1}', f"[{LONE}]", '{"milk": 1}', "```python\n1\n```", "<tool_call>", "{", "`", '{"name": [], "arguments": 1}'],
)  # fmt: skip
def test_other_text_stays_text(text: str) -> None:
    events = got(says(*text))
    assert words(events) == text
    assert events[-1] == STOP


def test_text_that_is_no_call_is_shown_at_once() -> None:
    assert got(says("{", '"milk"', ": 1}")) == [Words('{"milk"'), Words(": 1}"), STOP]
    assert got(says(LONE), tools=[]) == [Words(LONE), STOP]
    assert got(says(LONE, finish=None))[0] == Words(LONE)
    assert got(stream({"content": LONE, "tool_calls": [named("list_tasks", "{}")]}))[:2] == [
        Words(LONE), Call(0, "a", "list_tasks", "{}")]  # fmt: skip


BREAKS: dict[str, tuple[Script, str]] = {
    "an error object": ([{"data": {"error": {"message": "boom", "code": 502}}}], "failed with status 502: boom"),
    "an error beside choices": ([{"data": {"error": {"message": "boom"}, "choices": [{"delta": {"content": ""},
                                 "finish_reason": "error"}]}}], "failed: boom"),
    "an error by its object": ([{"data": {"object": "error", "message": "boom", "code": 500}}], "failed with status 500: boom"),
    "an error event": ([{"event": "error"}, {"data": {"message": "boom"}}], "failed: boom"),
    "an error as text": ([{"data": {"error": "boom"}}], "failed: boom"),
    "the reason error": ([chunk({}, "error")], "broke off with an error of its own"),
    "a line that is not JSON": ([{"data": '{"choices": [{'}], "sent a piece that is not JSON"),
    "too deep": ([{"data": "[" * 100_000}], "sent a piece that is not JSON"),
    "cut in a chunk": ([{"cut": True}], "broke the connection off"),
    "a stall": ([{"stall": True}], "sent nothing for 0.3 s"),
    "comments for ever": ([{"forever": {"comment": "x"}}], "sent nothing for 0.3 s"),
    "empty deltas for ever": ([{"forever": chunk({})}], "sent nothing for 0.3 s"),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_what_breaks_in_the_middle_keeps_the_words_and_makes_no_calls(name: str) -> None:
    """Not asked again: the second script is never taken."""
    script, why = BREAKS[name]
    begun = [chunk({"content": "Hel"}), chunk({"tool_calls": [named("add_task")]})]
    with scripted([*begun, *script], says("no")) as server:
        first, end = ask(server.url)
        assert first == Words("Hel")
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
    assert got([*script, {"cut": True}]) == [Words("Hi"), STOP]
    assert got([*script, {"stall": True}]) == [Words("Hi"), STOP]
    assert got([*calls(TWO[0], done=False), {"data": "junk"}])[0] == Call(0, "call_0", "add_task", ADD)


def test_a_stream_that_ends_between_two_calls_makes_none() -> None:
    begun = calls(*TWO, finish=None, usage="none", done=False)[:-3]
    assert got([{"open": {"chunked": False}}, *begun]) == [
        Finished("interrupted", None, "the answer ended without a reason")]  # fmt: skip


def test_never_ending_and_flooding() -> None:
    endless = got([{"forever": chunk({"content": "x"})}], total=0.5)
    assert endless[-1].detail.endswith("did not come to an end within 0.5 s")  # type: ignore[union-attr]
    flood = got([{"forever": chunk({"content": "x" * 99}), "every": 0}], longest=1000)
    assert len(words(flood)) == 1000
    assert flood[-1] == Finished("interrupted", None, "it was longer than 1000 characters")
    arguments = got(
        [{"forever": {"data": {"choices": [{"delta": {"tool_calls": [named("", "x" * 99)]}}]}}, "every": 0}],
        longest=1000,
    )
    assert arguments == [Finished("interrupted", None, "it was longer than 1000 characters")]
    assert (
        failure([{"forever": {"raw": "x" * 10_000}, "every": 0}], longest=1, first_content=20, total=20).extra["kind"]
        == "broken"
    )


def test_slow_words_are_not_late() -> None:
    script = [step for letter in "slowly" for step in ({"wait": 0.15}, chunk({"content": letter}))]
    assert words(got([*script, chunk({}, "stop")])) == "slowly"


ERRORS: dict[str, tuple[Script, str, str]] = {
    "overflow by code": (fails(400, "This model's maximum context length is 8 tokens", code="context_length_exceeded"),
                         "overflow", "longer than the model's context"),
    "overflow by type": (fails(400, "too big", type="exceed_context_size_error", code=400), "overflow", "too big"),
    "overflow by message": (fails(400, "the request exceeds the available context size"), "overflow", "context size"),
    "413": (plain("<h1>Too large</h1>", 413), "overflow", "longer than the model's context"),
    "no tools": (fails(400, "this model does not support tools"), "refused", "does not support tools"),
    "422": (plain({"detail": [{"msg": "x"}]}, 422), "refused", "status 422"),
    "401": (fails(401, f"Incorrect API key provided: {KEY}"), "key", "refused the API key"),
    "403": (plain({"error": "forbidden"}, 403), "key", "refused the API key"),
    "LiteLLM's wrong key": (fails(400, "No connected db."), "key", "refused the API key"),
    "402": (fails(402, "Insufficient credits", code=402), "limit", "wants to be paid first: Insufficient credits"),
    "quota": (fails(429, "You exceeded your current quota", code="insufficient_quota"), "limit", "paid first"),
    "404 model": (fails(404, "The model `m` does not exist."), "name", "does not serve the model: The model `m`"),
    "404 Ollama's": (fails(404, 'model "m" not found, try pulling it first'), "name", "not found"),
    "400 model": (fails(400, "m is not a valid model ID"), "name", "not a valid model"),
    "404 address": (plain("404 page not found", 404), "endpoint", "no chat completions there (status 404)"),
    "redirect": (plain("", 301, Location="/elsewhere"), "endpoint", "sends us elsewhere (status 301)"),
    "200 HTML": (plain("<!doctype html><p>Sign in"), "endpoint", "answered with a web page"),
    "200 HTML as a stream": ([{"open": {}}, {"raw": "\n <html>"}], "endpoint", "answered with a web page"),
    "200 other JSON": (plain({"detail": "Hello"}), "broken", "answered with JSON that is no completion"),
    "200 empty": (plain(""), "broken", "answered nothing"),
    "204": (plain("", 204), "broken", "answered nothing"),
    "200 text": (plain("OK"), "broken", "answered nothing"),
    "200 broken JSON": (plain('{"choices": ['), "broken", "not JSON"),
    "done alone": ([{"done": True}], "broken", "answered nothing"),
    "a role and no more": ([chunk({"role": "assistant"})], "broken", "answered nothing"),
    "overflow in the stream": ([{"data": {"error": {"message": "x", "type": "exceed_context_size_error", "code": 400}}}],
                               "overflow", "longer than the model's context"),
    "Retry-After too long": (fails(429, "later", headers={"Retry-After": "3600"}), "limit", "asks to wait 3600 s"),
    "escapes in the message": (fails(400, "a\x1b[31m\nb \u202ec" + "x" * 500), "refused", ": a [31m b cxxx"),
    "markup in the message": (fails(400, "<html><body>x"), "refused", "status 400"),
    "the key in the message": (fails(400, f"sent {KEY} to x"), "refused", "sent … to x"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors_that_asking_again_does_not_mend(name: str) -> None:
    script, kind, why = ERRORS[name]
    with scripted(script) as server:
        with pytest.raises(ModelFailed) as caught:
            ask(server.url)
        assert len(server.asked) == 1
    error = caught.value
    assert (error.extra["kind"], error.extra.get("overflow", False)) == (kind, kind == "overflow")
    assert why in error.detail
    assert error.detail.startswith("127.0.0.1:")
    assert error.detail.isprintable()
    assert error.hint
    assert KEY not in str(error.as_problem())
    assert "<" not in error.detail
    assert error.__context__ is None


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_errors_that_are_asked_again(status: int) -> None:
    trouble = plain("<h1>Bad gateway</h1>", status)
    assert got(trouble, fails(status), says("Hi")) == [Words("Hi"), STOP]
    error = failure(*[trouble] * 4)
    assert error.extra["kind"] == ("limit" if status == 429 else "broken")


@pytest.mark.parametrize("name", ["cut before the headers", "an error in a 200", "a number as text"])
def test_other_ways_to_be_asked_again(name: str) -> None:
    error = {"error": {"message": "busy", "code": "429" if name == "a number as text" else 429}}
    first: Script = [{"cut": True}] if name == "cut before the headers" else [{"data": error}]
    assert got(first, says("Hi")) == [Words("Hi"), STOP]


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_obeyed(form: str) -> None:
    when = "0.3" if form == "seconds" else format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    began = time.monotonic()
    assert got(fails(429, headers={"Retry-After": when}), says("Hi"), first_content=5, total=9) == [Words("Hi"), STOP]
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "1e9", "", "Tue, 99 Foo 2026", "9" * 20])
def test_retry_after_that_makes_no_sense(text: str) -> None:
    assert wait_asked(text) is None


def test_a_model_that_loads_is_waited_for() -> None:
    loading = fails(503, "Loading model", type="unavailable_error")
    assert got(*[loading] * 6, says("Hi"), first_content=3, total=5) == [Words("Hi"), STOP]
    error = failure({"steps": loading, "keep": True})
    assert "still loading the model" in error.detail


@pytest.mark.parametrize("script", [[{"stall": True}], [{"open": {}}, {"stall": True}], [{"forever": {"comment": "PROCESSING"}}],
                                    [{"forever": {"comment": "PROCESSING"}, "every": 0}]])  # fmt: skip
def test_no_first_word_in_time(script: Script) -> None:
    began = time.monotonic()
    assert "sent nothing for 0.4 s" in failure(script).detail
    assert time.monotonic() - began < 15


def test_an_error_whose_body_never_ends_is_cut() -> None:
    script = [{"open": {"status": 400}}, {"forever": {"raw": "x" * 10_000}, "every": 0}]
    assert failure(script, first_content=5).extra["kind"] == "refused"


def test_nobody_there() -> None:
    with pytest.raises(ModelFailed, match=r"127.0.0.1:\d+ cannot be reached: no connection") as caught:
        ask(f"http://127.0.0.1:{free_port()}/v1")
    assert caught.value.extra["kind"] == "endpoint"
    assert caught.value.exit_code == 9
    with pytest.raises(ModelFailed, match=r"nowhere\.invalid cannot be reached"):
        ask("http://someone:sesame@nowhere.invalid/v1")


def test_a_whole_completion_where_a_stream_was_due() -> None:
    message = {"role": "assistant", "content": "Hi", "tool_calls": None}
    body = {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": USAGE,
    }
    assert got(plain(body)) == [Words("Hi"), STOP]
    wish = [{"id": name, "type": "function", "function": {"name": "add_task", "arguments": ADD}} for name in "ab"]
    assert got(plain({"choices": [{"message": {"content": None, "tool_calls": wish}}]})) == [
        Call(0, "a", "add_task", ADD), Call(1, "b", "add_task", ADD), Finished("calls")]  # fmt: skip
    assert got(plain({"choices": [{"message": {"content": LONE}}]}))[0] == Call(0, "", "add_task", ADD)


def test_what_is_sent() -> None:
    with scripted(says("Hi"), fails(400, "unknown field stream_options"), says("Hi")) as server:
        ask(server.url)
        ask(server.url, tools=[], api_key=None)
        with_tools, refused, without = server.asked
        server.assert_valid()
    assert with_tools.path == "/v1/chat/completions"
    assert with_tools.body == {"model": "m", "messages": MESSAGES, "tools": TOOLS, "stream": True,
                               "stream_options": {"include_usage": True}}  # fmt: skip
    assert with_tools.headers["authorization"] == f"Bearer {KEY}"
    assert refused.body == {
        "model": "m",
        "messages": MESSAGES,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert "stream_options" not in without.body
    assert "authorization" not in without.headers


def test_the_environment_tells_no_server_of_somebody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "not-for-you")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with scripted(says("Hi")) as server:
        ask(server.url, api_key=None)
        assert "not-for-you" not in str(server.asked[0].headers)


@pytest.mark.parametrize("how", ["cancelled", "left", "interrupted before the first byte"])
def test_leaving_closes_the_stream(how: str) -> None:
    async def leave(server: Scripted) -> None:
        async with aclosing(
            answer(endpoint(server.url, idle=20, first_content=20, total=20), MESSAGES, TOOLS)
        ) as events:
            if how != "interrupted before the first byte":
                assert await anext(events) == Words("Hi")
            if how == "left":
                return
            waiting = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0.1)
            waiting.cancel()
            await asyncio.wait([waiting])
            assert waiting.cancelled()
            # before the generator is closed
            await asyncio.to_thread(wait_for, server.asked[0].left.is_set, "closed", 2)

    script = (
        [chunk({"content": "Hi"}), {"stall": True}] if how != "interrupted before the first byte" else [{"stall": True}]
    )
    with scripted(script) as server:
        asyncio.run(leave(server))
        wait_for(server.asked[0].left.is_set, "the server saw the end", timeout=2)


def test_plain_http_builds_no_tls_context(monkeypatch: pytest.MonkeyPatch) -> None:
    import ssl

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a trust store was loaded")

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", refuse)
    monkeypatch.setattr(ssl.SSLContext, "set_default_verify_paths", refuse)
    assert got(says("Hi"))[0] == Words("Hi")


def test_the_protocol_error_of_tls() -> None:
    with scripted() as server, pytest.raises(ModelFailed, match="TLS") as caught:
        ask(server.url.replace("http:", "https:"))
    assert caught.value.extra["kind"] == "endpoint"


def test_events_need_no_openai() -> None:
    code = "import sys, todo_cli.chat.assembler, todo_cli.chat.endpoints; print('openai' in sys.modules, 'httpx2' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "False False\n"
    )


def offline(body: bytes, cuts: Sequence[int]) -> list[Event] | str:
    """The same way as the model's, without a network."""
    assembler, wire = Assembler({"add_task"}, 10_000), Wire(1_000_000)
    places = [0, *sorted(cuts), len(body)]
    events: list[Event] = []
    cut = None
    try:
        for start, stop in pairwise(places):
            for piece in wire.feed(body[start:stop]):
                events += assembler.take(piece)
        for piece in wire.close():
            events += assembler.take(piece)
    except Trouble as trouble:
        cut = trouble.detail
    return events + assembler.end(cut, whole=wire.done)


def as_bytes(script: Sequence[dict[str, Any]], newline: str) -> bytes:
    """The body of such a script."""
    lines = ["[DONE]" if "done" in step else step["data"] if isinstance(step["data"], str) else json.dumps(step["data"], ensure_ascii=False)
             for step in script]  # fmt: skip
    return "".join(f"data: {line}{newline * 2}" for line in lines).encode("utf-8", "surrogatepass")


ANSWERS = st.one_of(
    st.lists(st.text(max_size=8), max_size=5).map(lambda parts: says(*parts)),
    st.sampled_from(list(FORMS.values())).map(lambda form: calls(*TWO, **form)),
    st.sampled_from([script for script, _ in BREAKS.values()]).map(
        lambda script: [chunk({"content": "Hel"}), *(step for step in script if "data" in step)]
    ),
    st.just([*says(LONE), *usage_chunk("none")]),
)


@settings(max_examples=300, deadline=None)
@given(script=ANSWERS, newline=st.sampled_from(["\n", "\r\n"]), data=st.data())
def test_how_the_bytes_are_split_changes_nothing(
    script: list[dict[str, Any]], newline: str, data: st.DataObject
) -> None:
    body = as_bytes(script, newline)
    cuts = data.draw(st.lists(st.integers(0, len(body)), max_size=12))
    assert offline(body, cuts) == offline(body, []) == offline(body, range(len(body)))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["stop", "error", ADD]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["choices", "delta", "message", "content", "tool_calls", "function", "name", "arguments", "index", "id",
                         "finish_reason", "usage", "prompt_tokens", "prompt_tokens_details", "error", "object", "code", "refusal",
                         "reasoning", "text", "type", "detail"]) | st.text(max_size=3), inner, max_size=6),
    max_leaves=25,
)  # fmt: skip
DELTAS = st.dictionaries(st.sampled_from(["content", "tool_calls", "refusal", "reasoning", "role"]), JUNK, max_size=3)
PIECES = JUNK | DELTAS.map(lambda delta: {"choices": [{"index": 0, "delta": delta}]})


@settings(max_examples=500, deadline=None)
@given(st.lists(PIECES, max_size=5))
@example(
    [{"choices": [{"delta": {"tool_calls": [{"index": True, "id": 3, "function": {"name": {}, "arguments": [1]}}]}}]}]
)
def test_no_order_of_junk_raises_anything_else(pieces: list[Any]) -> None:
    body = b"".join(b"data: " + json.dumps(piece).encode() + b"\n\n" for piece in pieces)
    events = offline(body, [])
    assert isinstance(events[-1], Finished)
    for event in events:
        json.dumps(str(event), ensure_ascii=False).encode()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", b"data: ", b"{", b"data: {\"choices\":[{\"delta\":{\"content\":\"x"]))  # fmt: skip
def test_no_bytes_raise_anything_else(body: bytes, prefix: bytes) -> None:
    assert isinstance(offline(prefix + body, [])[-1], Finished)


@settings(max_examples=15, deadline=None)
@given(st.lists(JUNK, min_size=1, max_size=4), st.sampled_from([200, 400, 500]))
def test_no_junk_over_the_wire_raises_anything_but_model_failed(junk: list[Any], status: int) -> None:
    script = [{"open": {"status": status}}, *({"data": json.dumps(piece)} for piece in junk)]
    with scripted(*[script] * 4) as server, suppress(ModelFailed):
        ask(server.url, backoff=0.001)


RESULT = {"role": "tool", "tool_call_id": "a", "content": "done"}
MADE = {"role": "assistant", "content": None, "tool_calls": [
    {"id": "a", "type": "function", "function": {"name": "add_task", "arguments": "{}"}}]}  # fmt: skip
USER = {"role": "user", "content": "x"}


def test_what_makes_a_replay_valid() -> None:
    assert (
        replay_faults(
            [{"role": "system", "content": "s"}, USER, MADE, RESULT, {"role": "assistant", "content": "ok"}, USER]
        )
        == []
    )
    assert replay_faults([USER, MADE, RESULT]) == []
    for wrong in ([USER, MADE], [USER, MADE, USER], [USER, RESULT], [USER, MADE, RESULT, RESULT], [],
                  [USER, MADE, RESULT, MADE, RESULT], [USER, {"role": "assistant", "content": ""}, USER],
                  [USER, {"role": "assistant", "content": "x"}], [{"role": "user", "content": ""}],
                  [USER, {"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}, USER]):  # fmt: skip
        assert replay_faults(wrong), wrong


def test_the_server_as_its_own_process(tmp_path: Path) -> None:
    file = tmp_path / "script.json"
    file.write_text(json.dumps({"scripts": [{"when": {"role": "tool"}, "steps": says("Done.")}, calls(TWO[0])],
                                "otherwise": says("What?"), "models": ["tiny"]}))  # fmt: skip
    root = Path(__file__).parents[2]
    process = subprocess.Popen([sys.executable, "-m", "tests.chat.scripted", "--script", file, "--strict"], cwd=root,
                               stdout=subprocess.PIPE, text=True, env={"PATH": os.environ["PATH"]})  # fmt: skip
    try:
        assert process.stdout
        url = process.stdout.readline().split()[1]
        patience = {"first_content": 5.0, "total": 5.0, "idle": 5.0}
        assert ask(url, **patience)[0] == Call(0, "call_0", "add_task", ADD)
        assert words(ask(url, **patience)) == "What?"
        root_url = url.removesuffix("/v1")
        added = json.dumps([says("Added.")]).encode()
        urlopen(Request(f"{root_url}/scripts", data=added, method="POST"), timeout=5).close()
        assert words(ask(url, **patience)) == "Added."
        with urlopen(f"{root_url}/requests", timeout=5) as response:
            assert [asked["faults"] for asked in json.load(response)] == [[], [], []]
        with urlopen(f"{url}/models", timeout=5) as response:
            assert json.load(response)["data"] == [{"id": "tiny"}]
    finally:
        process.kill()
        process.communicate()

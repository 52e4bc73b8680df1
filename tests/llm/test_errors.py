"""Errors of a model server: the message for each, and which of them are retried."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.conftest import free_port
from tests.support.fake_model import run_fake_model
from tests.support.model_answers import Script, body_answer, chunk, error_answer, text_answer
from tests.support.model_client import KEY, STOP, ask_model, stream_events, stream_failure
from todo_cli.errors import ModelFailed
from todo_cli.llm.client import TextDelta
from todo_cli.llm.errors import parse_retry_after

ERRORS: dict[str, tuple[Script, str, str]] = {
    "overflow by code": (
        error_answer(400, "This model's maximum context length is 8 tokens", code="context_length_exceeded"),
        "overflow",
        "longer than the model's context",
    ),
    "overflow by type": (
        error_answer(400, "too big", type="exceed_context_size_error", code=400),
        "overflow",
        "too big",
    ),
    "overflow by message": (
        error_answer(400, "the request exceeds the available context size"),
        "overflow",
        "context size",
    ),
    "413": (body_answer("<h1>Too large</h1>", 413), "overflow", "longer than the model's context"),
    "no tools": (error_answer(400, "this model does not support tools"), "refused", "does not support tools"),
    "no response_format": (
        error_answer(400, "'response_format' is not supported"),
        "refused",
        "'response_format' is not",
    ),
    "422": (body_answer({"detail": [{"msg": "x"}]}, 422), "refused", "status 422"),
    "401": (error_answer(401, f"Incorrect API key provided: {KEY}"), "key", "refused the API key"),
    "403": (body_answer({"error": "forbidden"}, 403), "key", "refused the API key"),
    "LiteLLM's wrong key": (error_answer(400, "No connected db."), "key", "refused the API key"),
    "402": (
        error_answer(402, "Insufficient credits", code=402),
        "limit",
        "requires payment first: Insufficient credits",
    ),
    "quota": (
        error_answer(429, "You exceeded your current quota", code="insufficient_quota"),
        "limit",
        "requires payment first",
    ),
    "404 model": (error_answer(404, "The model `m` does not exist."), "name", "does not have the model: The model `m`"),
    "404 Ollama's": (error_answer(404, 'model "m" not found, try pulling it first'), "name", "not found"),
    "400 model": (error_answer(400, "m is not a valid model ID"), "name", "not a valid model"),
    "404 address": (
        body_answer("404 page not found", 404),
        "endpoint",
        "no chat completions at this path (status 404)",
    ),
    "redirect": (body_answer("", 301, Location="/elsewhere"), "endpoint", "redirects to another address (status 301)"),
    "200 HTML": (body_answer("<!doctype html><p>Sign in"), "endpoint", "answered with a web page"),
    "200 HTML as a stream": ([{"open": {}}, {"raw": "\n <html>"}], "endpoint", "answered with a web page"),
    "200 other JSON": (body_answer({"detail": "Hello"}), "broken", "answered with JSON that is not a completion"),
    "200 empty": (body_answer(""), "broken", "answered nothing"),
    "204": (body_answer("", 204), "broken", "answered nothing"),
    "200 text": (body_answer("OK"), "broken", "answered nothing"),
    "200 broken JSON": (body_answer('{"choices": ['), "broken", "not JSON"),
    "done alone": ([{"done": True}], "broken", "answered nothing"),
    "a role and no more": ([chunk({"role": "assistant"})], "broken", "answered nothing"),
    "overflow in the stream": (
        [{"data": {"error": {"message": "x", "type": "exceed_context_size_error", "code": 400}}}],
        "overflow",
        "longer than the model's context",
    ),
    "Retry-After too long": (
        error_answer(429, "later", headers={"Retry-After": "3600"}),
        "limit",
        "asks to wait 3600 s",
    ),
    "escapes in the message": (error_answer(400, "a\x1b[31m\nb \u202ec" + "x" * 500), "refused", ": a [31m b cxxx"),
    "markup in the message": (error_answer(400, "<html><body>x"), "refused", "status 400"),
    "the key in the message": (error_answer(400, f"sent {KEY} to x"), "refused", "sent … to x"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_permanent_error_is_not_retried(name: str) -> None:
    script, kind, why = ERRORS[name]
    with run_fake_model(script) as server:
        with pytest.raises(ModelFailed) as caught:
            ask_model(server.url)
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
def test_temporary_status_is_retried(status: int) -> None:
    trouble = body_answer("<h1>Bad gateway</h1>", status)
    assert stream_events(trouble, error_answer(status), text_answer("Hi")) == [TextDelta("Hi"), STOP]
    error = stream_failure(*[trouble] * 4)
    assert error.extra["kind"] == ("limit" if status == 429 else "broken")


@pytest.mark.parametrize("name", ["cut before the headers", "an error in a 200", "a number as text"])
def test_other_temporary_error_is_retried(name: str) -> None:
    error = {"error": {"message": "busy", "code": "429" if name == "a number as text" else 429}}
    first: Script = [{"cut": True}] if name == "cut before the headers" else [{"data": error}]
    assert stream_events(first, text_answer("Hi")) == [TextDelta("Hi"), STOP]


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_header_is_obeyed(form: str) -> None:
    when = "0.3" if form == "seconds" else format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    began = time.monotonic()
    assert stream_events(
        error_answer(429, headers={"Retry-After": when}), text_answer("Hi"), first_content_seconds=5, total_seconds=9
    ) == [
        TextDelta("Hi"),
        STOP,
    ]
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "1e9", "", "Tue, 99 Foo 2026", "9" * 20])
def test_retry_after_with_an_invalid_value_is_ignored(text: str) -> None:
    assert parse_retry_after(text) is None


def test_model_that_is_loading_is_awaited() -> None:
    loading = error_answer(503, "Loading model", type="unavailable_error")
    assert stream_events(*[loading] * 6, text_answer("Hi"), first_content_seconds=30) == [
        TextDelta("Hi"),
        STOP,
    ]
    error = stream_failure({"steps": loading, "keep": True}, first_content_seconds=0.4)
    assert "still loading the model" in error.detail


@pytest.mark.parametrize(
    "script",
    [
        [{"stall": True}],
        [{"open": {}}, {"stall": True}],
        [{"forever": {"comment": "PROCESSING"}}],
        [{"forever": {"comment": "PROCESSING"}, "every": 0}],
    ],
)
def test_answer_without_a_first_word_times_out(script: Script) -> None:
    assert "sent nothing for 0.4 s" in stream_failure(script, first_content_seconds=0.4).detail


def test_error_with_an_endless_body_is_cut() -> None:
    script = [{"open": {"status": 400}}, {"forever": {"raw": "x" * 10_000}, "every": 0}]
    assert stream_failure(script, first_content_seconds=5).extra["kind"] == "refused"


def test_absent_server_raises_model_failed() -> None:
    with pytest.raises(ModelFailed, match=r"127.0.0.1:\d+ cannot be reached: no connection") as caught:
        ask_model(f"http://127.0.0.1:{free_port()}/v1")
    assert caught.value.extra["kind"] == "endpoint"
    assert caught.value.exit_code == 9
    with pytest.raises(ModelFailed, match=r"nowhere\.invalid cannot be reached"):
        ask_model("http://someone:sesame@nowhere.invalid/v1")

"""The model client: the requests that it sends, their connections, and cancellation."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import wait_for
from tests.support.certificates import self_signed
from tests.support.fake_model import FakeModel, run_fake_model
from tests.support.model_answers import USAGE, body_answer, chunk, error_answer, text_answer
from tests.support.model_client import (
    ADD_ARGUMENTS,
    KEY,
    MESSAGES,
    STOP,
    TEXT_CALL,
    TOOLS,
    ask_model,
    endpoint,
    join_text,
    stream_events,
)
from todo_cli.errors import ModelFailed
from todo_cli.llm.client import Finished, ModelClient, TextDelta, ToolCall, stream_answer


def test_completion_instead_of_a_stream_is_read() -> None:
    message = {"role": "assistant", "content": "Hi", "tool_calls": None}
    body = {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": USAGE,
    }
    assert stream_events(body_answer(body)) == [TextDelta("Hi"), STOP]
    wish = [
        {"id": name, "type": "function", "function": {"name": "add_task", "arguments": ADD_ARGUMENTS}} for name in "ab"
    ]
    assert stream_events(body_answer({"choices": [{"message": {"content": None, "tool_calls": wish}}]})) == [
        ToolCall(0, "a", "add_task", ADD_ARGUMENTS),
        ToolCall(1, "b", "add_task", ADD_ARGUMENTS),
        Finished("calls"),
    ]
    assert stream_events(body_answer({"choices": [{"message": {"content": TEXT_CALL}}]}))[0] == ToolCall(
        0, "", "add_task", ADD_ARGUMENTS
    )


def test_request_contains_the_expected_fields() -> None:
    with run_fake_model(
        text_answer("Hi"), error_answer(400, "unknown field stream_options"), text_answer("Hi")
    ) as server:
        ask_model(server.url)
        ask_model(server.url, tools=[], api_key=None)
        with_tools, refused, without = server.asked
        server.assert_valid()
    assert with_tools.path == "/v1/chat/completions"
    assert with_tools.body == {
        "model": "m",
        "messages": MESSAGES,
        "tools": TOOLS,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert with_tools.headers["authorization"] == f"Bearer {KEY}"
    assert refused.body == {
        "model": "m",
        "messages": MESSAGES,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert "stream_options" not in without.body
    assert "authorization" not in without.headers


def test_environment_variables_of_other_clients_are_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "not-for-you")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with run_fake_model(text_answer("Hi")) as server:
        ask_model(server.url, api_key=None)
        assert "not-for-you" not in str(server.asked[0].headers)


@pytest.mark.parametrize("how", ["cancelled", "left", "interrupted before the first byte"])
def test_stream_left_early_is_closed(how: str) -> None:
    async def leave(server: FakeModel) -> None:
        async with aclosing(
            stream_answer(
                endpoint(server.url, idle_seconds=20, first_content_seconds=20, total_seconds=20), MESSAGES, TOOLS
            )
        ) as events:
            if how != "interrupted before the first byte":
                assert await anext(events) == TextDelta("Hi")
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
    with run_fake_model(script) as server:
        asyncio.run(leave(server))
        wait_for(server.asked[0].left.is_set, "the server saw the end", timeout=2)


def test_plain_http_builds_no_tls_context(monkeypatch: pytest.MonkeyPatch) -> None:
    import ssl

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a trust store was loaded")

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", refuse)
    monkeypatch.setattr(ssl.SSLContext, "set_default_verify_paths", refuse)
    assert stream_events(text_answer("Hi"))[0] == TextDelta("Hi")


def test_tls_protocol_error_is_reported() -> None:
    with run_fake_model() as server, pytest.raises(ModelFailed, match="TLS") as caught:
        ask_model(server.url.replace("http:", "https:"))
    assert caught.value.extra["kind"] == "endpoint"


def test_events_need_no_openai() -> None:
    code = "import sys, todo_cli.llm.stream, todo_cli.llm.endpoints; print('openai' in sys.modules, 'httpx2' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "False False\n"
    )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For a model's server on this machine."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    self_signed(path)
    return path


def over_tls(url: str, trust: Path | None) -> subprocess.CompletedProcess[str]:
    """An answer in a process of its own: which authorities are trusted is read once."""
    code = (
        "import sys; from tests.support.model_client import ask_model, join_text;"
        "print(join_text(ask_model(sys.argv[1], first_content_seconds=5, idle_seconds=5, total_seconds=9)))"
    )
    environment = {"PATH": os.environ["PATH"]} | ({"SSL_CERT_FILE": str(trust)} if trust else {})
    return subprocess.run(
        [sys.executable, "-c", code, url],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=Path(__file__).parents[2],
    )


def test_answer_over_tls_is_read(certificate: Path) -> None:
    with run_fake_model(text_answer("Grüße ", "🌍"), tls=certificate) as server:
        done = over_tls(server.url, certificate)
        assert (done.returncode, done.stdout) == (0, "Grüße 🌍\n"), done.stderr
        assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"


def test_untrusted_certificate_receives_no_key(certificate: Path) -> None:
    with run_fake_model(text_answer("Hi"), tls=certificate) as server:
        done = over_tls(server.url, None)
        assert "its TLS certificate or protocol is not accepted" in done.stderr
        assert server.asked == []


def in_a_row(model: ModelClient, times: int) -> list[str]:
    """What it says so many times, in one turn."""

    async def listen() -> list[str]:
        said = []
        for _ in range(times):
            async with aclosing(model(MESSAGES, TOOLS)) as events:
                said.append(join_text([event async for event in events]))
        await model.close()
        return said

    return asyncio.run(listen())


def test_answers_of_one_turn_share_a_connection() -> None:
    with run_fake_model(*[text_answer("Hi")] * 3) as server:
        server.keep_alive = True
        assert in_a_row(ModelClient(endpoint(server.url)), 3) == ["Hi"] * 3
        assert (len(server.asked), server.connections) == (3, 1)


@pytest.mark.parametrize(
    "script",
    [
        [*text_answer("Hi"), {"stall": True}],
        [*text_answer("Hi"), {"forever": {"comment": "x"}}],
        text_answer("Hi", done=False),
        [chunk({"content": "Hi"}), {"cut": True}],
        body_answer({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}),
    ],
)
def test_bytes_left_by_an_answer_do_not_reach_the_next(script: Any) -> None:
    with run_fake_model(script, text_answer("You")) as server:
        server.keep_alive = True
        assert in_a_row(ModelClient(endpoint(server.url)), 2) == ["Hi", "You"]
        assert server.connections <= 2


def test_connection_closed_by_the_server_is_reopened() -> None:
    with run_fake_model(text_answer("Hi"), text_answer("You")) as server:
        assert in_a_row(ModelClient(endpoint(server.url)), 2) == ["Hi", "You"]
        assert server.connections == 2

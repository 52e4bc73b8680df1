"""Invalid messages and faulty models, through the real command over each client."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Server
from tests.support.chat_process import ChatProcess, read_frames
from tests.support.fake_model import FakeModel
from tests.support.model_answers import body_answer, chunk, text_answer
from tests.support.raw_http import ask
from todo_cli.contract.ids import new_id

HUGE = b"x" * 10_000_000


def test_message_of_ten_megabytes_is_refused(talker: ChatProcess) -> None:
    for data in (HUGE, "ä".encode() * 5_000_000, b"x" + "€".encode() * 200_000):
        done = talker("ask", "-", stdin=data)
        assert (done.code, done.out) == (2, "")
        assert "longer than 100,000 characters" in done.err
        assert len(done.err) < 300
    piped = talker("chat", stdin=HUGE + b"\n/exit\n")
    assert (piped.code, "longer than 100,000 characters" in piped.err) == (0, True)
    assert (talker.turns(), talker.model.asked) == ([], [])
    assert talker.db.execute("SELECT 1 FROM todo.conversations WHERE space_id = %s", talker.who.user_id) == []
    talker.script(text_answer("Long."))
    assert talker("ask", "-", stdin="ä" * 100_000).out == "Long.\n"


def test_message_of_ten_megabytes_over_the_api_is_refused(
    chat_server: Server, make_talker: Callable[..., ChatProcess]
) -> None:
    talker = make_talker("api")
    for text, status in (("x" * 10_000_000, {413, 422}), ("x" * 1_000_000, {422})):
        body = {"turn": new_id(), "conversation": new_id(), "text": text}
        answer = ask(chat_server.url, "POST", "/v1/turns", body, token=talker.who.token)
        assert answer.status in status, answer.status
        assert len(answer.problem["detail"]) < 300
    assert talker.turns() == []


def test_message_that_is_not_text_is_refused(talker: ChatProcess, chat_server: Server) -> None:
    for data in (b"a\0b", b"\xff\xfe", b"caf\xe9", b"\xed\xa0\x80", "x".encode("utf-16")):
        done = talker("ask", "-", stdin=data)
        assert (done.code, len(done.err.splitlines())) == (2, 1), (data, done)
    for body in (
        b'{"turn":"%s","conversation":"%s","text":"a\\u0000b"}',
        b'{"turn":"%s","conversation":"%s","text":"\xff"}',
        b'{"turn":"%s","conversation":"%s","text":"\\ud800"}',
    ):
        data = body.replace(b"%s", new_id().encode())
        answer = ask(chat_server.url, "POST", "/v1/turns", data, token=talker.who.token)
        assert answer.status == 422, answer
    assert talker.turns() == []


def test_control_characters_are_stored_and_escaped_in_output(talker: ChatProcess) -> None:
    words = "ring\x07 \x1b[2J\x1b]0;title\x07 \x9b31m\u202e\r\nback\tto\x7f"
    talker.script(text_answer("Heard."))
    assert talker("ask", "-", stdin=words).out == "Heard.\n"
    sent = talker.model.asked[-1].body["messages"][-1]["content"]
    assert sent.startswith(words)
    assert talker.said()[0] == ("user", words)
    shown = talker("chat", "show", "1")
    listed = talker("chat", "list")
    for text in (shown.out, listed.out):
        assert not set("\x07\x1b\x9b\x7f\u202e\r") & set(text)
    screen = talker.spawn("chat", "resume", "1")
    screen.expect_exact("Heard.")
    assert not set("\x07\x1b\x9b\x7f\u202e") & set(screen.before)
    screen.close()


MODELS: dict[str, tuple[list[Any], str]] = {
    "HTML": (
        body_answer("<html><title>502</title><b>no</b></html>", 200, **{"Content-Type": "text/html"}),
        "answered with a web page",
    ),
    "an error in HTML": (body_answer("<html>\x1b[2Jgateway</html>", 502, **{"Content-Type": "text/html"}), ""),
    "nothing": (body_answer("", 200), "answered nothing"),
    "a stream of nothing": ([{"open": {}}], ""),
    "no connection for long": ([{"cut": True}], "closed the connection in the middle of the answer"),
    "a flood": ([{"forever": chunk({"content": "x" * 20_000}), "every": 0}], "longer than 200000 characters"),
    "a flood without an end of line": ([{"open": {}}, {"forever": {"raw": "x" * 100_000}, "every": 0}], ""),
    "half an answer": ([chunk({"content": "Half"}), {"cut": True}], ""),
    "an answer without a reason": (text_answer("Half", finish=None, usage="none", done=False), "without a reason"),
}


@pytest.mark.parametrize("name", ["HTML", "a flood", "half an answer"])
def test_faulty_model_exits_with_9(talker: ChatProcess, name: str) -> None:
    script, reason = MODELS[name]
    assert_fails_in_one_line(talker, script, reason)


@pytest.mark.long
@pytest.mark.parametrize("name", MODELS)
def test_faulty_model_of_every_kind_exits_with_9(talker: ChatProcess, name: str) -> None:
    script, reason = MODELS[name]
    assert_fails_in_one_line(talker, script, reason)


def assert_fails_in_one_line(talker: ChatProcess, script: list[Any], reason: str) -> None:
    """Assert exit code 9 with the reason in one line, that the message is kept, and that the next one is answered."""
    talker.script({"steps": script, "keep": True})
    done = talker("ask", "hello")
    talker.model.scripts.clear()
    assert (done.code, reason in done.err) == (9, True), (done.code, done.err, done.out[:99])
    assert not set("\x1b<>") & set(done.err)
    assert (len(done.err.splitlines()), len(done.err) < 400) == (1, True), done.err
    assert len(done.out) <= 200_001
    assert talker.turns()[0][1] == "failed"
    assert talker.said()[0] == ("user", "hello")
    talker.script({"steps": text_answer("Now."), "keep": True})  # what does not fit is folded first
    assert talker("ask", "-c", "1", "and now?").out == "Now.\n"
    talker.model.assert_valid()


@pytest.mark.long
def test_model_that_stalls_or_never_ends_exits_with_9(talker: ChatProcess) -> None:
    """It waits as long as the endpoint's patience is, once for each."""
    drips = [{"open": {}}, {"forever": {"comment": "ping"}, "every": 1}]
    half = [chunk({"content": "Half"}), {"stall": True}]
    for script, out, told in ((drips, "", "answered nothing"), (half, "Half\n", "ended without a reason|for 60 s")):
        talker.script({"steps": script, "keep": True})
        done = talker("ask", "hello", timeout=200)
        talker.model.scripts.clear()
        assert (done.code, done.out) == (9, out), done
        assert re.search(told, done.err), done.err
    assert {state for _, state in talker.turns()} == {"failed"}


def test_ctrl_c_with_a_stalled_model_ends_the_command(talker: ChatProcess) -> None:
    talker.script([chunk({"content": "Half of"}), {"stall": True}])
    child = talker.spawn("ask", "hello")
    child.expect_exact("Half")
    child.sendintr()
    child.expect_exact("the text so far and the changes are kept")
    child.close()
    assert talker.said() == [("user", "hello"), ("assistant", "Half of")]


def test_stream_of_a_failing_model_contains_the_error(
    chat_server: Server, make_talker: Callable[..., ChatProcess], model: FakeModel
) -> None:
    talker = make_talker("api")
    model.scripts.clear()
    talker.script({"steps": body_answer("<html></html>"), "keep": True})
    body = {"turn": new_id(), "conversation": new_id(), "text": "hello"}
    found = list(read_frames(chat_server.url, "POST", "/v1/turns", body, token=talker.who.token))
    model.scripts.clear()
    assert (found[-1].data["state"], found[-1].data["error"]["type"]) == ("failed", "urn:todo:model")
    assert "<html" not in json.dumps([frame.data for frame in found])

"""Conversations that continue on another machine, after killed servers and with clocks that disagree."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable

import pexpect
import pytest

from tests.support.chat_process import ChatProcess, slow_answer, wait_until
from tests.support.endless_answers import ENDLESS, LIVE
from tests.support.model_answers import call_answer, text_answer


def test_turn_killed_on_one_machine_continues_on_another(talker: ChatProcess) -> None:
    """Over the API the turn goes on by itself; straight to the database the other machine goes on with it."""
    talker.script(call_answer(("add_task", {"title": "milk"})), slow_answer(*["Half. "] * 8))
    child = talker.start("ask", "add milk")
    wait_until(lambda: "Half" in talker.heard())
    child.kill()
    child.communicate()
    if talker.way == "direct":
        busy = talker.other("ask", "-c", "1", "and now?")
        assert (busy.code, "todo chat resume 1" in busy.err) == (6, True)
        talker.lapse()
        talker.script(text_answer("Added ", "milk."))
    done = talker.other("chat", "resume")
    assert done.code == 0, done.err
    assert done.out.strip().endswith("Added milk." if talker.way == "direct" else "Half. Half.")
    assert talker.tasks() == [(1, "milk", "open")]
    assert talker.turns()[0][1] == "done"
    assert [role for role, _ in talker.said()] == ["user", "assistant", "tool", "assistant"]
    talker.model.assert_valid()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_closed_terminal_releases_the_turn_at_once(make_talker: Callable[..., ChatProcess], number: int) -> None:
    talker = make_talker("direct")
    talker.script(ENDLESS, text_answer("Whole."))
    child = talker.start("ask", "a story")
    wait_until(lambda: "a word" in talker.heard())
    child.send_signal(number)
    out, err = child.communicate(timeout=20)
    assert (child.returncode, out[:11], out[-1:]) == (128 + number, "Half a word", "\n")
    assert err == "(left; the text so far is stored, and the answer is continued by: todo chat resume)\n"
    assert talker.db.execute(LIVE, talker.who.user_id) == [(False,)]
    assert talker.turns()[0][1] == "running"
    events = [json.loads(line) for line in talker.other("chat", "resume", "1", "--jsonl").lines]
    assert "".join(event["text"] for event in events if event["kind"] == "words").startswith("Half a word")
    assert "reset" in [event["kind"] for event in events]
    assert (events[-1]["state"], events[-1]["text"]) == ("done", "Whole.")


def test_resumed_turn_prints_everything_once(make_talker: Callable[..., ChatProcess]) -> None:
    """Straight to the database: what the dead one did and said, what comes now, and after the answer only what follows."""
    talker = make_talker("direct")
    for title in ("one", "two"):
        talker("add", title)
    talker.script(call_answer(("add_task", {"title": "milk"}), text="First milk. "), ENDLESS)
    child = talker.start("ask", "add milk, delete the others")
    wait_until(lambda: "a word" in talker.heard())
    child.kill()
    child.communicate()
    talker.lapse()
    talker.script(
        call_answer(("list_tasks", {})),
        call_answer(("delete_task", {"number": 1}), ("delete_task", {"number": 2})),
        text_answer("Gone."),
    )
    done = talker("chat", "resume", "--yes", "--jsonl")
    events = [json.loads(line) for line in done.lines]
    told = [event.get("verb", event["kind"]) for event in events if event["kind"] in ("call", "reset", "end", "turn")]
    assert told[:3] == ["AddTask", "reset", "ListTasks"], done
    assert (told.count("AddTask"), told.count("ListTasks"), told[-2:]) == (1, 1, ["end", "turn"])
    said = "".join(event["text"] for event in events if event["kind"] == "words")
    assert (said.count("First milk."), said.count("Half"), said.count("Gone.")) == (1, 1, 1)
    assert [status for *_, status in talker.tasks()] == ["deleted", "deleted", "open"]


def test_turn_resumed_at_a_prompt_continues(talker: ChatProcess) -> None:
    talker.script(ENDLESS)
    child = talker.start("ask", "a story")
    wait_until(lambda: "a word" in talker.heard())
    child.kill()
    child.communicate()
    if talker.way == "api":  # it still runs: who attaches may stop it
        talker.other("chat", "stop", "1")
        wait_until(lambda: talker.turns()[0][1] == "stopped")
    else:
        talker.lapse()
        talker.script(text_answer("Whole."))
    prompt = talker.spawn("chat", "-c", "1")
    if talker.way == "direct":
        prompt.expect_exact("you: a story")
        prompt.expect_exact("starts again")
        prompt.expect_exact("Whole.")
    prompt.expect_exact("todo> ")
    talker.script(text_answer("Indeed."))
    prompt.sendline("is that all?")
    prompt.expect_exact("Indeed.")
    prompt.sendline("/resume")
    prompt.expect_exact("you: is that all?")
    prompt.expect_exact("Indeed.")
    prompt.sendline("/exit")
    prompt.expect(pexpect.EOF)
    prompt.close()


def test_pending_approval_is_shown_again_on_another_machine(talker: ChatProcess) -> None:
    talker("add", "one")
    talker.script(call_answer(("list_tasks", {})), call_answer(("delete_task", {"number": 1})))
    assert talker("ask", "delete it").code == 10
    assert talker.other("chat", "resume").code == 10
    talker.script(text_answer("Gone."))
    prompt = talker.spawn("chat", "resume", "1")
    prompt.expect_exact("#1 one")
    prompt.expect_exact("[y/N] ")
    prompt.sendline("y")
    prompt.expect_exact("Gone.")
    prompt.expect(pexpect.EOF)
    prompt.close()
    assert prompt.exitstatus == 0
    assert talker.tasks() == [(1, "one", "deleted")]

"""`todo chat` on a real terminal, over HTTP and directly."""

from __future__ import annotations

from typing import Any

import pexpect
import pytest

from tests.support.chat_process import ChatProcess, slow_answer
from tests.support.model_answers import call_answer, text_answer

PROMPT = "todo> "


def open_prompt(talker: ChatProcess, *arguments: str) -> Any:
    """Start `todo chat` and wait for the prompt."""
    child = talker.spawn("chat", *arguments)
    child.expect_exact(PROMPT)
    return child


def leave_prompt(child: Any, line: str = "/exit") -> None:
    """Leave and assert that the exit code is 0."""
    child.sendline(line)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def send_line(child: Any, line: str, *wanted: str) -> None:
    """Send a line, expect the texts, then the prompt."""
    child.sendline(line)
    for text in wanted:
        child.expect_exact(text)
    child.expect_exact(PROMPT)


def test_prompt_runs_messages_and_commands(talker: ChatProcess) -> None:
    child = open_prompt(talker)
    send_line(child, "/help", "Plain text goes to the model")
    send_line(child, "/add 'Pay rent' --due friday", "Added #1 Pay rent")
    talker.script(call_answer(("add_task", {"title": "milk"})), text_answer("Added ", "#2 milk."))
    send_line(child, "put milk on it", "Added #2 milk.")
    talker.script(text_answer("You said ", "milk."))
    send_line(child, "what did I say?", "You said milk.")
    assert len(talker.turns()) == 2
    assert len(talker.said(1)) > 4
    send_line(child, "/list", "milk")
    send_line(child, "/done 2", "#2 milk")
    send_line(child, "/conversations", "put milk on it")
    send_line(child, "", "")
    leave_prompt(child)


def test_undo_and_redo_at_the_prompt_change_the_last_turn(talker: ChatProcess) -> None:
    talker.script(call_answer(("add_task", {"title": "one"}), ("add_task", {"title": "two"})), text_answer("Both."))
    child = open_prompt(talker)
    send_line(child, "add one and two", "Both.")
    send_line(child, "/undo", "Undid")
    assert [status for *_, status in talker.tasks()] == ["deleted", "deleted"]
    send_line(child, "/redo", "Redid")
    assert [status for *_, status in talker.tasks()] == ["open", "open"]
    leave_prompt(child, "/quit")


def test_approval_at_the_prompt_refused_changes_nothing(talker: ChatProcess) -> None:
    talker("add", "one")
    talker("add", "two")
    talker.script(
        call_answer(("list_tasks", {})), call_answer(("delete_task", {"number": 1}), ("delete_task", {"number": 2}))
    )
    talker.script(text_answer("Kept."))
    child = open_prompt(talker)
    child.sendline("delete all")
    child.expect_exact("#2 two")
    child.expect_exact("Do it? ")
    send_line(child, "n", "Kept.")
    assert [status for *_, status in talker.tasks()] == ["open", "open"]
    leave_prompt(child)


def test_approve_only_some_calls_runs_those(talker: ChatProcess) -> None:
    for title in ("one", "two", "three"):
        talker("add", title)
    wished = (("delete_task", {"number": number}) for number in (1, 2, 3))
    talker.script(call_answer(("list_tasks", {})), call_answer(*wished), text_answer("Two."))
    assert talker("ask", "delete all").code == 10
    for wrong in (("--only", "4"), ("--only", "1", "--no"), ("--only", "x"), ("--only", " ")):
        assert talker("chat", "approve", "1", *wrong).code == 2, wrong
    assert talker.other("chat", "approve", "1", "--only", "1,3").out == "Two.\n"
    assert [status for *_, status in talker.tasks()] == ["deleted", "open", "deleted"]


@pytest.mark.parametrize("way_to_answer", ["--only", "/approve", "prompt"])
def test_approve_some_tasks_of_one_call_changes_those(talker: ChatProcess, way_to_answer: str) -> None:
    for number in range(1, 6):
        talker("add", f"task {number}")
    talker.script(call_answer(("list_tasks", {})), call_answer(("complete_task", {"numbers": [1, 2, 3, 4, 5]})))
    talker.script(text_answer("Three."))
    if way_to_answer == "prompt":
        child = open_prompt(talker)
        child.sendline("finish all")
        child.expect_exact("   5  done  #5 task 5")
        child.expect_exact("Do it? ")
        for word in ("n", "y"):
            child.sendline("1 3-4")
            child.expect_exact("Do these 3? [y/N] ")
            child.sendline(word)
        child.expect_exact("Three.")
        child.expect_exact(PROMPT)
        leave_prompt(child)
    else:
        assert talker("ask", "finish all").code == 10
        if way_to_answer == "--only":
            done = talker("chat", "approve", "1", "--only", "1,3-4")
            assert (done.code, done.out) == (0, "Three.\n")
        else:
            child = talker.spawn("chat", "--conversation", "1")
            child.expect_exact("Do it? ")
            child.sendintr()
            child.expect_exact(PROMPT)
            send_line(child, "/approve 1 3-4", "Three.")
            leave_prompt(child)
    assert [status for *_, status in talker.tasks()] == ["done", "open", "done", "done", "open"]
    assert talker("chat", "undo", "1").code == 0
    assert {status for *_, status in talker.tasks()} == {"open"}


def test_ctrl_c_at_an_approval_leaves_it_pending(talker: ChatProcess) -> None:
    talker("add", "one")
    talker.script(call_answer(("list_tasks", {})), call_answer(("delete_task", {"number": 1})))
    child = open_prompt(talker)
    child.sendline("delete it")
    child.expect_exact("Do it? ")
    child.sendintr()
    child.expect_exact("answer later with: todo chat approve 1")
    child.expect_exact(PROMPT)
    send_line(child, "/chat show 1", "need your approval")
    talker.script(text_answer("Gone."))
    send_line(child, "/chat approve 1", "Gone.")
    leave_prompt(child)
    assert [status for *_, status in talker.tasks()] == ["deleted"]


def test_ctrl_c_during_an_answer_returns_to_the_prompt(talker: ChatProcess) -> None:
    talker.script(slow_answer("Once ", *["upon "] * 60, every=0.4))
    child = open_prompt(talker)
    child.sendline("a story")
    child.expect_exact("upon")
    child.sendintr()
    child.expect_exact("the text so far and the changes are kept")
    child.expect_exact(PROMPT)
    talker.script(text_answer("Still here."))
    send_line(child, "are you there?", "Still here.")
    child.sendintr()
    child.expect_exact(PROMPT)
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert [state for _, state in talker.turns()] == ["stopped", "done"]


def test_prompt_with_a_conversation_number_continues_it(talker: ChatProcess) -> None:
    talker.script(text_answer("One."))
    talker("ask", "first")
    talker.script(text_answer("Two."))
    child = open_prompt(talker, "-c", "1")
    send_line(child, "second", "Two.")
    leave_prompt(child)
    assert len(talker.said(1)) == 4
    assert talker("chat", "-c", "99").code == 3


def test_errors_at_the_prompt_are_printed_and_it_continues(talker: ChatProcess) -> None:
    child = open_prompt(talker)
    send_line(child, "/nosuch", "unknown command '/nosuch'")
    send_line(child, "/add 'open quote", "no closing quotation")
    send_line(child, "/done 99", "task #99 does not exist")
    send_line(child, "/list --nosuch", "no such option")
    send_line(child, "/stop", "nothing runs in this conversation")
    send_line(child, "hello", "todo: ")  # the script has ended: status 500
    talker.script(text_answer("Hello."))
    send_line(child, "hello", "Hello.")
    leave_prompt(child)

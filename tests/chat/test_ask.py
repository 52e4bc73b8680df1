"""`todo ask` over each client, with real processes, a real Postgres and a scripted model."""

from __future__ import annotations

import json

import pexpect
import pytest

from tests.support.chat_process import ChatProcess, slow_answer
from tests.support.model_answers import call_answer, text_answer


def test_ask_with_a_call_prints_its_effect_and_the_answer(talker: ChatProcess) -> None:
    talker.script(call_answer(("add_task", {"title": "Buy milk"})), text_answer("Added ", "#1 ", "Buy milk."))
    done = talker("ask", "put milk on the list")
    assert (done.out, done.err, done.code) == ("Added #1 Buy milk.\n", "", 0)
    assert talker.tasks() == [(1, "Buy milk", "open")]
    assert talker.turns()[0][1] == "done"
    talker.model.assert_valid()


def test_ask_with_json_prints_a_document_and_with_jsonl_events(talker: ChatProcess) -> None:
    talker.script(text_answer("Nothing ", "is due."))
    done = talker("ask", "what is due?", "--json")
    assert done.code == 0, done.err
    assert done.json == {
        "conversation": 1,
        "turn": talker.turns()[0][0],
        "state": "done",
        "text": "Nothing is due.",
        "held": [],
        "error": None,
        "usage": {"prompt": 7, "completion": 3, "cached": 0, "reasoning": 0},
    }
    talker.script(call_answer(("list_tasks", {})), text_answer("None."))
    lines = [json.loads(line) for line in talker("ask", "-c", "1", "list them", "--jsonl").lines]
    assert [line["kind"] for line in lines] == ["start", "call", "result", "words", "end", "turn"]
    assert (lines[1]["verb"], lines[-1]["state"], lines[-1]["conversation"]) == ("ListTasks", "done", 1)


def test_ask_from_stdin_continues_a_conversation(talker: ChatProcess) -> None:
    talker.script(text_answer("Hello."))
    assert talker("ask", "-", stdin="say hello\nto me\n").out == "Hello.\n"
    talker.script(text_answer("Again."))
    assert talker("ask", "--conversation", "1", "and again").out == "Again.\n"
    contents = [str(message["content"]) for message in talker.model.asked[-1].body["messages"]]
    assert any("say hello\nto me" in content for content in contents)
    assert "Hello." in contents
    assert [role for role, _ in talker.said()] == ["user", "assistant", "user", "assistant"]


def test_conversation_is_the_same_over_the_other_client(talker: ChatProcess) -> None:
    talker.script(text_answer("One."))
    talker("ask", "first")
    shown = talker.other("chat", "show", "1")
    assert shown.code == 0, shown.err
    assert "you: first" in shown.out
    assert "todo: One." in shown.out
    assert talker.other("chat", "list").lines[0].split("\t")[:2] == ["1", "first"]


def three(talker: ChatProcess) -> None:
    for title in ("one", "two", "three"):
        assert talker("add", title).code == 0
    talker.script(
        call_answer(("list_tasks", {})), call_answer(*(("complete_task", {"number": number}) for number in (1, 2, 3)))
    )


ALL_OPEN = [(1, "one", "open"), (2, "two", "open"), (3, "three", "open")]
ALL_DONE = [(1, "one", "done"), (2, "two", "done"), (3, "three", "done")]


def test_ask_with_yes_approves_in_a_script(talker: ChatProcess) -> None:
    three(talker)
    talker.script(text_answer("All done."))
    done = talker("ask", "finish all", "--yes")
    assert (done.code, done.out) == (0, "All done.\n"), done.err
    assert "1  done  #1 one\n" in done.err
    assert talker.tasks() == ALL_DONE
    talker.model.assert_valid()


def test_ask_without_a_terminal_waits_for_an_approval(talker: ChatProcess) -> None:
    three(talker)
    done = talker("ask", "finish all")
    assert (done.code, done.out) == (10, "")
    assert "conversation 1 needs your approval" in done.err
    assert "todo chat approve 1" in done.err
    assert talker.turns()[0][1] == "awaiting"
    assert talker.tasks() == ALL_OPEN
    assert talker("chat", "list").lines[0].split("\t")[2] == "needs approval"
    assert "3  done  #3 three\n" in talker.other("chat", "show", "1").out
    talker.script(text_answer("Done, all three."))
    approved = talker.other("chat", "approve", "1")
    assert (approved.code, approved.out) == (0, "Done, all three.\n"), approved.err
    assert "3  done  #3 three\n" in approved.err
    assert talker.tasks() == ALL_DONE
    again = talker.other("chat", "approve", "1")
    assert (again.code, "is not waiting for approval" in again.err) == (6, True)
    undone = talker("chat", "undo", "1")
    assert undone.code == 0, undone.err
    assert talker.tasks() == ALL_OPEN
    assert talker("chat", "redo", "1").code == 0
    assert talker.tasks() == ALL_DONE


def test_approve_after_a_task_changed_is_a_conflict(talker: ChatProcess) -> None:
    three(talker)
    assert talker("ask", "finish all").code == 10
    assert talker("edit", "2", "--title", "two, changed").code == 0
    talker.script(text_answer("It had changed."))
    approved = talker("chat", "approve", "1")
    assert (approved.code, approved.out) == (6, "It had changed.\n"), approved.err
    assert "moved on" in approved.err
    assert [status for _, _, status in talker.tasks()] == ["done", "open", "done"]


def test_rejection_returns_to_the_model(talker: ChatProcess) -> None:
    three(talker)
    asked = talker("ask", "finish all", "--json")
    assert (asked.code, asked.json["state"]) == (10, "awaiting")
    assert [row["number"] for held in asked.json["held"] for row in held["plan"]["differences"]] == [1, 2, 3]
    talker.script(text_answer("Then not."))
    done = talker("chat", "approve", "1", "--no", "--jsonl")
    assert [json.loads(line)["kind"] for line in done.lines] == ["start", "words", "end", "turn"], done
    assert (done.code, json.loads(done.lines[-1])["text"]) == (0, "Then not.")
    assert talker.tasks() == ALL_OPEN
    assert "did not agree" in str(talker.model.asked[-1].body["messages"][-1]["content"])


@pytest.mark.parametrize("word", ["y", "n"])
def test_approval_at_a_terminal_shows_the_rows(talker: ChatProcess, word: str) -> None:
    three(talker)
    talker.script(text_answer("As you wish."))
    child = talker.spawn("ask", "finish all")
    child.expect_exact("Needs your yes - 3 changes")
    child.expect_exact("1  done  #1 one")
    child.expect_exact("3  done  #3 three")
    child.expect_exact("Do it? y, n, or which: 1 3-4 (? explains) > ")
    assert talker.tasks() == ALL_OPEN
    child.sendline(word)
    child.expect_exact("As you wish.")
    child.expect_exact("todo ask -c 1")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert talker.tasks() == (ALL_DONE if word == "y" else ALL_OPEN)


def test_ask_on_a_terminal_streams_words(talker: ChatProcess) -> None:
    talker.script(slow_answer("The first. ", "The second. ", "The third.", every=1.5))
    child = talker.spawn("ask", "three sentences")
    child.expect_exact("The first.")
    assert talker.turns()[0][1] == "running"
    child.expect_exact("The third.")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_ctrl_c_stops_the_turn_and_keeps_the_text(talker: ChatProcess) -> None:
    talker.script(slow_answer("Once upon ", "a time ", *["and so on "] * 60, every=0.4))
    child = talker.spawn("ask", "a long story")
    child.expect_exact("a time")
    child.sendintr()
    child.expect_exact("the text so far and the changes are kept")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert talker.turns()[0][1] == "stopped"
    assert talker.said()[-1][1].startswith("Once upon a time")
    talker.script(text_answer("Yes."))
    assert talker("ask", "-c", "1", "are you there?").out == "Yes.\n"


def test_turn_is_stopped_from_another_terminal(talker: ChatProcess) -> None:
    talker.script(slow_answer("Once upon ", *["and so on "] * 60, every=0.4))
    child = talker.spawn("ask", "a long story")
    child.expect_exact("and so on")
    busy = talker.other("ask", "-c", "1", "me too")
    assert (busy.code, "busy" in busy.err) == (6, True)
    assert talker.other("chat", "stop", "1").code == 0
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert talker.turns()[0][1] == "stopped"

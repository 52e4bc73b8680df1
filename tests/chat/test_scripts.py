"""Scripts can do everything that the REPL can: exact output over each client, and two processes in one conversation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.chat import Chat
from tests.support.chat_process import ChatProcess, slow_answer, wait_until
from tests.support.model_answers import call_answer, text_answer
from todo_cli.contract.conversations import ForkConversation, RemoveConversation, RewindTurn, ShowConversation
from todo_cli.contract.ids import new_id
from todo_cli.contract.turn_steps import BeginTurn
from todo_cli.errors import Conflict, NotFound


def lines(process: Any) -> Iterator[dict[str, Any]]:
    """The events of a process as they come."""
    for line in process.stdout:
        yield json.loads(line)


def test_chat_retry_and_edit_replace_the_answer(talker: ChatProcess) -> None:
    talker.script(text_answer("One."), text_answer("Two."))
    assert talker("ask", "first").out == "One.\n"
    assert talker("ask", "-c", "1", "say a number").out == "Two.\n"
    talker.script(text_answer("Three."))
    assert talker("chat", "retry", "1").out == "Three.\n"
    assert talker.said() == [
        ("user", "first"),
        ("assistant", "One."),
        ("user", "say a number"),
        ("assistant", "Three."),
    ]
    talker.script(text_answer("A."))
    done = talker.other("chat", "edit", "1", "say", "a letter", "--jsonl")
    assert [json.loads(line)["kind"] for line in done.lines] == ["start", "words", "end", "turn"]
    assert json.loads(done.lines[0]) == {"kind": "start", "version": 1}
    assert talker.said()[2:] == [("user", "say a letter"), ("assistant", "A.")]
    assert [str(message["content"]).partition("\n")[0] for message in talker.model.asked[-1].body["messages"][1:]] == [
        "first",
        "One.",
        "say a letter",
    ]
    assert talker("chat", "edit", "1", " ").code == 2
    assert talker.said()[2:] == [("user", "say a letter"), ("assistant", "A.")]  # what cannot be said moves nothing
    assert (talker("chat", "retry", "9").code, talker("chat", "retry", "x").code) == (3, 2)
    talker.model.assert_valid()


def test_conversation_in_the_trash_is_restored(talker: ChatProcess) -> None:
    talker.script(call_answer(("add_task", {"title": "milk"})), text_answer("Added."))
    assert talker("ask", "add milk").code == 0
    assert talker("chat", "rm", "1").out == "Deleted conversation 1: add milk\n"
    assert talker("chat", "list").out == ""
    assert talker("chat", "list", "--deleted").lines[0].split("\t")[:2] == ["1", "add milk"]
    assert talker.tasks() == [(1, "milk", "open")]  # its effects stay, and can be taken back
    gone = [talker.other("chat", word, "1").code for word in ("show", "export", "fork", "watch", "rename")]
    assert gone == [3, 3, 3, 3, 2]
    assert talker("ask", "-c", "1", "hello").code == 3
    assert talker("undo").code == 0
    again = talker.other("chat", "rm", "1", "--json")
    assert (again.code, again.json["deleted_at"][:2]) == (0, "20")
    assert talker("chat", "rm", "1", "--restore").out == "Restored conversation 1: add milk\n"
    assert talker.said()[0] == ("user", "add milk")
    assert talker("chat", "rm", "9").code == 3


def test_watch_from_another_terminal_prints_the_running_turn(talker: ChatProcess) -> None:
    talker.script([*slow_answer("Half ", "a word", every=1.5)])
    asked = talker.start("ask", "talk slowly", "--jsonl")
    wait_until(talker.heard)
    watching = talker.start("chat", "watch", "1", "--jsonl")
    events = lines(watching)
    assert next(events) == {"kind": "start", "version": 1}
    first = next(events)
    assert (first["kind"], first["text"]) == ("words", "Half ")
    assert asked.poll() is None  # it is still at it
    rest = list(events)
    assert [event["kind"] for event in rest] == ["words", "end", "turn"]
    assert (rest[-1]["text"], rest[-1]["state"], rest[-1]["conversation"]) == ("Half a word", "done", 1)
    assert (watching.wait(30), asked.wait(30)) == (0, 0)
    told = [json.loads(line) for line in asked.stdout or ()]
    assert told[-1] == rest[-1] | {"usage": told[-1]["usage"]}
    later = talker.other("chat", "watch", "1")
    assert (later.out, later.err, later.code) == ("Half a word\n", "you: talk slowly\n", 0)
    for one in (watching, asked):
        one.communicate()


def test_approval_from_a_third_terminal_ends_waiting_and_watching(talker: ChatProcess) -> None:
    for title in ("one", "two"):
        assert talker("add", title).code == 0
    talker.script(call_answer(("delete_task", {"numbers": [1, 2]})))
    assert talker("ask", "delete 1 and 2").code == 10
    watching = talker.start("chat", "watch", "1", "--jsonl")
    events = lines(watching)
    waiting = next(event for event in events if event["kind"] == "waiting")
    assert [row["number"] for held in waiting["held"] for row in held["plan"]["differences"]] == [1, 2]
    assert talker.tasks() == [(1, "one", "open"), (2, "two", "open")]
    talker.script(text_answer("Both are gone."))
    assert talker.other("chat", "approve", "1").out == "Both are gone.\n"
    assert [event["kind"] for event in events][-3:] == ["words", "end", "turn"]
    assert watching.wait(30) == 0
    assert talker.tasks() == [(1, "one", "deleted"), (2, "two", "deleted")]
    watching.communicate()


def test_follow_prints_the_next_messages(talker: ChatProcess) -> None:
    talker.script(text_answer("One."), text_answer("Two."))
    assert talker("ask", "first").code == 0
    following = talker.start("chat", "watch", "1", "--follow", "--jsonl")
    events = lines(following)
    assert [next(events)["kind"] for _ in range(4)] == ["start", "words", "end", "turn"]
    assert talker.other("ask", "-c", "1", "second").code == 0
    assert [next(events).get("text") for _ in range(3)] == ["Two."] * 3
    following.terminate()
    following.communicate()


# -- the rules behind them ----------------------------------------------------------------------------


def test_rewind_keeps_changes_and_messages(chat: Chat) -> None:
    chat.say("hello", ["Hi."])
    turn = new_id()
    chat.say("add x", [["add_task", {"title": "x"}]], ["Added."], turn=turn)
    back = chat(RewindTurn(turn=turn))
    assert (back.text, back.conversation.head, chat.history()) == (
        "add x",
        2,
        [("user", "hello"), ("assistant", "Hi.")],
    )
    assert chat(RewindTurn(turn=turn)).conversation.head == 2  # the same again
    assert chat.tasks() == [(1, "x", "open")]
    assert chat.db.execute("SELECT count(*) FROM todo.messages WHERE conversation_id = %s", chat.id) == [(6,)]


def test_rewind_of_the_first_turn_of_a_fork_returns_to_the_inherited_head(chat: Chat) -> None:
    chat.say("hello", ["Hi."])
    fork = chat(ForkConversation(number=1, id=new_id()))
    chat.id, turn = fork.id, new_id()
    chat.say("here", ["Yes."], turn=turn)
    chat(RewindTurn(turn=turn))
    assert chat.history() == [("user", "hello"), ("assistant", "Hi.")]
    chat.say("otherwise", ["Yes."])
    assert [content for _, content in chat.history()] == ["hello", "Hi.", "otherwise", "Yes."]


def test_rewind_or_removal_during_a_turn_is_refused(chat: Chat) -> None:
    begin = BeginTurn(conversation=chat.id, turn=new_id(), runner=new_id(), text="hello")
    chat(begin)
    for request in (RewindTurn(turn=begin.turn), RemoveConversation(number=1)):
        with pytest.raises(Conflict):
            chat(request)
    chat.lapse()
    chat.say("hello", ["Hi."], turn=begin.turn)
    chat(RemoveConversation(number=1))
    for request in (RewindTurn(turn=begin.turn), ShowConversation(number=1)):
        with pytest.raises(NotFound):
            chat(request)
    with pytest.raises(NotFound, match="in the trash"):
        chat.say("again", ["Hi."])

"""Turns, from the user's message to the stored rows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import wait_for
from tests.support.chat import Chat
from todo_cli.agent.loop import TurnEnd
from todo_cli.contract.conversations import StopTurn
from todo_cli.contract.ids import new_id
from todo_cli.contract.journal import Undo
from todo_cli.contract.tasks import AddTask
from todo_cli.errors import Conflict, ModelFailed
from todo_cli.llm.stream import Finished, TextDelta, TokenUsage
from todo_cli.llm.tool_calls import ToolCall


def test_turn_with_text_only_stores_the_answer(chat: Chat) -> None:
    ended = chat.say("hello", ["Hel", "lo!"])
    assert (ended.state, ended.text, ended.number) == ("done", "Hello!", 1)
    assert chat.history() == [("user", "hello"), ("assistant", "Hello!")]
    assert chat.asked[0][0]["role"] == "system"
    assert chat.asked[0][-1]["content"].startswith("hello\n\n(Today is ")


def test_call_acts_and_reports_the_changed_fields(chat: Chat) -> None:
    chat.say("add milk tomorrow", ["Let me see.", ["add_task", {"title": "Milk", "due": "2030-01-02"}]], ["Added."])
    (added,) = chat.tasks()
    assert added == (1, "Milk", "open")
    roles = [role for role, _ in chat.history()]
    assert roles == ["user", "assistant", "tool", "assistant"]
    assert json.loads(chat.history()[2][1]) == {
        "task": {"number": 1, "title": "Milk", "status": "open", "due": "2030-01-02"}
    }
    assert [message["role"] for message in chat.asked[1]] == ["system", "user", "assistant", "tool"]


def test_several_calls_run_in_order_and_are_undone_together(chat: Chat) -> None:
    chat.say("add three", [["add_task", {"title": title}] for title in ("a", "b", "c")], ["Done."])
    assert [title for _, title, _ in chat.tasks()] == ["a", "b", "c"]
    undone = chat(Undo())
    assert len(undone.differences) == 3
    assert {status for _, _, status in chat.tasks()} == {"deleted"}


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("show_task", {"number": 99}, "not-found"),  # named by the person
        ("complete_task", {"numbers": ["#98"]}, "not-found"),
        ("show_task", {"number": 7}, "not-found"),  # by nobody
        ("fly", {}, "invalid"),
        ("add_task", {}, "invalid"),
        ("add_task", {"title": " "}, "invalid"),
        ("add_task", {"title": "a\0b"}, "invalid"),
        ("add_task", {"title": "x", "due": "the day after never"}, "invalid"),
        ("add_task", {"title": "x", "colour": "red"}, "invalid"),
    ],
)
def test_call_that_fails_stores_the_error_and_the_turn_continues(
    chat: Chat, name: str, arguments: Any, code: str
) -> None:
    ended = chat.say("show 99 or do 98", [[name, arguments], ["add_task", {"title": "after"}]], ["I see."])
    if ended.state == "awaiting":
        pytest.fail("nothing could be planned")
    results = [json.loads(text) for role, text in chat.history() if role == "tool"]
    assert results[0]["error"] == code
    assert "SELECT" not in results[0]["detail"]
    assert [title for _, title, _ in chat.tasks()] == ["after"]
    assert ended.state == "done"


def test_number_from_a_list_is_known_in_a_later_turn(chat: Chat) -> None:
    chat(AddTask(title="Report"))
    chat.say("what is there?", [["list_tasks", {}]], ["#1 Report"])
    chat.say("mark it as done", [["complete_task", {"number": "1"}]], ["Done."])
    assert chat.tasks() == [(1, "Report", "done")]


def assert_unfinished(chat: Chat, end: TurnEnd, kind: str, text: str = "") -> None:
    """The turn has failed with this kind of error and only the model's text, and the conversation goes on."""
    assert isinstance(end.error, ModelFailed)
    assert (end.state, end.text, end.error.exit_code, end.error.extra["kind"]) == ("failed", text, 9, kind)
    assert chat.say("still there?", ["yes"]).text == "yes"


def test_turn_with_too_many_rounds_is_unfinished(chat: Chat) -> None:
    rounds = [[["list_tasks", {"filter": f"project:p{number}"}]] for number in range(20)]
    assert_unfinished(chat, chat.say("loop", *rounds, rounds=3), "rounds")


def test_turn_that_takes_too_long_is_unfinished(chat: Chat) -> None:
    rounds = [[["list_tasks", {"filter": f"project:p{number}"}]] for number in range(20)]
    assert_unfinished(chat, chat.say("loop", *rounds, total_seconds=0), "timeout")


def test_turn_with_three_identical_rounds_is_unfinished(chat: Chat) -> None:
    assert_unfinished(chat, chat.say("loop", *[[["list_tasks", {}]]] * 20), "loop")
    assert len(chat.asked) == 4


def test_turn_with_an_empty_answer_is_unfinished(chat: Chat) -> None:
    assert_unfinished(chat, chat.say("hello", [" \n"]), "empty", " \n")


@pytest.mark.parametrize("reason", ["length", "filter"])
def test_turn_with_a_cut_answer_is_unfinished(chat: Chat, reason: str) -> None:
    async def answer(messages: Any, tools: Any) -> Any:
        yield TextDelta("Half an")
        yield Finished(reason, None, "cut")

    assert_unfinished(chat, chat.say("hello", answer=answer), reason, "Half an")


def test_turn_with_an_answer_cut_by_length_runs_none_of_its_calls(chat: Chat) -> None:
    async def answer(messages: Any, tools: Any) -> Any:
        yield ToolCall(0, "a", "add_task", '{"title": "milk"}')
        yield Finished("length", None, "cut")

    assert_unfinished(chat, chat.say("add milk", answer=answer), "length")
    assert chat.tasks() == []


async def _failing(messages: Any, tools: Any) -> Any:
    raise ModelFailed("the model is away", kind="endpoint")
    yield


async def _breaking(messages: Any, tools: Any) -> Any:
    yield TextDelta("half an ans")
    yield Finished("interrupted", TokenUsage(prompt=3, completion=4), "cut")


@pytest.mark.parametrize(("answer", "text"), [(_failing, ""), (_breaking, "half an ans")])
def test_turn_with_a_failing_model_ends_and_the_next_continues(chat: Chat, answer: Any, text: str) -> None:
    ended = chat.say("hello", answer=answer)
    assert (ended.state, ended.text, type(ended.error)) == ("failed", text, ModelFailed)
    assert chat.say("again", ["yes"]).state == "done"
    assert [role for role, _ in chat.history()] == ["user", "assistant"] * 2


class Slow:
    """Says a word, then nothing until it is left."""

    def __init__(self) -> None:
        self.spoke, self.left = asyncio.Event(), False

    async def __call__(self, messages: Any, tools: Any) -> Any:
        try:
            yield TextDelta("I was about to")
            self.spoke.set()
            await asyncio.sleep(60)
        finally:
            self.left = True


def test_turn_stopped_here_keeps_its_text(chat: Chat) -> None:
    stop, slow = asyncio.Event(), Slow()
    ended = chat.say("tell", answer=slow, stop=stop, emit=lambda event: stop.set())
    assert (ended.state, ended.text, slow.left) == ("stopped", "I was about to", True)
    (_, said) = chat.replay()
    assert (said.content, said.status) == ("I was about to", "interrupted")


def test_turn_stopped_from_another_terminal_ends(chat: Chat, make_chat: Callable[..., Chat]) -> None:
    turn, other = new_id(), make_chat(conversation=chat.id)
    running = chat.start("tell", ["a "] * 200, turn=turn, pause=0.1)
    wait_for(lambda: bool(chat.db.execute("SELECT 1 FROM todo.events WHERE turn_id = %s", turn)))
    with pytest.raises(Conflict) as busy:
        other.say("me too", ["no"])
    assert (busy.value.extra["turn"], busy.value.extra["reason"]) == (turn, "busy")
    assert other(StopTurn(turn=turn)).state == "running"
    out, err = running.communicate(timeout=20)
    assert json.loads(out)["ended"]["state"] == "stopped", err
    assert chat.history()[-1][1].startswith("a a ")
    assert other.say("and now", ["yes"]).text == "yes"

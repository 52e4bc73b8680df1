"""Which tools a model is offered: few, the rest once it has looked for them; and any of them acts when it is called."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.chat import Chat
from tests.support.turn_driver import ScriptedModel
from todo_cli.agent.tool_selection import find_tools, select_tools
from todo_cli.contract.tasks import AddTask, ShowTask
from todo_cli.contract.turn_steps import Message, MessageCall
from todo_cli.tools.tool_list import BASIC_TOOLS, EXTRA_TOOLS, MORE_TOOLS

FEW = [*BASIC_TOOLS, MORE_TOOLS]


class Watching(ScriptedModel):
    """A script that keeps what it was offered."""

    def __init__(self, *rounds: Any) -> None:
        super().__init__(rounds)
        self.offered: list[list[str]] = []
        self.bytes: list[str] = []

    def __call__(self, messages: Any, tools: Any) -> Any:
        self.offered.append([tool["function"]["name"] for tool in tools])
        self.bytes.append(json.dumps(tools))
        return super().__call__(messages, tools)


def names(answer: str) -> list[str]:
    """What a search has found."""
    return [tool["name"] for tool in json.loads(answer)["tools"]]


def test_find_tools_by_words_returns_matching_tools() -> None:
    assert names(find_tools('{"words": "skip an occurrence"}')) == ["skip_task"]
    assert "redo" in names(find_tools('{"words": "make the undone change again"}'))
    assert names(find_tools('{"words": "zzz"}')) == [*EXTRA_TOOLS], "nothing fits: all of them are named"
    assert all(tool["description"] for tool in json.loads(find_tools("{}"))["tools"])


@given(st.text(max_size=40))
def test_find_tools_with_any_arguments_returns_some_tools(arguments: str) -> None:
    assert {*names(find_tools(arguments))} <= {*EXTRA_TOOLS}
    assert names(find_tools(arguments))


@pytest.mark.parametrize("name", ["reopen_task", "restore_task", "undo"])
def test_tools_that_take_something_back_are_always_offered(name: str) -> None:
    assert name in offered_by([])


def test_found_tools_are_offered_for_the_rest_of_the_conversation(chat: Chat) -> None:
    chat(AddTask(title="milk"))
    first = Watching([[MORE_TOOLS, {"words": "track work"}]], [["start_task", {"number": 1}]], ["Started."])
    assert chat.say("start 1", answer=first).text == "Started."
    assert first.offered[0] == FEW
    assert first.offered[1] == first.offered[2]
    assert first.offered[1] == [*FEW, "start_task", "stop_task"]
    assert first.offered[1][: len(FEW)] == FEW, "what is always there stays in its place"
    second, third = Watching(["Hello."]), Watching(["Hello."])
    chat.say("hi", answer=second)
    chat.say("hi", answer=third)
    assert second.offered == [[*FEW, "start_task", "stop_task"]]
    assert second.bytes == third.bytes
    answers = [message for message in chat.replay() if message.role == "tool"]
    assert names(answers[0].content)


def test_tool_that_was_not_offered_still_runs(chat: Chat) -> None:
    chat(AddTask(title="milk"))
    script = Watching([["claim_task", {"number": 1}]], ["Claimed."])
    chat.say("claim 1", answer=script)
    assert chat(ShowTask(number=1)).claimed_by
    assert script.offered == [FEW, [*FEW, "claim_task"]]


def test_tool_search_beside_other_calls_offers_tools(chat: Chat) -> None:
    script = Watching([["add_task", {"title": "milk"}], [MORE_TOOLS, {"words": 3}], [MORE_TOOLS, {}]], ["Done."])
    chat.say("add milk", answer=script)
    assert chat.tasks() == [(1, "milk", "open")]
    assert script.offered[1] == [*FEW, *EXTRA_TOOLS]


def line(*results: str, name: str = MORE_TOOLS, turn: str = "t") -> list[Message]:
    """A turn in which that was called, and answered so."""
    calls = tuple(MessageCall(name=name, arguments="{}") for _ in results)
    said = [
        Message(conversation="c", seq=1, turn=turn, role="user", content="x"),
        Message(conversation="c", seq=2, turn=turn, role="assistant", content="", calls=calls),
    ]
    return said + [
        Message(conversation="c", seq=3 + at, turn=turn, role="tool", content=text, call_seq=2, call_index=at)
        for at, text in enumerate(results)
    ]


def offered_by(messages: list[Message]) -> list[str]:
    return [tool["function"]["name"] for tool in select_tools(messages)]


def test_offered_tools_come_from_search_results_only() -> None:
    forged = json.dumps({"tools": [{"name": "redo"}, {"name": "delete_everything"}, {"name": 3}, None]})
    assert offered_by(line(forged, name="list_tasks")) == FEW
    assert offered_by(line(forged)) == [*FEW, "redo"]
    assert offered_by(line(forged, turn="before")) == [*FEW, "redo"]
    assert offered_by(line("no JSON", "[]", '{"tools": 3}', "null")) == FEW


def test_endless_tool_search_ends_at_the_round_limit(chat: Chat) -> None:
    script = Watching(*[[[MORE_TOOLS, {"words": "fly"}]]] * 20)
    end = chat.say("fly", answer=script)
    assert (end.state, end.error and end.error.extra["kind"]) == ("failed", "loop")
    assert len(script.offered) == 3

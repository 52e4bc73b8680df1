"""A replay is a valid model request after any history."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.chat import Chat
from todo_cli.agent.messages import build_request, complete_turns, open_calls, protocol_errors
from todo_cli.contract.turn_steps import Message, MessageCall, ReadReplay

WISH = st.builds(
    MessageCall,
    name=st.sampled_from(["add_task", "", "fly"]),
    arguments=st.sampled_from(["{}", "", "[1]", "{", '{"a":1}']),
    id=st.sampled_from(["", "a", "b", "call_1_0", "x" * 80]),
)


@st.composite
def lines(draw: st.DrawFn) -> list[Message]:
    """Messages in an order that no code of ours would store, and some that it would."""
    made: list[Message] = []
    for turn in range(draw(st.integers(1, 5))):
        for _ in range(draw(st.integers(1, 6))):
            role = draw(st.sampled_from(["user", "assistant", "assistant", "tool", "tool", "summary"]))
            answers = draw(st.sampled_from([None, *(message.seq for message in made)]))
            made.append(
                Message(
                    conversation="c",
                    seq=len(made) + 1,
                    turn=f"t{turn}",
                    role=role,
                    content=draw(st.sampled_from(["", " ", "text"])),
                    status=draw(st.sampled_from(["whole", "whole", "interrupted", "dead"])),
                    calls=tuple(draw(st.lists(WISH, max_size=3))) if role == "assistant" else (),
                    call_seq=answers if role == "tool" else None,
                    call_index=draw(st.integers(0, 2)) if role == "tool" else None,
                )
            )
    made.append(
        Message(
            conversation="c", seq=len(made) + 1, turn="now", role="user", content=draw(st.sampled_from(["", "now"]))
        )
    )
    return made


@given(lines(), st.sampled_from([None, "before"]))
@settings(max_examples=300, deadline=None)
def test_replay_of_any_messages_is_valid(line: list[Message], summary: str | None) -> None:
    made = build_request(line, summary, "(today)")
    assert protocol_errors(made) == []
    assert msgspec.json.encode(made) == msgspec.json.encode(build_request(list(line), summary, "(today)"))
    assert made[-1]["role"] == "user"


def test_replay_errors_of_each_fault_are_found() -> None:
    system, user, said = (
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": "a"},
    )
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    wish, result = (
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "r"},
    )
    good: list[list[dict[str, Any]]] = [
        [system, user],
        [system, user, said, user],
        [system, user, wish, result],
        [system, user, wish, result, said, user],
    ]
    bad: list[list[dict[str, Any]]] = [
        [system],
        [system, said, user],
        [system, user, user],
        [system, user, wish],
        [system, user, wish, user],
        [system, user, result],
        [system, user, wish, result, result],
        [system, user, wish, result, user],
        [system, user, said],
        [system, user, system],
        [system, {"role": "user", "content": " "}],
        [system, user, said, said, user],
        [system, user, wish, result, said, user, wish, result],
        [system, user, {**wish, "tool_calls": [{**call, "id": ""}]}, result],
    ]
    assert [protocol_errors(replay) for replay in good] == [[]] * len(good)
    assert [replay for replay in bad if not protocol_errors(replay)] == []


def test_replay_over_budget_keeps_the_newest_whole_turns(chat: Chat) -> None:
    for n in range(6):
        chat.say(f"message {n} " + "x" * 400, [f"answer {n} " + "y" * 400])
    read = chat(ReadReplay(conversation=chat.id, budget=500))
    line = complete_turns(read.messages)
    assert read.cut
    assert [message.content.split(" x")[0].split(" y")[0] for message in line] == [
        "message 4",
        "answer 4",
        "message 5",
        "answer 5",
    ]
    assert open_calls(read.messages) == []

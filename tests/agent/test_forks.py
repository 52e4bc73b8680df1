"""Summaries of older turns in a conversation and in its forks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.chat import Chat
from todo_cli.agent.messages import protocol_errors
from todo_cli.contract.conversations import ForkConversation
from todo_cli.contract.ids import new_id
from todo_cli.contract.turn_steps import ReadReplay
from todo_cli.llm.stream import Finished, TextDelta

BUDGET = 1_000
FAT = "x" * 600
"""About 160 tokens; a turn of it and of such an answer is a third of what fits."""


class Model:
    """Answers at length, and folds; it keeps what it was given to fold."""

    def __init__(self) -> None:
        self.folded: list[str] = []
        self.heads: list[str] = []

    async def __call__(self, messages: Any, tools: Any) -> Any:
        system, last = str(messages[0]["content"]), str(messages[-1]["content"])
        if system.startswith("Summarise"):
            self.folded.append(last)
            yield TextDelta(f"SUMMARY {len(self.folded)} of {sum(word.startswith('m') for word in last.split())}")
        else:
            assert protocol_errors(messages) == []
            self.heads.append(system)
            yield TextDelta("y" * 600)
        yield Finished("stop")


def talked(chat: Chat, model: Model, names: list[str], budget: int = BUDGET) -> None:
    for name in names:
        assert chat.say(f"{name} {FAT}", answer=model, budget_tokens=budget).state == "done"


def forked(chat: Chat, make_chat: Callable[..., Chat], at: int | None = None) -> Chat:
    made = chat(ForkConversation(number=chat.number, id=new_id(), at=at))
    return make_chat(conversation=made.id)


def read(chat: Chat) -> Any:
    return chat(ReadReplay(conversation=chat.id, budget=BUDGET))


def summaries(chat: Chat) -> list[Any]:
    return chat.db.execute(
        "SELECT reaches, content FROM todo.messages WHERE conversation_id = %s AND role = 'summary' ORDER BY seq",
        chat.id,
    )


def test_fork_after_a_summary_inherits_it(chat: Chat, make_chat: Callable[..., Chat]) -> None:
    model = Model()
    talked(chat, model, ["m1", "m2", "m3", "m4"])
    fork, point = forked(chat, make_chat), chat.replay()[-1].seq
    talked(chat, model, ["m5", "m6", "m7"])
    made, said = summaries(chat), len(model.folded)
    reaches, text = [summary for summary in made if summary[0] <= point][-1]
    assert made[-1][0] > point
    fork.say("short", answer=model, budget_tokens=BUDGET * 10)
    assert text in model.heads[-1]
    assert len(model.folded) == said  # nothing was made anew
    assert [message.seq for message in read(fork).messages if message.conversation == chat.id] == [
        *range(reaches + 1, point + 1)
    ]
    assert summaries(fork) == []


def test_fork_before_a_summary_makes_its_own(chat: Chat, make_chat: Callable[..., Chat]) -> None:
    model = Model()
    talked(chat, model, ["m1", "m2", "m3"], budget=100_000)
    ends = chat.db.execute("SELECT last FROM todo.turns WHERE conversation_id = %s ORDER BY asked", chat.id)
    fork = forked(chat, make_chat, ends[1][0])
    talked(chat, model, ["m4"])  # folds the first two turns, in the first conversation
    assert [one for one, _ in summaries(chat)] == [ends[1][0]]
    chat.db.execute("DELETE FROM todo.messages WHERE role = 'summary' AND conversation_id = %s", chat.id)
    before = chat.history()
    talked(fork, model, ["n1"])
    assert [one for one, _ in summaries(fork)] == [0]
    assert ("m1" in model.folded[-1], "m2" in model.folded[-1], "m3" in model.folded[-1]) == (True, True, False)
    assert "SUMMARY" in model.heads[-1]
    replay = read(fork)
    assert (replay.cut, {message.conversation for message in replay.messages}) == (False, {fork.id})
    assert (chat.history(), summaries(chat)) == (before, [])  # they share nothing
    other = forked(fork, make_chat)  # a fork of the fork inherits that too
    other.say("short", answer=model, budget_tokens=BUDGET * 10)
    assert summaries(fork)[0][1] in model.heads[-1]
    talked(fork, model, ["n2", "n3"])
    assert len(summaries(fork)) > 1
    assert model.folded[-1].startswith("Earlier:\nSUMMARY")


def test_summary_includes_messages_that_were_truncated_before(chat: Chat) -> None:
    model = Model()
    talked(chat, model, ["m1", "m2"], budget=100_000)
    chat.say("m3 " + "z" * 6_000, answer=model, budget_tokens=BUDGET)  # alone more than fits
    chat.say("m4", answer=model, budget_tokens=BUDGET)
    assert [name in " ".join(model.folded) for name in ("m1", "m2")] == [True, True]
    assert "SUMMARY" in model.heads[-1]


def test_compaction_of_long_messages_truncates_them(chat: Chat) -> None:
    model = Model()
    for n in range(3):
        chat.say(f"m{n} " + "z" * 3_900, answer=model, budget_tokens=100_000)
    chat.say("m3", answer=model, budget_tokens=BUDGET)
    assert len(model.folded[-1]) <= BUDGET * 3
    assert all(f"m{n}" in model.folded[-1] for n in range(3))

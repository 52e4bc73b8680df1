"""Stored messages on a terminal: `chat show` and /history as the live view, `chat search` as text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.support.chat_process import ChatProcess
from tests.support.fake_model import FakeModel
from tests.support.model_answers import call_answer, text_answer
from tests.support.terminal import Terminal
from todo_cli.cli.render.message_hits import choose_passages, strip_markdown
from todo_cli.contract.message_search import MessageHit, Passage


@pytest.fixture
def talker(make_talker: Callable[..., ChatProcess], model: FakeModel) -> ChatProcess:
    """A new user, over HTTP."""
    model.scripts.clear()
    return make_talker("api")


def run_on_terminal(talker: ChatProcess, *arguments: str, columns: int = 80) -> list[str]:
    """Return the lines that a command prints on a terminal."""
    screen = Terminal(talker.todo, *arguments, columns=columns, rows=50)
    screen.ended()
    return screen.lines


ADD_MILK = (
    call_answer(("add_task", {"title": "Buy milk"}), text="Let me *see*."),
    text_answer("**Added** it:\n\n", "- Buy milk\n- `more`"),
)
LIVE_VIEW = ["Let me see.", "  ✓ Added #1 Buy milk", "Added it:", "", " • Buy milk", " • more"]


def test_chat_show_on_a_terminal_looks_as_the_live_view_did(talker: ChatProcess) -> None:
    talker.script(*ADD_MILK)
    live = run_on_terminal(talker, "ask", "put milk on the list")
    assert live[: len(LIVE_VIEW)] == LIVE_VIEW
    end = "  4 · test-model · 7 + 3 tokens · just now"
    shown = run_on_terminal(talker, "chat", "show", "1")
    assert shown == ["1. put milk on the list", "", "  1 > put milk on the list", *LIVE_VIEW, end]
    talker.script(call_answer(("delete_task", {"number": 99})), text_answer("There is none."))
    talker("ask", "-c", "1", "delete 98\nand no other")
    later = run_on_terminal(talker, "chat", "show", "1")[len(shown) :]
    assert later[:3] == ["", "  5 > delete 98", "      and no other"]
    assert later[3].startswith("  ✗ rm ")
    assert later[-2] == "There is none."
    prompt = Terminal(talker.todo, "chat", "-c", "1", rows=50)
    prompt.prompted()
    prompt.say("/history", *LIVE_VIEW[2:3], end)
    prompt.child.close(force=True)


def test_chat_show_in_a_pipe_has_the_text_of_the_model_and_results_of_calls(talker: ChatProcess) -> None:
    talker.script(*ADD_MILK)
    talker("ask", "put milk on the list")
    assert talker("chat", "show", "1").lines == [
        "1. put milk on the list",
        "   1 you: put milk on the list",
        "   2 todo: Let me *see*.",
        "     ✓ Added #1 Buy milk",
        "   4 todo: **Added** it:",
        "    ",
        "    - Buy milk",
        "    - `more`",
    ]


def test_chat_show_of_a_call_that_waits_shows_the_call(talker: ChatProcess) -> None:
    talker("add", "one")
    talker.script(call_answer(("delete_task", {"number": 1})))
    assert talker("ask", "delete 1").code == 10
    lines = run_on_terminal(talker, "chat", "show", "1")
    assert any(line.startswith("  · rm ") for line in lines)
    assert "approve 1" in lines[-1]


def test_chat_search_on_a_terminal_shows_each_text_once_with_the_hit_marked(talker: ChatProcess) -> None:
    talker.script(*ADD_MILK, text_answer("The **milk** is\n\n`white`."))
    talker("ask", "milk")
    talker("ask", "-c", "1", "is milk white?")
    screen = Terminal(talker.todo, "chat", "search", "milk", rows=50)
    screen.ended()
    assert screen.lines[0] == "1  milk"  # the first message is the title
    passages = sorted(line.partition("just now: ")[2] for line in screen.lines[1:])
    assert passages == ["Added it: Buy milk more", "Buy milk", "The milk is white.", "is milk white?"]
    assert screen.raw.count("\x1b[1;7m") + screen.raw.count("\x1b[7;1m") == 5  # reverse, once in every line


def make_hit(seq: int, text: str, role: str = "assistant") -> MessageHit:
    """Return a message that was found."""
    return MessageHit(
        conversation=1,
        title="The title",
        seq=seq,
        role=role,  # type: ignore[arg-type]
        at=datetime(2026, 11, 27, 22, tzinfo=UTC),
        score=1,
        passage=Passage(text=text, parts=()),
    )


def test_choose_passages_leaves_repeated_texts_out() -> None:
    hits = [make_hit(1, "The  title", "user"), make_hit(2, "**Buy** milk"), make_hit(3, "Buy milk", "tool")]
    assert [(hit.seq, text) for hit, text in choose_passages(hits, "milk")] == [(2, "Buy milk")]
    assert choose_passages([make_hit(4, "see [here](https://milk.example)")], "milk")[0][1].endswith("milk.example)")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("**Added** #1 *Buy* `milk`.\n\n- a\n- b", "Added #1 Buy milk. a b"),
        ("# Head\none\ntwo\n\n```\ncode\n```", "Head one two code"),
        ("2 * 3 and my_var_x", "2 * 3 and my_var_x"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a b 1 2"),
        ("cut **in the", "cut **in the"),
    ],
)
def test_strip_markdown_keeps_the_words(source: str, text: str) -> None:
    assert strip_markdown(source) == text

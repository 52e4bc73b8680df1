"""The chat shows dates and signs as the user prefers them."""

from __future__ import annotations

import re

from tests.support.chat_process import ChatProcess
from tests.support.model_answers import call_answer, text_answer
from tests.support.terminal import Terminal

ABSOLUTE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")


def show(talker: ChatProcess, *arguments: str) -> str:
    """Return what the command shows on a terminal."""
    screen = Terminal(talker.todo, *arguments)
    screen.ended(0)
    return screen.text


def test_chat_in_plain_signs_and_absolute_dates_shows_nothing_else(talker: ChatProcess) -> None:
    talker("prefs", "--dates", "absolute", "--signs", "ascii")
    for title in ("one", "two"):
        talker("add", title, "--due", "2030-01-02")
    moves = [("update_task", {"number": number, "due": "2030-01-03"}) for number in (1, 2)]
    talker.script(call_answer(("list_tasks", {})), call_answer(*moves), text_answer("Both moved."))
    screen = Terminal(talker.todo, "ask", "move all to the third of January")
    screen.until("Do it?")
    screen.keys("y", "\r")
    screen.ended(0)
    assert "edit  #1 one  due 2030-01-02 -> 2030-01-03" in screen.text
    assert "ok Changed #2 two" in screen.text
    history, listed, found = (
        show(talker, "chat", "show", "1"),
        show(talker, "chat", "list"),
        show(talker, "chat", "search", "moved"),
    )
    assert "ok Changed #2 two" in history
    for text in (history, listed, found):
        assert ABSOLUTE.search(text), text
        assert "just now" not in text
    assert (screen.text + history + listed + found).isascii()

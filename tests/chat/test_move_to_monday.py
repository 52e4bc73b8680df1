"""The main use of `todo ask`: a request in words, one approval, the right tasks changed. Over each client, on a terminal."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pexpect
import pytest

from tests.support.chat_process import ChatProcess
from tests.support.model_answers import call_answer, text_answer

WISH = "move everything due today to monday, except the dentist"


def given(talker: ChatProcess) -> None:
    """Five tasks, four of them due today; and a model that looks, then moves three."""
    for title, due in (
        ("Pay rent", "today"),
        ("Dentist at 4", "today"),
        ("Call mum", "today"),
        ("Report", "tomorrow"),
        ("Buy milk", "today"),
    ):
        assert talker("add", title, "--due", due).code == 0
    moves = [("update_task", {"number": number, "due": "monday"}) for number in (1, 3, 5)]
    talker.script(call_answer(("list_tasks", {"due_before": "tomorrow"}), text="Let me look."), call_answer(*moves))


def due(talker: ChatProcess) -> dict[str, date]:
    """Every task's day."""
    rows = talker.db.execute("SELECT title, due_on FROM todo.tasks WHERE space_id = %s", talker.who.user_id)
    return {str(title): day for title, day in rows}


def right(before: dict[str, date], after: dict[str, date]) -> bool:
    """The three are due on the monday that comes; the dentist and the report are where they were."""
    today = before["Pay rent"]
    monday = today + timedelta(days=(7 - today.weekday()) or 7)
    moved = dict.fromkeys(("Pay rent", "Call mum", "Buy milk"), monday)
    return after == before | moved


@pytest.mark.parametrize("word", ["y", "n"])
def test_ask_on_a_terminal_of_eighty_columns_shows_the_plan(talker: ChatProcess, word: str) -> None:
    given(talker)
    before = due(talker)
    talker.script(
        text_answer("Moved ", "three tasks to Monday; the dentist stays.")
        if word == "y"
        else text_answer("Nothing was moved.")
    )
    child: Any = talker.spawn("ask", WISH, columns=80)
    child.expect_exact("(? explains) > ")
    shown = child.before
    assert [title in shown for title in ("#1 Pay rent", "#3 Call mum", "#5 Buy milk")] == [True] * 3
    assert shown.count("Dentist") == shown.count("Report") == 0
    assert due(talker) == before
    child.sendline(word)
    child.expect_exact("the dentist stays." if word == "y" else "Nothing was moved.")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert right(before, due(talker)) if word == "y" else due(talker) == before
    talker.model.assert_valid()
    if word == "y":
        assert talker("chat", "undo", "1").code == 0
        assert due(talker) == before


def test_ask_in_a_script_moves_the_tasks(talker: ChatProcess) -> None:
    given(talker)
    before = due(talker)
    talker.script(text_answer("Moved three tasks."))
    done = talker("ask", WISH, "--yes")
    assert (done.code, done.out) == (0, "Let me look.\nMoved three tasks.\n"), done.err
    assert right(before, due(talker))

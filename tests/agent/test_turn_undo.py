"""A turn is undone and redone as one unit, even when it contains an undo of its own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.chat import Chat
from todo_cli.contract.conversations import AnswerTurn, RedoTurn, UndoTurn
from todo_cli.contract.ids import new_id
from todo_cli.contract.journal import Redo, Undo
from todo_cli.contract.tasks import AddTask, CompleteTasks, EditTasks
from todo_cli.errors import Conflict, NotFound


@pytest.fixture
def three(chat: Chat) -> Chat:
    """Three tasks, of which the first two were finished, one after the other."""
    for title in ("a", "b", "c"):
        chat(AddTask(title=title))
    for number in (1, 2):
        chat(CompleteTasks(numbers=(number,)))
    return chat


def turn(chat: Chat, *rounds: Any) -> str:
    """A turn that is agreed to, each time that it asks."""
    one = new_id()
    ended = chat.say("as I say: 1, 2, 3", *rounds, ["Done."], turn=one)
    while ended.state == "awaiting":
        chat(AnswerTurn(turn=one, yes=True))
        ended = chat.say(None, *rounds, ["Done."], turn=one)
    assert ended.state == "done", ended
    return one


def states(chat: Chat) -> str:
    return "".join(status[0] + ("" if len(title) == 1 else "!") for _, title, status in chat.tasks())


TURNS: dict[str, tuple[list[Any], str]] = {
    "one undo": ([[["undo", {}]]], "doo"),
    "two undos": ([[["undo", {}]], [["undo", {}]]], "ooo"),
    "an undo and a redo": ([[["undo", {}]], [["redo", {}]]], "ddo"),
    "an undo, then a change": ([[["undo", {}]], [["complete_task", {"number": 3}]]], "dod"),
    "a change, then an undo": ([[["update_task", {"number": 3, "title": "cc"}]], [["undo", {"id": 4}]]], "odo!"),
    "nothing new": ([[["complete_task", {"number": 1}]]], "ddo"),
    "nothing new, then a change": ([[["complete_task", {"number": 1}]], [["complete_task", {"number": 3}]]], "ddd"),
    "only words": ([], "ddo"),
}


@pytest.mark.parametrize("name", TURNS)
def test_turn_undone_and_redone_restores_all(three: Chat, name: str) -> None:
    rounds, after = TURNS[name]
    one = turn(three, *rounds)
    length = len(three.history())
    assert states(three) == after
    for _ in range(2):
        key = new_id()
        for _ in range(2):  # the first answer may have been lost
            three(UndoTurn(turn=one), key)
            assert (states(three), three.history()) == ("ddo", [])
        key = new_id()
        for _ in range(2):
            three(RedoTurn(turn=one), key)
            assert (states(three), len(three.history())) == (after, length)


def test_turn_of_a_redo_alone_is_undone(three: Chat) -> None:
    three(Undo())
    one = turn(three, [["redo", {}]])
    assert states(three) == "ddo"
    three(UndoTurn(turn=one))
    assert states(three) == "doo"
    three(RedoTurn(turn=one))
    assert states(three) == "ddo"
    three(UndoTurn(turn=one))
    three(Redo())  # what the person's own undo took back
    assert states(three) == "ddo"


def test_redo_of_a_turn_that_was_not_undone_is_refused(three: Chat) -> None:
    one = turn(three, [["update_task", {"number": 3, "title": "cc"}]])
    with pytest.raises(NotFound, match="that turn has not been undone"):
        three(RedoTurn(turn=one))
    two = turn(three, [["undo", {"id": 5}]])
    with pytest.raises(Conflict, match="undone already"):
        three(RedoTurn(turn=two))
    assert states(three) == "doo!"


def test_undo_of_a_turn_with_a_conflict_changes_nothing(three: Chat) -> None:
    """Of two undos in it one cannot be taken back any more: neither is, and the words stay."""
    one = turn(three, [["undo", {}]], [["undo", {}]])
    three(EditTasks(numbers=(2,), title="bb"))
    before = three.history()
    with pytest.raises(Conflict, match="has changed since"):
        three(UndoTurn(turn=one))
    assert (states(three), three.history()) == ("oo!o", before)


def test_dry_run_of_a_turn_undo_shows_every_change(three: Chat) -> None:
    one = turn(three, [["undo", {}]], [["undo", {}]])
    shown = three(UndoTurn(turn=one, dry_run=True))
    assert [each.number for each in shown.differences] == [1, 2]
    assert (states(three), shown.seq) == ("ooo", None)

"""The order by hand, over both clients."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from tests.conftest import Database
from tests.support.ask import Ask
from todo_cli.contract.journal import ListChanges, Redo, Undo
from todo_cli.contract.order import MoveTasks, SortTasks
from todo_cli.contract.tasks import CompleteTasks, ListTasks
from todo_cli.contract.trash import DeleteTasks
from todo_cli.errors import Conflict, Invalid, NotFound


def list_by_hand(ask: Ask, **more: Any) -> list[int]:
    """Return the numbers of the open tasks in the order by hand, read page by page."""
    numbers: list[int] = []
    cursor = None
    while True:
        page = ask(ListTasks(**({"sort": "position", "limit": 3, "cursor": cursor} | more)))
        numbers += [task.number for task in page.tasks]
        cursor = page.next
        if cursor is None:
            return numbers


def move(ask: Ask, *numbers: int, **place: Any) -> tuple[str | None, ...]:
    """Move tasks and return their positions."""
    return tuple(task.position for task in ask(MoveTasks(numbers=numbers, **place)).tasks)


def test_moved_tasks_stand_where_they_were_put(ask: Ask) -> None:
    ask.add_all(*"abcdefg")
    assert list_by_hand(ask) == [1, 2, 3, 4, 5, 6, 7]
    assert move(ask, 6, before=3) == ("2.5",)
    assert list_by_hand(ask) == [1, 2, 6, 3, 4, 5, 7]
    assert move(ask, 1, behind=7) == ("7.5",)
    move(ask, 5, 4, first=True)
    move(ask, 2, last=True)
    ask.add("h")
    assert list_by_hand(ask) == [5, 4, 6, 3, 7, 1, 2, 8]
    assert list_by_hand(ask, sort="-position") == [8, 2, 1, 7, 3, 6, 4, 5]
    assert list_by_hand(ask, status="all") == list_by_hand(ask)
    assert list_by_hand(ask, sort="position,due") == list_by_hand(ask)
    assert ask.show(6).position == "2.5"


def test_move_writes_one_row_and_is_undone(ask: Ask) -> None:
    ask.add_all(*"abcd")
    move(ask, 4, before=2)
    [change] = ask(ListChanges(limit=1)).changes
    assert [(one.number, one.fields) for one in change.differences] == [(4, {"position": (None, "1.5")})]
    ask(Undo())
    assert list_by_hand(ask) == [1, 2, 3, 4]
    ask(Redo())
    assert list_by_hand(ask) == [1, 4, 2, 3]
    move(ask, 4, behind=3)
    assert list_by_hand(ask) == [1, 2, 3, 4]


def test_sorted_tasks_exchange_their_places_alone(ask: Ask) -> None:
    for title, due in (("d", "2030-01-04"), ("x", None), ("b", "2030-01-02"), ("a", "2030-01-01"), ("y", None)):
        ask.add(title, due=due)
    sorting = SortTasks(numbers=(1, 3, 4), by="due")
    assert [task.number for task in ask(sorting).tasks] == [4, 3, 1]
    assert list_by_hand(ask) == [4, 2, 3, 1, 5]
    ask(SortTasks(filter="status:open", by="-title"))
    assert list_by_hand(ask) == [5, 2, 1, 3, 4]
    ask(Undo())
    ask(Undo())
    assert list_by_hand(ask) == [1, 2, 3, 4, 5]


def test_many_moves_into_one_gap_keep_the_order(ask: Ask) -> None:
    ask.add_all(*"abcdef")
    chance, expected = random.Random(7), [1, 2, 3, 4, 5, 6]
    for _ in range(160):
        moved, anchor = chance.sample((2, 3, 4), 2)
        expected.remove(moved)
        place = chance.choice(("before", "behind"))
        expected.insert(expected.index(anchor) + (place == "behind"), moved)
        move(ask, moved, **{place: anchor})
    assert list_by_hand(ask, limit=50) == expected
    longest = max(len(task.position or "") for task in ask(ListTasks()).tasks)
    assert longest <= 45


def test_crowded_tasks_are_spread_anew(ask: Ask, db: Database) -> None:
    ask.add_all(*"abcdefg")
    move(ask, 3, 4, 5, 6, before=2)
    db.execute(
        "UPDATE todo.tasks SET position = 1 + number * 1e-50 WHERE number BETWEEN 3 AND 6 AND space_id ="
        " (SELECT space_id FROM todo.members WHERE user_id = %s LIMIT 1)",
        ask.who.user_id,
    )
    assert list_by_hand(ask) == [1, 3, 4, 5, 6, 2, 7]
    answer = ask(MoveTasks(numbers=(7, 2), behind=4))
    assert [task.number for task in answer.tasks] == [7, 2]
    assert list_by_hand(ask) == [1, 3, 4, 7, 2, 5, 6]
    assert max(len(task.position or "") for task in ask(ListTasks()).tasks) < 5
    ask(Undo())
    assert list_by_hand(ask) == [1, 3, 4, 5, 6, 2, 7]
    assert ask(MoveTasks(numbers=(7,), before=4)).tasks[0].number == 7
    assert list_by_hand(ask) == [1, 3, 7, 4, 5, 6, 2]


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (MoveTasks(numbers=(1,)), Invalid),
        (MoveTasks(numbers=(1,), first=True, last=True), Invalid),
        (MoveTasks(numbers=(1, 2), before=2), Invalid),
        (MoveTasks(numbers=(1,), before=9), NotFound),
        (MoveTasks(numbers=(9,), first=True), NotFound),
        (MoveTasks(numbers=(1,), behind=3), Conflict),
        (SortTasks(numbers=(1, 2), by="rank"), Invalid),
        (SortTasks(numbers=(1, 2), by="colour"), Invalid),
    ],
)
def test_move_to_an_impossible_place_is_refused(ask: Ask, request_: Any, error: type[Exception]) -> None:
    ask.add_all("a", "b", "c")
    ask(DeleteTasks(numbers=(3,)))
    with pytest.raises(error):
        ask(request_)
    assert list_by_hand(ask) == [1, 2]


def test_next_occurrence_takes_the_place_of_the_one_before(ask: Ask) -> None:
    ask.add("a")
    ask.add("daily", due="2030-01-01", every="every day")
    ask.add("b")
    [place] = move(ask, 2, first=True)
    following = ask(CompleteTasks(numbers=(2,))).tasks[-1]
    assert (following.position, list_by_hand(ask)) == (place, [4, 1, 3])
    assert Decimal(move(ask, 3, before=4)[0] or 0) < Decimal(place or 0)

"""Which tasks a write is about, and when it is refused, without a database."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.task_rows import NOW, make_loaded, make_row, want
from todo_cli.contract.limits import MAX_CHANGE_BYTES
from todo_cli.core.tasks.load import LaterChange, TaskFilter, Wanted
from todo_cli.core.tasks.load_sql import TargetSql
from todo_cli.core.tasks.select import name_tasks, select_rows
from todo_cli.errors import Conflict, Invalid, NotFound

FILTER = Wanted(filter=TaskFilter(TargetSql("true"), {}, "#home"))


def test_named_tasks_come_in_the_order_in_which_they_were_named() -> None:
    rows = [make_row(number) for number in (1, 2, 3)]
    assert [row.number for row in select_rows(make_loaded(*rows), Wanted(numbers=(3, 1, 2)))] == [3, 1, 2]


def test_subtasks_follow_the_named_tasks_by_number() -> None:
    rows = [make_row(number) for number in (9, 4, 2)]
    assert [row.number for row in select_rows(make_loaded(*rows), Wanted(numbers=(4,)))] == [4, 2, 9]


def test_missing_tasks_raise_not_found_with_their_numbers() -> None:
    with pytest.raises(NotFound, match="tasks #8, #7 do not exist; nothing was changed") as caught:
        select_rows(make_loaded(make_row(1)), Wanted(numbers=(8, 1, 7)))
    assert caught.value.extra["numbers"] == [8, 7]


def test_trashed_tasks_raise_conflict_unless_allowed() -> None:
    row = make_row(status="deleted")
    with pytest.raises(Conflict, match="task #1 is in the trash; nothing was changed"):
        select_rows(make_loaded(row), want(row))
    assert select_rows(make_loaded(row), want(row), allow_trashed=True) == [row]


def test_task_that_moved_on_raises_conflict_with_what_changed() -> None:
    row = make_row(title="new", rev=5, updated_at=NOW, due_at=NOW)
    expected = {"number": 1, "title": "old", "status": "open", "priority": 4}
    later = LaterChange(number=1, user="ann", expected=expected)
    loaded = make_loaded(row, later_changes=[later], zone="Asia/Tokyo")
    with pytest.raises(Conflict) as caught:
        select_rows(loaded, want(row, if_rev=4))
    assert caught.value.detail == (
        "task #1 has moved on to rev 5, changed by ann at 2026-11-28 07:00"
        " (title: old → new, due: none → 2026-11-28 07:00); nothing was changed"
    )
    assert caught.value.extra["changed"] == {"title": ["old", "new"], "due": [None, "2026-11-27T22:00:00Z"]}
    assert select_rows(loaded, want(row, if_rev=5)) == [row]


def test_task_that_moved_on_from_an_unknown_rev_says_when() -> None:
    row = make_row(rev=5, updated_at=NOW - timedelta(days=1))
    with pytest.raises(Conflict, match="changed by somebody at 2026-11-26 22:00; nothing was changed"):
        select_rows(make_loaded(row), want(row, if_rev=4))


def test_filter_without_matches_raises_not_found() -> None:
    with pytest.raises(NotFound, match="no task matches '#home'"):
        select_rows(make_loaded(found=0), FILTER)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"found": 10_001, "matching": 12_345}, "matches 12,345 tasks; at most 10,000"),
        ({"found": 10_001}, "matches 10,001 tasks"),
        ({"found": 3, "is_vague": True}, "occur in 10,000 tasks or more"),
        ({"found": 3, "bytes": MAX_CHANGE_BYTES + 1}, "larger than 64 MB together"),
    ],
)
def test_too_much_raises_invalid(members: dict[str, int], message: str) -> None:
    with pytest.raises(Invalid, match=message):
        select_rows(make_loaded(**members), FILTER)


def test_name_tasks_names_ten_at_most() -> None:
    assert name_tasks([3]) == "task #3"
    assert name_tasks([3, 4]) == "tasks #3, #4"
    assert name_tasks(range(1, 13)).endswith("#9, #10 and 2 more")

"""Recurring tasks over both clients: one row per occurrence, each created once whatever happens."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec import UNSET

from tests.support.ask import Ask
from tests.support.series import MONDAY, done, dues, every
from todo_cli.contract.base import Request
from todo_cli.contract.claims import ClaimTask
from todo_cli.contract.comments import AddComment
from todo_cli.contract.ids import new_id
from todo_cli.contract.journal import Redo, Undo
from todo_cli.contract.tasks import AddTask, AddTasks, CompleteTasks, EditTasks, ListTasks, NewTask, ReopenTasks
from todo_cli.contract.time_tracking import SkipTasks, StartTasks
from todo_cli.errors import Conflict


def test_complete_creates_the_next_occurrence_once(ask: Ask) -> None:
    ask.add("Other")
    made = every(ask, project="home", tags=("a", "b"), priority=1, note="n", parent=1, after=(1,))
    assert made.repeat
    assert (made.repeat.series, made.repeat.occurrence, made.repeat.rule) == (made.id, 1, "FREQ=WEEKLY")
    result = done(ask, 2)
    assert [(task.number, task.status) for task in result.tasks] == [(2, "done"), (3, "open")]
    following = ask.show(3)
    assert following.repeat
    assert (following.repeat.series, following.repeat.occurrence) == (made.id, 2)
    assert (following.title, following.due, following.project) == ("Water", "2030-01-14", "home")
    assert (following.tags, following.priority, following.note, following.parent) == (("a", "b"), 1, "n", 1)
    assert (following.after, following.completed_at, following.tracked) == ((), None, 0)
    again = done(ask, 2)
    assert [task.number for task in again.tasks] == [2]
    ask(EditTasks(numbers=(3,), title="Water well"))
    ask(ReopenTasks(numbers=(2,)))
    assert [task.number for task in done(ask, 2).tasks] == [2], "its next is there already"
    assert ask.add("x").number == 4


def statuses(ask: Ask) -> list[str]:
    """Return the statuses of all tasks by number."""
    return [task.status for task in ask(ListTasks(status="all", sort="created")).tasks]


def test_reopen_takes_back_the_untouched_next_occurrence_in_one_change(ask: Ask) -> None:
    every(ask)
    done(ask, 1)
    reopened = ask(ReopenTasks(numbers=(1,)))
    assert [(task.number, task.status) for task in reopened.tasks] == [(1, "open"), (2, "deleted")]
    assert (reopened.open_next, statuses(ask)) == (UNSET, ["open", "deleted"])
    ask(Undo())
    assert statuses(ask) == ["done", "open"]
    ask(Redo())
    assert statuses(ask) == ["open", "deleted"]
    assert [(task.number, task.status) for task in done(ask, 1).tasks] == [(1, "done"), (2, "open")]
    assert dues(ask) == [(2, "2030-01-14")]


def test_reopen_after_a_redone_completion_takes_back_the_next_occurrence(ask: Ask) -> None:
    every(ask)
    done(ask, 1)
    ask(Undo())
    ask(Redo())
    assert statuses(ask) == ["done", "open"]
    ask(ReopenTasks(numbers=(1,)))
    assert statuses(ask) == ["open", "deleted"]


TOUCHES: dict[str, tuple[Request[Any], ...]] = {
    "edited": (EditTasks(numbers=(2,), title="x"),),
    "started": (StartTasks(numbers=(2,)),),
    "claimed": (ClaimTask(number=2),),
    "skipped": (SkipTasks(numbers=(2,)),),
    "commented": (AddComment(number=2, id=new_id(), text="x"),),
    "given a subtask": (AddTask(title="x", parent=2),),
    "awaited": (AddTask(title="x", after=(2,)),),
}


@pytest.mark.parametrize("touch", TOUCHES)
def test_reopen_leaves_a_touched_next_occurrence_open_and_names_it(ask: Ask, touch: str) -> None:
    every(ask)
    done(ask, 1)
    for request in TOUCHES[touch]:
        ask(request)
    reopened = ask(ReopenTasks(numbers=(1,)))
    assert ([task.number for task in reopened.tasks], reopened.open_next) == ([1], (2,))
    assert statuses(ask)[:2] == ["open", "open"]


def test_reopen_of_an_occurrence_whose_next_is_done_names_none(ask: Ask) -> None:
    every(ask)
    done(ask, 1)
    done(ask, 2)
    assert ask(ReopenTasks(numbers=(1,))).open_next is UNSET
    assert statuses(ask) == ["open", "done", "open"]


def test_complete_with_known_key_answers_both_tasks(ask: Ask) -> None:
    every(ask)
    first = ask(CompleteTasks(numbers=(1,)), "k")
    again = ask(CompleteTasks(numbers=(1,)), "k")
    assert (again.tasks, again.new, dues(ask)) == (first.tasks, False, [(2, "2030-01-14")])


def test_undo_trashes_the_next_occurrence_and_completing_restores_it(ask: Ask) -> None:
    every(ask)
    done(ask, 1)
    ask(Undo())
    assert (dues(ask), ask.show(2).status) == ([(1, MONDAY)], "deleted")
    ask(Redo())
    assert dues(ask) == [(2, "2030-01-14")]
    ask(Undo())
    ask(EditTasks(numbers=(1,), title="Water all"))
    result = done(ask, 1)
    assert [(task.number, task.title) for task in result.tasks] == [(1, "Water all"), (2, "Water all")]
    assert dues(ask) == [(2, "2030-01-14")]
    done(ask, 2)
    with pytest.raises(Conflict, match="#2 Water all has changed since"):
        ask(Undo(id=result.seq))


def test_complete_many_creates_every_next_occurrence(ask: Ask) -> None:
    ask(AddTasks(tasks=tuple(NewTask(title=f"t{n}", every="daily", due=MONDAY) for n in range(60))))
    ask.add("once")
    result = done(ask, *range(1, 62))
    assert len(result.tasks) == 61 + 60
    assert {task.due for task in result.tasks[61:]} == {"2030-01-08"}
    ask(Undo())
    assert len(dues(ask)) == 50  # a page
    assert {ask.show(n).status for n in (1, 61, 62, 121)} == {"open", "deleted"}


@pytest.mark.parametrize(
    ("words", "due", "expected"),
    [
        ("every month", "2030-01-31", ["2030-02-28", "2030-03-31", "2030-04-30"]),
        ("every 2 weeks on mon", MONDAY, ["2030-01-21", "2030-02-04"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", "2030-01-25", ["2030-02-22", "2030-03-29"]),
        ("every year", "2028-02-29", ["2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]),
        ("every day", "2030-03-30 02:30", ["2030-03-31T01:30:00Z", "2030-04-01T00:30:00Z"]),  # the clock goes forward
    ],
)
def test_series_has_the_dates_of_its_rule(ask: Ask, words: str, due: str, expected: list[str]) -> None:
    every(ask, words, due)
    found = [done(ask, number).tasks[1].due for number in range(1, len(expected) + 1)]
    assert found == expected


def test_complete_late_occurrence_skips_missed_dates(ask: Ask) -> None:
    today = datetime.now(UTC).date()
    every(ask, "every day", (today - timedelta(days=20)).isoformat())
    following = done(ask, 1).tasks[1].due
    assert following
    assert abs((date.fromisoformat(following) - today).days) <= 1


def test_series_from_completion_counts_from_that_day(ask: Ask) -> None:
    every(ask, "every! 3 days", "2020-01-01")
    following = done(ask, 1).tasks[1]
    assert following.due
    assert following.repeat
    assert following.repeat.from_done
    assert abs((date.fromisoformat(following.due) - datetime.now(UTC).date()).days - 3) <= 1


def test_recurring_task_without_due_date_gets_the_first(ask: Ask) -> None:
    made = every(ask, "every day", None)
    assert made.due
    assert abs((date.fromisoformat(made.due) - datetime.now(UTC).date()).days) <= 1
    ask.add("later")
    edited = ask(EditTasks(numbers=(2,), every="every day")).tasks[0]
    assert (edited.due, edited.repeat is not None) == (made.due, True)


def test_series_ends_after_its_count_or_date(ask: Ask) -> None:
    every(ask, "every day for 2 times")
    every(ask, "every week until 2030-01-14")
    for number in (1, 2):
        assert done(ask, number).ended is UNSET
    for number in (3, 4):
        with pytest.raises(Conflict, match=f"task #{number} is the last of its series"):
            ask(SkipTasks(numbers=(number,)))
    result = done(ask, 3, 4)
    assert (result.ended, dues(ask)) == ((3, 4), [])


def test_skip_moves_the_occurrence_to_its_next_date(ask: Ask) -> None:
    every(ask)
    assert ask(SkipTasks(numbers=(1,))).tasks[0].due == "2030-01-14"
    assert ask(SkipTasks(numbers=(1,))).tasks[0].due == "2030-01-21"
    ask(Undo())
    assert done(ask, 1).tasks[1].due == "2030-01-21"
    with pytest.raises(Conflict, match="task #1 is done"):
        ask(SkipTasks(numbers=(1,)))
    ask(EditTasks(numbers=(2,), title="x"))
    ask(ReopenTasks(numbers=(1,)))
    with pytest.raises(Conflict, match="exists already: #2"):
        ask(SkipTasks(numbers=(1,)))
    ask.add("once")
    with pytest.raises(Conflict, match="task #3 does not recur"):
        ask(SkipTasks(numbers=(2, 3)))

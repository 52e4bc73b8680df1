"""The clock of a task, deferral, and the ends of the calendar, over both clients."""

from __future__ import annotations

import pytest

from tests.conftest import Database
from tests.support.ask import Ask
from tests.support.task_requests import edit
from todo_cli.contract.journal import ListChanges, Redo, Undo
from todo_cli.contract.tasks import AddTask, CompleteTasks
from todo_cli.contract.time_tracking import SkipTasks, StartTasks, StopTasks
from todo_cli.errors import Conflict, Invalid, NotFound


def test_stop_adds_the_time_since_start(ask: Ask, db: Database) -> None:
    ask.add("a")
    started = ask(StartTasks(numbers=(1,))).tasks[0]
    assert started.started_at == started.updated_at
    again = ask(StartTasks(numbers=(1,))).tasks[0]
    assert again == started, "it goes on"
    _turn_back(db, ask, 3600)
    stopped = ask(StopTasks(numbers=(1,))).tasks[0]
    assert (stopped.started_at, stopped.tracked // 10) == (None, 360)
    assert ask(StopTasks(numbers=(1,))).tasks[0] == stopped
    ask(StartTasks(numbers=(1,)))
    _turn_back(db, ask, 60)
    done = ask(CompleteTasks(numbers=(1,))).tasks[0]
    assert (done.started_at, done.tracked // 10) == (None, 366)
    ask(Undo())
    back = ask.show(1)
    assert (back.status, back.tracked, back.started_at is not None) == ("open", stopped.tracked, True)


def _turn_back(db: Database, ask: Ask, seconds: int) -> None:
    """Move the start of work on a task into the past."""
    db.execute(
        "UPDATE todo.tasks SET started_at = started_at - make_interval(secs => %s) WHERE space_id = %s AND number = 1",
        seconds,
        ask.who.user_id,
    )


def test_undo_and_redo_restore_the_clock(ask: Ask) -> None:
    ask.add("a")
    began = ask(StartTasks(numbers=(1,))).tasks[0].started_at
    ask(Undo())
    assert ask.show(1).started_at is None
    ask(Redo())
    assert ask.show(1).started_at == began
    ask(StopTasks(numbers=(1,)))
    ask(Undo())
    assert (ask.show(1).started_at, ask.show(1).tracked) == (began, 0)


def test_stop_without_numbers_stops_all_started_tasks(ask: Ask) -> None:
    with pytest.raises(NotFound, match="no task is started"):
        ask(StopTasks())
    ask.add_all("a", "b", "c")
    ask(StartTasks(numbers=(3, 1)))
    assert sorted(task.number for task in ask(StopTasks()).tasks) == [1, 3]
    assert {ask.show(n).started_at for n in (1, 2, 3)} == {None}


def test_start_of_a_done_task_is_refused(ask: Ask) -> None:
    ask.add("a")
    ask(CompleteTasks(numbers=(1,)))
    with pytest.raises(Conflict, match="task #1 is done; nothing was changed") as refused:
        ask(StartTasks(numbers=(1,)))
    assert "todo reopen 1" in refused.value.hint
    for request in (StartTasks(numbers=(9,)), StopTasks(numbers=(9,)), SkipTasks(numbers=(9,))):
        with pytest.raises(NotFound, match="task #9 does not exist"):
            ask(request)


def test_log_shows_parent_blockers_and_dates(ask: Ask) -> None:
    ask.add_all("a", "b")
    edit(ask, 2, parent=1, after=(1,), defer="2030-01-01")
    assert ask(ListChanges(limit=1)).changes[0].differences[0].fields == {
        "parent": (None, 1),
        "after": ([], [1]),
        "defer": (None, "2030-01-01"),
    }
    with pytest.raises(Conflict, match=r"parent: none → 1, after: none → 1, defer: none → 2030-01-01"):
        edit(ask, 2, title="x", if_rev=1)


@pytest.mark.parametrize("when", ["0001-01-02", "9999-12-30"])
def test_dates_at_the_ends_of_the_calendar_are_stored(ask: Ask, when: str) -> None:
    made = ask.add("a", due=when, defer=when, scheduled=when)
    assert (made.due, made.defer, made.scheduled) == (when,) * 3


@pytest.mark.parametrize("field", ["defer", "scheduled"])
def test_invalid_date_is_refused(ask: Ask, field: str) -> None:
    for bad in ("31 february", "never", "0001-01-01", ""):
        with pytest.raises(Invalid):
            ask(AddTask(title="x", **{field: bad}))  # type: ignore[arg-type]
    ask.add("y")
    edit(ask, 1, **{field: "2030-01-01"})
    edit(ask, 1, **{field: None})
    assert (ask.show(1).defer, ask.show(1).scheduled) == (None, None)

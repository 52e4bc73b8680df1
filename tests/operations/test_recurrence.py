"""Recurring tasks over both clients: one row per occurrence, each created once whatever happens."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec import UNSET

from tests.conftest import Database
from tests.support.ask import Ask, AskAs
from todo_cli.contract.base import Request
from todo_cli.contract.claims import ClaimTask
from todo_cli.contract.comments import AddComment
from todo_cli.contract.ids import new_id
from todo_cli.contract.journal import ListChanges, Redo, Undo
from todo_cli.contract.tasks import (
    AddTask,
    AddTasks,
    Changed,
    CompleteTasks,
    DeleteTasks,
    EditTasks,
    ListTasks,
    NewTask,
    ReopenTasks,
    RestoreTasks,
    Task,
)
from todo_cli.contract.time_tracking import SkipTasks, StartTasks
from todo_cli.errors import Conflict, Invalid, NotFound, TodoError

MONDAY = "2030-01-07"


def every(ask: Ask, words: str = "every week", due: str | None = MONDAY, **fields: Any) -> Task:
    """Add a recurring task."""
    return ask.add("Water", every=words, due=due, **fields)


def done(ask: Ask, *numbers: int) -> Changed:
    """Complete tasks."""
    return ask(CompleteTasks(numbers=numbers))


def dues(ask: Ask) -> list[tuple[int, str | None]]:
    """Return number and date of open tasks."""
    return [(task.number, task.due) for task in ask(ListTasks(sort="created")).tasks]


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


def test_edit_changes_the_series_and_a_date_this_occurrence_alone(ask: Ask) -> None:
    every(ask, defer="2030-01-05", tags=("a",))
    ask(EditTasks(numbers=(1,), title="Feed", due="2030-01-09", defer="2030-01-08", add_tags=("b",)))
    following = done(ask, 1).tasks[1]
    assert (following.title, following.due, following.defer) == ("Feed", "2030-01-14", "2030-01-12")
    assert following.tags == ("a", "b")


def test_edit_of_this_occurrence_leaves_the_series(ask: Ask) -> None:
    every(ask, tags=("a",), priority=1)
    ask(EditTasks(numbers=(1,), title="Feed", add_tags=("b",), priority=None, project="p", occurrences="this"))
    assert ask.show(1).title == "Feed"
    ask(EditTasks(numbers=(1,), project="q"))
    following = done(ask, 1).tasks[1]
    assert (following.title, following.tags, following.priority) == ("Water", ("a",), 1)
    assert following.project == "q", "an edit for those to come takes back what was hidden"
    last = done(ask, 2).tasks[1]
    assert (last.title, last.project) == ("Water", "q")


def test_edit_of_all_occurrences_moves_the_series(ask: Ask) -> None:
    every(ask)
    ask(EditTasks(numbers=(1,), due="2030-01-09", defer="2030-01-08", occurrences="all"))
    following = done(ask, 1).tasks[1]
    assert (following.due, following.defer) == ("2030-01-16", "2030-01-15")


def test_recurrence_is_set_changed_and_cleared(ask: Ask) -> None:
    ask.add("a", due=MONDAY)
    ask(EditTasks(numbers=(1,), every="every day"))
    ask(EditTasks(numbers=(1,), every="every month"))
    assert done(ask, 1).tasks[1].due == "2030-02-07"
    ask(EditTasks(numbers=(2,), every=None))
    assert ask.show(2).repeat is None
    assert len(done(ask, 2).tasks) == 1
    ask(Undo())
    ask(Undo())
    following = done(ask, 2).tasks[1]
    assert (following.due, following.repeat and following.repeat.occurrence) == ("2030-03-07", 3)
    with pytest.raises(Invalid, match="needs a due date"):
        ask(EditTasks(numbers=(3,), every="every day", due=None))


@pytest.mark.parametrize(
    "words",
    [
        "every",
        "every never",
        "FREQ=SECONDLY",
        "every 0 days",
        "FREQ=DAILY;COUNT=0",
        "every 31 february",
        "every day until 2001-01-01",
        "x" * 500,
    ],
)
def test_skip_of_a_task_that_does_not_recur_is_refused(ask: Ask, words: str) -> None:
    with pytest.raises(Invalid):
        ask(AddTask(title="x", every=words))
    ask.add("y")
    with pytest.raises(Invalid):
        ask(EditTasks(numbers=(1,), every=words))


def test_series_ends_at_the_end_of_the_calendar(ask: Ask) -> None:
    every(ask, "every day", "9999-12-29")
    assert done(ask, 1).tasks[1].due == "9999-12-30"
    result = done(ask, 2)
    assert (len(result.tasks), result.ended) == (1, (2,))


def test_complete_concurrently_creates_the_next_once(ask: Ask, ask_as: AskAs) -> None:
    every(ask)
    machines = [ask_as(ask.who) for _ in range(6)]
    for occurrence in range(1, 4):
        with ThreadPoolExecutor(6) as pool:
            results = list(pool.map(lambda one, number=occurrence: one(CompleteTasks(numbers=(number,))), machines))
        assert sum(len(result.tasks) for result in results) == 7, "one made the next"
    assert dues(ask) == [(4, "2030-01-28")]


def test_complete_with_a_refused_task_changes_none(ask: Ask) -> None:
    every(ask)
    with pytest.raises(NotFound, match="#9"):
        done(ask, 1, 9)
    assert dues(ask) == [(1, MONDAY)]
    with pytest.raises(Conflict, match="moved on"):
        ask(CompleteTasks(numbers=(1,), if_rev=9))


def test_restored_occurrence_recurs_on(ask: Ask) -> None:
    every(ask)
    ask(DeleteTasks(numbers=(1,)))
    with pytest.raises(Conflict, match="in the trash"):
        done(ask, 1)
    ask(RestoreTasks(numbers=(1,)))
    assert done(ask, 1).tasks[1].number == 2


def steps(ask: Ask, chance: random.Random, count: int) -> None:
    """Do so many random writes to a series. A refusal must be a TodoError with a reason."""
    for _ in range(count):
        number = chance.randint(1, len(_rows(ask)))
        requests = (
            CompleteTasks(numbers=(number,)),
            CompleteTasks(numbers=(number,)),
            ReopenTasks(numbers=(number,)),
            Undo(),
            Redo(),
            SkipTasks(numbers=(number,)),
            EditTasks(numbers=(number,), title=f"t{chance.random()}"),
            EditTasks(
                numbers=(number,), due=f"2030-02-{chance.randint(1, 28):02}", occurrences=chance.choice(("this", "all"))
            ),
            DeleteTasks(numbers=(number,)),
            RestoreTasks(numbers=(number,)),
        )
        request = chance.choice(requests)
        try:
            ask(request)
        except (Conflict, NotFound):
            continue
        if isinstance(request, CompleteTasks):
            held = {row[0] for row in _rows(ask) if row[1] != "deleted"}
            place = next(row[0] for row in _rows(ask) if row[2] == number)
            assert place + 1 in held or max(row[0] for row in _rows(ask)) > place, request


def _rows(ask: Ask) -> list[tuple[int, str, int]]:
    tasks = ask(ListTasks(status="all", limit=1000)).tasks
    return [(task.repeat.occurrence, task.status, task.number) for task in tasks if task.repeat]


def _whole(ask: Ask) -> None:
    places = sorted(row[0] for row in _rows(ask))
    assert places == list(range(1, len(places) + 1)), "each occurrence once, and none is missing"


@pytest.mark.parametrize("seed", range(4))
def test_any_sequence_of_writes_keeps_each_occurrence_once(ask_as: AskAs, db: Database, way: str, seed: int) -> None:
    ask = ask_as(db.person())
    every(ask, "every day")
    steps(ask, random.Random(f"{way}{seed}"), 25)  # a seed, no secret
    _whole(ask)
    assert all(change.verb for change in ask(ListChanges()).changes)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(40))
def test_any_longer_sequence_of_writes_keeps_each_occurrence_once(
    ask_as: AskAs, db: Database, way: str, seed: int
) -> None:
    ask = ask_as(db.person())
    every(ask, "every day")
    steps(ask, random.Random(f"long{way}{seed}"), 120)  # a seed, no secret
    _whole(ask)


def test_any_refusal_is_a_todo_error(ask: Ask) -> None:
    for request in (SkipTasks(numbers=()), CompleteTasks(numbers=(2**63,))):
        with pytest.raises(TodoError):
            ask(request)


def test_recurrence_in_another_zone_keeps_to_its_clocks_over_daylight_saving(ask: Ask) -> None:
    made = ask.add("Standup", every="every day at 9am America/New_York", due="2027-03-13T14:00:00Z")
    assert (made.repeat and made.repeat.zone, ask.show(1).repeat) == ("America/New_York", made.repeat)
    dues = [done(ask, number).tasks[1].due for number in (1, 2)]
    assert dues == ["2027-03-14T13:00:00Z", "2027-03-15T13:00:00Z"], "daylight saving begins there on 14 March"


def test_quick_add_reads_a_zone_beside_the_rule(ask: Ask) -> None:
    task = ask(AddTask(title="Call 10:00 America/New_York every monday", parse=True))
    assert task.repeat
    assert (task.title, task.repeat.rule, task.repeat.zone) == (
        "Call",
        "FREQ=WEEKLY;BYDAY=MO;BYHOUR=10;BYMINUTE=0",
        "America/New_York",
    )
    home = ask(AddTask(title="Gym every day at 9am", parse=True))
    assert home.repeat
    assert home.repeat.zone == "Europe/Berlin"

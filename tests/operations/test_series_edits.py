"""Edits of a recurring task: of this occurrence, and of the series."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import Database
from tests.support.ask import Ask, AskAs
from tests.support.series import MONDAY, done, dues, every
from todo_cli.contract.journal import ListChanges, Redo, Undo
from todo_cli.contract.tasks import AddTask, CompleteTasks, EditTasks, ListTasks, ReopenTasks
from todo_cli.contract.time_tracking import SkipTasks
from todo_cli.contract.trash import DeleteTasks, RestoreTasks
from todo_cli.errors import Conflict, Invalid, NotFound, TodoError


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

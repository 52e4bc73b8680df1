"""Lists over both clients: filters, time zones, sorts, and pages that neither repeat nor miss a task."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Database
from tests.support.ask import Ask, AskAs
from tests.support.list_sorts import SORTS, sort_key, titles
from todo_cli.contract.tasks import AddTasks, CompleteTasks, EditTasks, ListTasks, NewTask, Task
from todo_cli.contract.trash import DeleteTasks
from todo_cli.errors import Invalid


def test_list_fields_narrow_alone_and_together(ask: Ask) -> None:
    ask.add("a", project="home", tags=("x", "y"), priority=1, due="2030-01-01")
    ask.add("b", project="home", tags=("x",), priority=2, due="2030-01-02")
    ask.add("c", project="Home", tags=("y",), priority=1)
    ask.add("d")
    ask(CompleteTasks(numbers=(2,)))
    ask(DeleteTasks(numbers=(4,)))
    for filters, wanted in (
        ({}, "ac"),
        ({"status": "done"}, "b"),
        ({"status": "deleted"}, "d"),
        ({"status": "all"}, "abcd"),
        ({"project": "home"}, "a"),
        ({"project": "home", "status": "all"}, "ab"),
        ({"project": "nowhere"}, ""),
        ({"tag": "y"}, "ac"),
        ({"tag": "x", "status": "all"}, "ab"),
        ({"priority": 1}, "ac"),
        ({"priority": 3}, ""),
        ({"priority": 1, "project": "home", "tag": "y", "due": "2030-01-01"}, "a"),
        ({"tag": "y", "priority": 2, "status": "all"}, ""),
    ):
        assert titles(ask, sort="created", **filters) == wanted, filters


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "gone"),
        ("sort", "titel"),
        ("sort", "due,-due"),
        ("sort", ""),
        ("sort", "due,"),
        ("sort", "due,priority,title,project,updated"),
        ("filter", "x" * 10_001),
        ("filter", "prioject:home"),
        ("limit", 0),
        ("limit", 1_001),
        ("priority", 4),
        ("due", "neverday"),
        ("due_before", "x"),
        ("due_after", ""),
        ("cursor", "x" * 1_001),
    ],
)
def test_list_with_an_invalid_field_is_refused(ask: Ask, field: str, value: object) -> None:
    with pytest.raises(Invalid):
        ask(ListTasks(**{field: value}))  # type: ignore[arg-type]


def test_list_due_means_days_in_the_callers_zone(person: Any, ask_as: AskAs) -> None:
    """Tuesday 09:00 in Auckland is Monday 13:00 in Los Angeles. A date without a time is the same date everywhere."""
    auckland = ask_as(person, timezone="Pacific/Auckland")
    angeles = ask_as(person, timezone="America/Los_Angeles")
    assert auckland.add("i", due="2030-01-08 09:00").due == "2030-01-07T20:00:00Z"
    auckland.add("d", due="2030-01-08")
    for asker, day, wanted in (
        (auckland, "2030-01-08", "id"),
        (auckland, "2030-01-07", ""),
        (angeles, "2030-01-07", "i"),
        (angeles, "2030-01-08", "d"),
    ):
        assert titles(asker, due=day) == wanted, (asker.backend, day)
    assert titles(angeles, due_before="2030-01-08") == "i"
    assert titles(auckland, due_before="2030-01-08") == ""
    assert titles(angeles, due_after="2030-01-07") == "d"
    assert titles(auckland, due_after="2030-01-07") == "id"
    assert titles(auckland, due_after="2030-01-08") == ""


def test_list_due_bounds_include_days_and_instants(ask: Ask) -> None:
    """In Berlin: `due_before` is strictly before, `due_after` is after the end of the named day."""
    for title, due in (
        ("a", "2030-03-30"),
        ("b", "2030-03-31 00:00"),
        ("c", "2030-03-31"),
        ("d", "2030-03-31 23:59"),
        ("e", "2030-04-01 00:00"),
        ("f", "2030-04-01"),
    ):
        ask.add(title, due=due)
    ask.add("never")
    for filters, wanted in (
        ({"due": "2030-03-31"}, "bdc"),
        ({"due_before": "2030-03-31"}, "a"),
        ({"due_after": "2030-03-31"}, "ef"),
        ({"due_before": "2030-04-01"}, "abdc"),
        ({"due_after": "2030-03-30", "due_before": "2030-04-01"}, "bdc"),
        ({"due_before": "2030-03-31 23:59"}, "ab"),
        ({"due_after": "2030-03-31 23:59"}, "def"),
        ({"due_before": "2030-04-01", "due": "2030-03-31"}, "bdc"),
    ):
        assert "".join(sorted(titles(ask, **filters))) == "".join(sorted(wanted)), filters


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "America/St_Johns", "Pacific/Apia"])
def test_list_due_instant_belongs_to_the_callers_day(person: Any, ask_as: AskAs, zone: str) -> None:
    ask = ask_as(person, timezone=zone)
    for title, due in (
        ("a", "2030-06-09 23:59"),
        ("b", "2030-06-10 00:00"),
        ("c", "2030-06-10 23:59"),
        ("d", "2030-06-11 00:00"),
    ):
        ask.add(title, due=due)
    assert titles(ask, due="2030-06-10") == "bc"
    assert titles(ask, due_before="2030-06-10") == "a"
    assert titles(ask, due_after="2030-06-10") == "d"


def test_list_without_a_zone_uses_the_preference(db: Database, ask_as: AskAs) -> None:
    tokyo = ask_as(db.person(zone="Asia/Tokyo"), timezone=None)
    assert tokyo.add(due="2030-01-02 09:00").due == "2030-01-02T00:00:00Z"
    nowhere = ask_as(db.person(zone=None), timezone=None)
    assert nowhere.add(due="2030-01-02 09:00").due == "2030-01-02T09:00:00Z"


def test_unknown_zone_is_refused(person: Any, ask_as: AskAs) -> None:
    with pytest.raises(Invalid, match="unknown time zone"):
        ask_as(person, timezone="Mars/Olympus").add(due="tomorrow")


@pytest.mark.parametrize("sort", SORTS)
def test_every_sort_pages_through_all_tasks_once(ask: Ask, sort: str) -> None:
    dues = (None, "2030-01-01", "2030-01-01 12:00", "2029-01-01", "2030-01-01")
    rows = tuple(NewTask(title=str(i), due=dues[i % 5], priority=(None, 1, 3, 2)[i % 4]) for i in range(23))
    ask(AddTasks(tasks=rows))
    ask(EditTasks(numbers=(7, 3), title="late"))
    whole = ask(ListTasks(sort=sort, limit=1_000))
    assert whole.next is None
    assert list(whole.tasks) == sorted(whole.tasks, key=lambda task: sort_key(task, sort), reverse=sort.startswith("-"))
    paged: list[Task] = []
    cursor = None
    while True:
        page = ask(ListTasks(sort=sort, limit=5, cursor=cursor))
        paged += page.tasks
        cursor = page.next
        if cursor is None:
            break
    assert paged == list(whole.tasks)

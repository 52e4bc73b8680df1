"""Lists over both clients: filters, time zones, sorts, and pages that neither repeat nor miss a task."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from tests.conftest import Database
from tests.support.ask import Ask, AskAs
from todo_cli.contract.tasks import AddTask, AddTasks, CompleteTasks, DeleteTasks, EditTasks, ListTasks, NewTask, Task
from todo_cli.errors import Invalid

SORTS = [f"{sign}{key}" for key in ("due", "priority", "created", "updated") for sign in ("", "-")]
MIXED = [
    "priority,-due",
    "-priority,due",
    "project,-priority,title",
    "-project,due,-updated",
    "title",
    "-title,created",
    "completed,-title",
    "scheduled,-project",
    "-defer,priority",
    "due,priority,project,title",
]


def titles(ask: Ask, **filters: Any) -> str:
    """Return the titles of a list, in its order."""
    return "".join(task.title for task in ask(ListTasks(**filters)).tasks)


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


def _key(task: Task, sort: str) -> Any:
    match sort.removeprefix("-"):
        case "due":
            end = (task.due or "9999") if "T" in (task.due or "T") else f"{task.due}T23:59:59Z"
            return end, task.number
        case "priority":
            return task.priority or 4, task.number
        case "created":
            return task.number
        case _:
            return task.rev, task.number


@pytest.mark.parametrize("sort", SORTS)
def test_every_sort_pages_through_all_tasks_once(ask: Ask, sort: str) -> None:
    dues = (None, "2030-01-01", "2030-01-01 12:00", "2029-01-01", "2030-01-01")
    rows = tuple(NewTask(title=str(i), due=dues[i % 5], priority=(None, 1, 3, 2)[i % 4]) for i in range(23))
    ask(AddTasks(tasks=rows))
    ask(EditTasks(numbers=(7, 3), title="late"))
    whole = ask(ListTasks(sort=sort, limit=1_000))
    assert whole.next is None
    assert list(whole.tasks) == sorted(whole.tasks, key=lambda task: _key(task, sort), reverse=sort.startswith("-"))
    paged: list[Task] = []
    cursor = None
    while True:
        page = ask(ListTasks(sort=sort, limit=5, cursor=cursor))
        paged += page.tasks
        cursor = page.next
        if cursor is None:
            break
    assert paged == list(whole.tasks)


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_pages_while_tasks_change_never_repeat_or_miss_a_task(db: Database, ask_as: AskAs, data: st.DataObject) -> None:
    ask = ask_as(db.person())
    sort = data.draw(st.sampled_from([sort for sort in SORTS + MIXED if "updated" not in sort]))
    dues = st.sampled_from([None, "2030-01-01", "2030-01-01 12:00", "2030-01-02"])
    new = st.builds(
        NewTask,
        title=st.sampled_from("xXyä"),
        project=st.sampled_from([None, "p", "P", "q"]),
        due=dues,
        priority=st.sampled_from([None, 1, 2, 3]),
    )
    start = ask(AddTasks(tasks=tuple(data.draw(st.lists(new, min_size=5, max_size=12))))).tasks
    stay, seen, cursor = {task.number for task in start}, [], None
    while True:
        page = ask(ListTasks(sort=sort, limit=3, cursor=cursor))
        seen += [task.number for task in page.tasks]
        cursor = page.next
        if cursor is None:
            break
        if data.draw(st.booleans()):
            ask(AddTasks(tasks=(data.draw(new),)))
        if stay and data.draw(st.booleans()):
            gone = data.draw(st.sampled_from(sorted(stay)))
            stay.remove(gone)
            ask(CompleteTasks(numbers=(gone,)))
    assert len(seen) == len(set(seen)), "nothing twice"
    assert stay <= set(seen), "nothing missed that was there all along"


def test_mixed_sorts_with_empty_keys_page_through_all_tasks_once(ask: Ask) -> None:
    """Pages of two tasks add up to the whole list in the requested order, with ties and empty keys."""
    rows = tuple(
        NewTask(
            title="bAab"[i % 4],
            due=(None, "2030-01-01", "2030-01-02 12:00")[i % 3],
            priority=(None, 1, 3)[i // 2 % 3],
            project=(None, "q", "p", "Q")[i // 3 % 4],
            defer=(None, "2020-01-01")[i % 2],
            scheduled=(None, "2020-01-01", "2020-02-02")[i % 3],
        )
        for i in range(17)
    )
    ask(AddTasks(tasks=rows))
    ask(CompleteTasks(numbers=(2, 3)))
    ask(CompleteTasks(numbers=(5,)))
    for sort in MIXED:
        for status in ("open", "all"):
            whole = ask(ListTasks(sort=sort, status=status, limit=1_000)).tasks
            assert list(whole) == _sorted(whole, sort), sort
            assert _paged(ask, sort, status) == list(whole), sort


WORDS = (
    "apfel",
    "Äpfel",
    "Apfelmus",
    "Banane",
    "éclair",
    "Eclipse",
    "Ökonom",
    "Straße",
    "strasse 2",
    "Zebra",
    "Ěcho",
    "дом",
    "Ёлка",
)
IN_ORDER = (
    "apfel",
    "Äpfel",
    "Apfelmus",
    "Banane",
    "Ěcho",
    "éclair",
    "Eclipse",
    "Ökonom",
    "Straße",
    "strasse 2",
    "Zebra",
    "дом",
    "Ёлка",
)


@pytest.mark.parametrize("key", ["title", "project"])
def test_sort_by_text_with_accents_and_capitals_is_in_the_order_of_a_dictionary(ask: Ask, key: str) -> None:
    words = sorted(WORDS, reverse=True)
    ask(AddTasks(tasks=tuple(NewTask(title=word, project=word) for word in words)))
    listed = ask(ListTasks(sort=key, limit=100)).tasks
    assert tuple(getattr(task, key) for task in listed) == IN_ORDER
    assert _paged(ask, key, "open") == list(listed)
    assert _paged(ask, f"-{key}", "open") == list(listed)[::-1]


def test_sort_by_project_with_names_that_differ_in_case_keeps_each_project_together(ask: Ask) -> None:
    ask(AddTasks(tasks=tuple(NewTask(title="x", project=["Home", "home"][i % 2]) for i in range(6))))
    listed = ask(ListTasks(sort="project,-created", limit=100)).tasks
    assert [task.project for task in listed] == ["Home"] * 3 + ["home"] * 3


def test_sort_by_title_of_very_long_texts_pages_through_everything_once(ask: Ask) -> None:
    titles = tuple("ä" * length for length in (1000, 999, 101, 100, 99, 1)) + tuple("\U0001f9d1" * n for n in (1, 1000))
    ask(AddTasks(tasks=tuple(NewTask(title=title, project="ö" * 100) for title in titles)))
    for sort in ("title", "project,title"):
        paged = _paged(ask, sort, "open")
        assert sorted(task.title for task in paged) == sorted(titles)


def _paged(ask: Ask, sort: str, status: Any) -> list[Task]:
    """Return the tasks of all pages in order."""
    paged: list[Task] = []
    cursor = None
    while True:
        page = ask(ListTasks(sort=sort, status=status, limit=3, cursor=cursor))
        paged += page.tasks
        cursor = page.next
        if cursor is None:
            return paged


def _sorted(tasks: Any, sort: str) -> list[Task]:
    """Sort by each key, the last first, since Python's sort is stable. Empty values come last in both directions."""
    rows = sorted(tasks, key=lambda task: task.number, reverse=sort.rpartition(",")[2].startswith("-"))
    for word in reversed(sort.split(",")):
        key, down = word.removeprefix("-"), word.startswith("-")
        values = {task.number: _value(task, key) for task in rows}
        full = sorted(
            (task for task in rows if values[task.number] is not None),
            key=lambda task: values[task.number],
            reverse=down,
        )
        rows = full + [task for task in rows if values[task.number] is None]
    return rows


def _value(task: Task, key: str) -> Any:
    if key in ("due", "priority", "created", "updated"):
        found = _key(task, key)
        return found[0] if isinstance(found, tuple) else found
    value = getattr(task, {"completed": "completed_at"}.get(key, key))
    if key == "title":
        return value.lower()
    return (value.lower(), value) if key == "project" and value is not None else value


def _forged(*parts: object) -> str:
    import msgspec

    return urlsafe_b64encode(msgspec.json.encode(parts)).decode().rstrip("=")


def test_cursor_of_another_sort_is_refused(ask: Ask) -> None:
    ask.add_all("a", "b")
    cursor = ask(ListTasks(limit=1)).next
    assert cursor
    for sort in ("-due", "priority"):
        with pytest.raises(Invalid, match="the cursor belongs to the sort 'due'"):
            ask(ListTasks(limit=1, sort=sort, cursor=cursor))
    assert titles(ask, cursor=cursor) == "b"


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "é",
        "%%%",
        "bm9uc2Vuc2U",
        _forged(1),
        _forged("due", "infinity"),
        _forged("due", "tomorrow", 1),
        _forged("due", "", 1),
        _forged("priority", "x", 1),
        _forged("due", "infinity", 2**70),
        _forged("priority", "99999999", 1),
        _forged("due", "2030-01-01", -1),
        _forged("created", "9" * 5_00, 1),
        _forged("due", "0001-01-01T00:00:00+14:00", 1),
        _forged("nonsense", "1", 1),
        _forged("created", "1_0", 1),
        _forged("created", "٣", 1),
    ],
)
def test_forged_cursor_is_refused(ask: Ask, cursor: str) -> None:
    """A forged cursor gives a refusal or a page, never an internal error."""
    for sort in ("due", "priority", "created"):
        try:
            ask(ListTasks(sort=sort, cursor=cursor))  # type: ignore[arg-type]
        except Invalid as error:
            assert "cursor" in error.detail  # noqa: PT017


def test_list_that_counts_all_returns_the_total_of_matching_tasks_if_more_exist(ask: Ask) -> None:
    ask(AddTask(title="deferred", defer="2035-01-01"))
    ask(AddTasks(tasks=tuple(NewTask(title="t", tags=("a",) if number % 2 else ()) for number in range(1_000))))
    assert ask(ListTasks(limit=2, tag="a", count_all=True)).total == 500
    assert ask(ListTasks(limit=500, tag="a", count_all=True)).total is UNSET, "nothing is left out"
    ask(AddTask(title="one more"))
    first = ask(ListTasks(limit=2, count_all=True, count_deferred=True))
    assert (first.total, first.deferred) == (1_000, 1), "no more than 1,000 are counted"
    assert ask(ListTasks(limit=2, count_all=True, cursor=first.next)).total == 1_000
    assert ask(ListTasks(limit=2, count_all=True, sort="urgency")).total == 1_000
    assert ask(ListTasks(limit=2)).total is UNSET


@pytest.mark.parametrize("late", ["yesterday", "2 days ago", "2 weeks ago"])
def test_overdue_task_is_more_urgent_than_one_of_tomorrow_that_is_as_important(ask: Ask, late: str) -> None:
    ask.add("tomorrow", due="tomorrow", priority=1, project="home", tags=("a", "b", "c"))
    ask.add("late", due=late, priority=1)
    tasks = ask(ListTasks(filter="is:ready", sort="urgency")).tasks
    assert [task.title for task in tasks] == ["late", "tomorrow"]

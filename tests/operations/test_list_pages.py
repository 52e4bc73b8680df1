"""Pages of a list: none repeats or misses a task, in any order and while tasks change."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from tests.conftest import Database
from tests.support.ask import Ask, AskAs
from tests.support.list_sorts import SORTS, sort_key, titles
from todo_cli.contract.tasks import AddTask, AddTasks, CompleteTasks, ListTasks, NewTask, Task
from todo_cli.errors import Invalid

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
        found = sort_key(task, key)
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

"""Add and show tasks over both clients."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec import UNSET

from tests.support.ask import Ask
from tests.support.task_requests import numbers_of
from todo_cli.contract.tasks import AddTask, AddTasks, CompleteTasks, EditTasks, ListTasks, NewTask, ShowTask, Task
from todo_cli.errors import Conflict, Invalid, NotFound


def test_add_stores_every_field(ask: Ask) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)
    made = ask(
        AddTask(
            title="  Pay rent ",
            note="a\nb\t",
            due="2030-01-02 09:30",
            project="#home",
            tags=("@b", "a", "b"),
            priority=1,
        )
    )
    assert made.number == 1
    assert (made.title, made.note, made.due) == ("Pay rent", "a\nb\t", "2030-01-02T08:30:00Z")
    assert (made.project, made.tags, made.priority, made.status) == ("home", ("a", "b"), 1, "open")
    assert made.rev == 1
    assert made.new is True
    assert made.completed_at is made.deleted_at is None
    assert before < made.created_at == made.updated_at < datetime.now(UTC) + timedelta(seconds=5)
    shown = ask.show(1)
    assert shown.new is UNSET
    assert shown == Task(**{name: getattr(made, name) for name in Task.__struct_fields__ if name != "new"})
    assert ask(ListTasks()).tasks[0].note is UNSET, "lists leave notes out"


def test_add_of_a_title_leaves_other_fields_empty(ask: Ask) -> None:
    made = ask.add("Only this")
    assert (made.note, made.due, made.project, made.tags, made.priority) == (None, None, None, (), None)


def test_due_day_stays_a_day(ask: Ask) -> None:
    assert ask.add(due="2030-01-02").due == "2030-01-02"


def test_text_of_any_characters_comes_back_unchanged(ask: Ask) -> None:
    title = '[bold]é漢字👩‍👩‍👧 \x1b[31m\u202e %s $1 \'; DROP TABLE tasks; -- \\ "quoted" {"json": 1}\x07'
    assert ask.show(ask.add(title, note=title, project="p'\"", tags=("t'\\",)).number).title == title
    found = ask(ListTasks(project="p'\"", tag="t'\\")).tasks
    assert [task.title for task in found] == [title]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"title": ""}, "title is empty"),
        ({"title": " \t\u2003"}, "the title is blank"),
        ({"title": "a\nb"}, "more than one line"),
        ({"title": "a\u2028b"}, "more than one line"),
        ({"title": "a\0b"}, "NUL"),
        ({"title": "x" * 1_001}, "title is longer than 1,000"),
        ({"title": "\udce4"}, "not valid UTF-8"),
        ({"title": "a", "note": "x" * 100_001}, "note is longer than 100,000"),
        ({"title": "a", "note": "\0"}, "NUL"),
        ({"title": "a", "tags": ("x" * 101,)}, "longer than 100"),
        ({"title": "a", "tags": ("two words",)}, "more than one word"),
        ({"title": "a", "tags": ("a,b",)}, "more than one word"),
        ({"title": "a", "tags": ("@",)}, "blank"),
        ({"title": "a", "tags": tuple(f"t{i}" for i in range(101))}, "tags is longer than 100"),
        ({"title": "a", "project": ""}, "project is empty"),
        ({"title": "a", "project": "#"}, "blank"),
        ({"title": "a", "priority": 4}, "priority must be at most 3"),
        ({"title": "a", "priority": 0}, "priority must be at least 1"),
        ({"title": "a", "due": "the day after never"}, "is not a date"),
        ({"title": "a", "due": ""}, "due is empty"),
    ],
)
def test_add_with_an_invalid_field_names_field_and_rule(ask: Ask, fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        ask(AddTask(**fields))  # type: ignore[arg-type]
    assert numbers_of(ask, status="all") == []


def test_add_stores_the_longest_values(ask: Ask) -> None:
    tags = tuple(f"{i:03}" + "é" * 97 for i in range(100))
    made = ask(AddTask(title="漢" * 1_000, note="👩" * 100_000, project="p" * 100, tags=tags))
    assert (len(made.title), len(str(made.note)), len(made.tags)) == (1_000, 100_000, 100)
    with pytest.raises(Conflict, match="more than 100 tags"):
        ask(EditTasks(numbers=(1,), add_tags=("more",)))


def test_add_several_keeps_their_order_or_adds_none(ask: Ask) -> None:
    made = ask(
        AddTasks(tasks=(NewTask(title="b", priority=1), NewTask(title="a", tags=("x", "y")), NewTask(title="c")))
    )
    assert [(task.number, task.title, task.tags) for task in made.tasks] == [
        (1, "b", ()),
        (2, "a", ("x", "y")),
        (3, "c", ()),
    ]
    assert (made.seq, made.new) == (1, True)
    for bad in (NewTask(title=" "), NewTask(title="x", due="nonsense"), NewTask(title="x", tags=("a b",))):
        with pytest.raises(Invalid):
            ask(AddTasks(tasks=(NewTask(title="good"), bad)))
    assert numbers_of(ask, sort="created") == [1, 2, 3]
    assert ask.add("next").number == 4, "a refused batch takes no numbers"
    with pytest.raises(Invalid, match="tasks is empty"):
        ask(AddTasks(tasks=()))
    with pytest.raises(Invalid, match="longer than 1,000"):
        ask(AddTasks(tasks=(NewTask(title="x"),) * 1_001))


@pytest.mark.parametrize("number", [99, 2**63 - 1])
def test_show_of_a_missing_number_is_not_found(ask: Ask, number: int) -> None:
    ask.add_all("a", "b")
    for request in (ShowTask(number=number), CompleteTasks(numbers=(number,))):
        with pytest.raises(NotFound, match=f"task #{number} does not exist") as missing:
            ask(request)
        assert missing.value.hint == "the newest is #2; finished ones: todo list is:done"


@pytest.mark.parametrize("number", [0, -1, 2**63])
def test_show_of_an_invalid_number_is_refused(ask: Ask, number: int) -> None:
    for request in (ShowTask(number=number), CompleteTasks(numbers=(number,))):
        with pytest.raises(Invalid):
            ask(request)

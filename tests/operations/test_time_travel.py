"""Lists and tasks of the past equal those that were answered then, whatever has changed since."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.conftest import Database, Person
from tests.support.ask import Ask, AskAs
from tests.support.limited_tokens import create_limited_token
from todo_cli.contract.base import Request
from todo_cli.contract.comments import AddComment
from todo_cli.contract.ids import new_id
from todo_cli.contract.journal import Redo, Undo
from todo_cli.contract.tasks import (
    AddTask,
    AddTasks,
    CompleteTasks,
    EditTasks,
    ListTasks,
    NewTask,
    ReopenTasks,
    ShowTask,
)
from todo_cli.contract.time_tracking import StartTasks, StopTasks
from todo_cli.contract.trash import DeleteTasks, RestoreTasks
from todo_cli.errors import Invalid, NotFound, TodoError

WORDS = ("milk", "bread", "rent", "Überweisung", "report")
FILTERS = (
    "", "milk", "Überweisung", "#home", "-@a", "is:blocked", "is:parent or has:subtasks", "p1 or due<2030-01-02", "note:long",
    "has:comments", "is:active",
)  # fmt: skip  # a list of filters


def make_change(choose: random.Random, count: int) -> Request[Any]:
    """Return a change of some tasks; some are refused."""

    def some() -> tuple[int, ...]:
        return tuple(sorted(choose.sample(range(1, count + 1), min(count, choose.randint(1, 3)))))

    title = " ".join(choose.sample(WORDS, 2))
    dues = ("2030-01-01", "2030-01-02T09:00:00Z", None)
    makers: tuple[Callable[[], Request[Any]], ...] = (
        lambda: AddTask(title=title, project=choose.choice(("home", None)), tags=("a",), note="long " * 200),
        lambda: AddTasks(tasks=(NewTask(title=title, due="2030-01-01"), NewTask(title="x", priority=1))),
        lambda: AddTask(title=title, every="week", due="2030-01-01"),
        lambda: EditTasks(numbers=some(), title=title, due=choose.choice(dues), add_tags=("b",), remove_tags=("a",)),
        lambda: EditTasks(numbers=some(), note=choose.choice(("short", "long " * 300, None)), priority=1),
        lambda: EditTasks(numbers=some()[:1], parent=choose.randint(1, count)),
        lambda: EditTasks(numbers=some(), add_after=(choose.randint(1, count),), project="home"),
        lambda: CompleteTasks(numbers=some()),
        lambda: ReopenTasks(numbers=some()),
        lambda: DeleteTasks(numbers=some()),
        lambda: RestoreTasks(numbers=some()),
        lambda: StartTasks(numbers=some()),
        lambda: StopTasks(numbers=some()),
        lambda: AddComment(id=new_id(), number=choose.randint(1, count), text="asked"),
        Undo,
        Redo,
    )
    return choose.choice(makers)()


@pytest.mark.parametrize("seed", [1, 2])
def test_list_as_of_each_moment_equals_the_list_of_then(ask: Ask, seed: int) -> None:
    choose = random.Random(seed)
    ask.add_all("milk", "bread", "rent")
    seen = []
    for step in range(40):
        try:
            ask(make_change(choose, len(ask(ListTasks(status="all", limit=1_000)).tasks)))
        except TodoError:
            continue
        filter, status = FILTERS[step % len(FILTERS)], choose.choice(("open", "all"))
        request = ListTasks(
            filter=filter, status=status, limit=1_000, sort=choose.choice(("due", "-priority", "title"))
        )
        seen.append((request, ask(request).tasks, ask(ShowTask(number=1)), datetime.now(UTC).isoformat()))
    for request, tasks, shown, moment in seen:
        then = ask(
            ListTasks(filter=request.filter, status=request.status, sort=request.sort, limit=1_000, as_of=moment)
        )
        assert then.tasks == tasks, (request, moment)
        assert then.as_of == datetime.fromisoformat(moment)
        assert ask(ShowTask(number=1, as_of=moment)) == shown, moment


def test_list_as_of_pages_like_any_list(ask: Ask) -> None:
    ask.add_all(*(f"task {number}" for number in range(5)))
    moment = datetime.now(UTC).isoformat()
    ask(CompleteTasks(numbers=(1, 2, 3)))
    page = ask(ListTasks(as_of=moment, limit=2, count_all=True, sort="created"))
    assert ([task.number for task in page.tasks], page.total) == ([1, 2], 5)
    assert page.next
    assert [task.number for task in ask(ListTasks(as_of=moment, cursor=page.next, sort="created")).tasks] == [3, 4, 5]


def test_list_as_of_reads_its_words_by_the_clock_of_then(ask: Ask, db: Database, person: Person) -> None:
    ask.add("due then", due="2026-01-10")
    for table, column in (("changes", "at"), ("tasks", "created_at")):
        db.execute(f"UPDATE todo.{table} SET {column} = '2026-01-01' WHERE space_id = %s", person.user_id)
    ask.add("due today", due="today")
    assert [task.title for task in ask(ListTasks(filter="due:today", as_of="2026-01-10")).tasks] == ["due then"]
    assert [task.title for task in ask(ListTasks(filter="is:overdue", as_of="2026-01-11")).tasks] == ["due then"]
    assert ask(ListTasks(as_of="2025-12-31")).tasks == ()


def test_list_of_the_past_refuses_unknowable_requests(ask: Ask) -> None:
    ask.add("milk")
    for request in (
        ListTasks(as_of="tomorrow"),
        ListTasks(as_of="in 2 days"),
        ListTasks(filter="milk", sort="rank", as_of="1h"),
    ):
        with pytest.raises(Invalid):
            ask(request)
    with pytest.raises(NotFound):
        ask(ShowTask(number=1, as_of="2020-01-01"))


@pytest.mark.parametrize("way", ["api"])
def test_limited_token_sees_no_more_of_the_past_than_it_sees_now(ask: Ask, ask_as: AskAs) -> None:
    """It misses tasks that left its filter, came into it, or changed in one change with others."""
    titles = ("stays", "leaves", "comes", "edited", "edited with another", "another")
    ask(AddTasks(tasks=tuple(NewTask(title=title, project="home") for title in titles)))
    ask(EditTasks(numbers=(3, 6), project="work"))
    moment = datetime.now(UTC).isoformat()
    ask(EditTasks(numbers=(2,), project="work"))
    ask(EditTasks(numbers=(3,), project="home"))
    ask(EditTasks(numbers=(4,), title="edited since"))
    ask(EditTasks(numbers=(5, 6), priority=1))
    limited = ask_as(ask.who, create_limited_token(ask, filter="project:home"))
    assert [task.title for task in limited(ListTasks(as_of=moment)).tasks] == ["stays", "edited"]
    assert [task.number for task in limited(ListTasks(as_of=moment, filter="edited")).tasks] == [4]
    for number in (2, 3, 5):
        with pytest.raises(NotFound):
            limited(ShowTask(number=number, as_of=moment))
    assert len(ask(ListTasks(as_of=moment)).tasks) == 6

"""Following the changes of a space: no hole, no repetition, only what the token may see and the filter matches."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

import pytest

from tests.conftest import Database, Person
from tests.support.ask import Ask, AskAs
from tests.support.connections import Line
from tests.support.limited_tokens import create_limited_token
from todo_cli.contract.change_feed import ChangeBatch, FollowChanges
from todo_cli.contract.comments import AddComment
from todo_cli.contract.ids import new_id
from todo_cli.contract.tasks import AddTask, CompleteTasks, EditTasks
from todo_cli.contract.views import SaveView
from todo_cli.errors import Conflict, Invalid


def follow(ask: Ask, after: int | None = 0, **more: Any) -> ChangeBatch:
    return ask(FollowChanges(after=after, **more))


def seqs(batch: ChangeBatch) -> list[int]:
    return [change.seq for change in batch.changes]


def test_follow_pages_through_every_change_once_in_order(ask: Ask) -> None:
    ask.add("a")
    start = follow(ask, None)
    assert (start.changes, start.cursor) == ((), 1)
    for title in "bcdef":
        ask.add(title)
    found, cursor = [], start.cursor
    while True:
        batch = follow(ask, cursor, limit=2)
        found += [change.differences[0].title for change in batch.changes]
        cursor = batch.cursor
        if not batch.more:
            break
    assert (found, cursor) == (list("bcdef"), 6)
    assert follow(ask, cursor) == ChangeBatch(cursor=6)


def test_follow_behind_the_newest_change_is_refused(ask: Ask) -> None:
    ask.add("a")
    with pytest.raises(Conflict, match="the newest change, which is 1"):
        follow(ask, 2)


def test_follow_with_a_filter_returns_changes_that_match_before_or_after(ask: Ask) -> None:
    ask.add("Paint", project="home", note="lorem " * 200)  # 1
    ask.add("Call", tags=("phone",))  # 2
    ask(EditTasks(numbers=(2,), remove_tags=("phone",)))  # 3
    ask(EditTasks(numbers=(1,), project="work", due="2030-01-01"))  # 4
    ask(CompleteTasks(numbers=(1, 2)))  # 5
    ask(AddComment(id=new_id(), number=1, text="dry"))  # 6
    ask(SaveView(name="mine", filter="2"))  # 7
    ask.add("Other", project="work", note="ipsum")  # 8
    expected = {
        "#home": [1, 4],
        "-#home": [2, 3, 4, 5, 6, 8],
        "@phone": [2, 3],
        "-@phone": [1, 3, 4, 5, 6, 8],
        "is:open": [1, 2, 3, 4, 5, 8],
        "2": [2, 3, 5],
        "note:lorem": [1, 4, 5, 6],
        ":mine": [2, 3, 5],
        "due:2030-01-01": [4, 5, 6],
        "call": [2, 3, 5],
    }
    found = {filter: follow(ask, filter=filter) for filter in expected}
    assert {filter: seqs(batch) for filter, batch in found.items()} == expected
    assert {batch.cursor for batch in found.values()} == {8}
    with pytest.raises(Invalid) as caught:
        follow(ask, filter="due:nonsense")
    assert caught.value.extra["filter"] == "due:nonsense"


def test_follow_with_a_limited_token_returns_changes_of_its_tasks_alone(db: Database, ask_as: AskAs, way: str) -> None:
    if way == "direct":
        pytest.skip("a limited token needs a server")
    owner = ask_as(db.person())
    token = create_limited_token(owner, filter="#home")
    limited = ask_as(owner.who, token=token)
    start = follow(limited, None).cursor
    hidden = owner.add("secret", project="work")
    shown = owner.add("paint", project="home")
    owner(EditTasks(numbers=(shown.number, hidden.number), priority=1))
    owner(AddComment(id=new_id(), number=shown.number, text="dry"))
    batch = follow(limited, start)
    assert seqs(batch) == [shown.rev]
    assert batch.cursor == follow(owner, None).cursor, "hidden changes are not looked at again"
    assert follow(limited, start, filter="#work").changes == ()


def test_follow_never_passes_a_change_that_commits_later(person: Person, line: Callable[..., Line]) -> None:
    first, second, watcher = line(person, served=True), line(person, served=True), line(person, served=True)
    watcher(AddTask(title="a"))
    first.runner.run(first.connection.execute("BEGIN"))
    first(AddTask(title="b"))
    with ThreadPoolExecutor() as threads:
        later = threads.submit(second, AddTask(title="c"))
        with pytest.raises(FutureTimeoutError):
            later.result(0.3)
        assert watcher(FollowChanges(after=1)) == ChangeBatch(cursor=1), "the second write waits for the first"
        first.runner.run(first.connection.execute("COMMIT"))
        later.result(10)
    changes = watcher(FollowChanges(after=1)).changes
    assert [(change.seq, change.differences[0].title) for change in changes] == [(2, "b"), (3, "c")]

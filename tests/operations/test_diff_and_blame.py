"""What differs between two moments, and which change set a field."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.ask import Ask
from todo_cli.contract.blame import BlameTask
from todo_cli.contract.diff import DiffTasks
from todo_cli.contract.journal import Undo
from todo_cli.contract.tasks import AddTasks, CompleteTasks, EditTasks, NewTask, ReopenTasks
from todo_cli.contract.trash import DeleteTasks, RestoreTasks
from todo_cli.errors import Invalid, NotFound


def now() -> str:
    """Return this moment."""
    return datetime.now(UTC).isoformat()


def diff(ask: Ask, since: str, **options: Any) -> list[tuple[int, str, dict[str, Any]]]:
    """Return number, kind and fields of what differs."""
    page = ask(DiffTasks(since=since, **options))
    return [(one.number, one.kind, one.fields) for one in page.differences]


def test_diff_says_what_became_of_each_task(ask: Ask) -> None:
    ask.add_all("edited", "finished", "deleted", "reopened", "restored", "untouched")
    ask(CompleteTasks(numbers=(4,)))
    ask(DeleteTasks(numbers=(5,)))
    since = now()
    ask(EditTasks(numbers=(1,), due="2030-01-02", note="long " * 200))
    ask(EditTasks(numbers=(1,), due="2030-01-03", title="Edited", note="later " * 200))
    ask(CompleteTasks(numbers=(2,)))
    ask(DeleteTasks(numbers=(3,)))
    ask(ReopenTasks(numbers=(4,)))
    ask(RestoreTasks(numbers=(5,)))
    ask.add("new", project="home")
    found = diff(ask, since)
    fields = {"title": ("edited", "Edited"), "due": (None, "2030-01-03"), "note": (None, "later " * 200)}
    assert found[0] == (1, "changed", fields)
    kinds = ["done", "deleted", "reopened", "restored", "added"]
    assert [kind for _, kind, _ in found[1:]] == kinds
    assert found[-1][2] == {"project": (None, "home")}


def test_diff_leaves_out_what_was_taken_back(ask: Ask) -> None:
    ask.add_all("a", "b")
    since = now()
    ask(EditTasks(numbers=(1,), priority=1))
    ask(Undo())
    ask(CompleteTasks(numbers=(2,)))
    ask(ReopenTasks(numbers=(2,)))
    ask.add("short-lived")
    ask(DeleteTasks(numbers=(3,)))
    assert diff(ask, since) == []


def test_diff_ends_at_a_moment_and_pages_by_number(ask: Ask) -> None:
    since = now()
    ask.add_all("a", "b", "c")
    until = now()
    ask(CompleteTasks(numbers=(1,)))
    ask.add("d")
    assert [number for number, *_ in diff(ask, since, until=until)] == [1, 2, 3]
    assert diff(ask, until, until=until) == []
    page = ask(DiffTasks(since=since, limit=2))
    assert ([one.number for one in page.differences], page.next) == ([1, 2], 2)
    assert [number for number, *_ in diff(ask, since, after=2)] == [3, 4]
    assert [number for number, *_ in diff(ask, since, filter="is:done or d")] == [1, 4]
    with pytest.raises(Invalid, match="ends before it begins"):
        diff(ask, until, until=since)


def test_blame_names_the_newest_change_of_each_field(ask: Ask) -> None:
    ask(AddTasks(tasks=(NewTask(title="a", project="home"), NewTask(title="b"))))
    ask(EditTasks(numbers=(1, 2), due="2030-01-02", title="A"))
    ask(EditTasks(numbers=(1,), due="2030-01-03"))
    ask(CompleteTasks(numbers=(1,)))
    answer = ask(BlameTask(number=1))
    assert (answer.title, answer.cut) == ("A", False)
    assert [(field.name, field.value, field.change.seq) for field in answer.fields] == [
        ("title", "A", 2),
        ("status", "done", 4),
        ("due", "2030-01-03", 3),
        ("project", "home", 1),
    ]
    assert {field.change.user for field in answer.fields} == {ask.who.name}
    with pytest.raises(NotFound):
        ask(BlameTask(number=9))

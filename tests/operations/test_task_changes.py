"""Changes of tasks over both clients. A change of several tasks changes all or none."""

from __future__ import annotations

import pytest

from tests.conftest import Database
from tests.support.ask import Ask, AskAs
from tests.support.task_requests import numbers_of
from todo_cli.contract.tasks import Changed, CompleteTasks, EditTasks, OnTasks, ReopenTasks
from todo_cli.contract.trash import DeleteTasks, RestoreTasks
from todo_cli.errors import Conflict, Invalid, NotAllowed, NotFound

EVERY_WRITE: tuple[type[OnTasks], ...] = (CompleteTasks, ReopenTasks, EditTasks, DeleteTasks, RestoreTasks)


def write_of(kind: type[OnTasks], *numbers: int, if_rev: int | None = None) -> OnTasks:
    """Return a write of this kind that has an effect."""
    more = {"title": "Edited"} if kind is EditTasks else {}
    return kind(numbers=numbers, if_rev=if_rev, **more)


def test_task_of_another_user_is_not_found(ask: Ask, ask_as: AskAs, db: Database) -> None:
    ask.add_all("a", "b")
    other = ask_as(db.person())
    other.add("theirs")
    with pytest.raises(NotFound):
        other.show(2)
    for kind in EVERY_WRITE:
        with pytest.raises(NotFound, match="task #2 does not exist;"):
            other(write_of(kind, 2))
    assert ask.show(2).rev == 1
    with pytest.raises(NotAllowed, match="no such space"):
        ask_as(other.who, space=ask.who.user_id).show(2)


@pytest.mark.parametrize("kind", EVERY_WRITE)
def test_write_with_a_missing_number_changes_none(ask: Ask, kind: type[OnTasks]) -> None:
    ask.add_all("a", "b")
    with pytest.raises(NotFound, match="tasks #9, #8 do not exist; nothing was changed") as caught:
        ask(write_of(kind, 1, 9, 2, 8))
    assert caught.value.extra["numbers"] == [9, 8]
    assert [ask.show(number).rev for number in (1, 2)] == [1, 1]
    changed = ask(write_of(kind, 2, 1, 2))
    assert [task.number for task in changed.tasks] == [2, 1], "in the order given, each once"


def test_complete_and_reopen_change_the_status(ask: Ask) -> None:
    ask.add_all("a", "b")
    done = ask(CompleteTasks(numbers=(1,)))
    assert (done.tasks[0].status, done.seq, done.new) == ("done", 2, True)
    first = done.tasks[0].completed_at
    assert first is not None
    assert numbers_of(ask) == [2]
    again = ask(CompleteTasks(numbers=(1, 2))).tasks
    assert (again[0].completed_at, again[0].rev) == (first, 2), "done stays done, with its first time"
    assert (again[1].status, again[1].rev) == ("done", 3)
    opened = ask(ReopenTasks(numbers=(1,))).tasks[0]
    assert (opened.status, opened.completed_at, opened.rev) == ("open", None, 4)


@pytest.mark.parametrize("kind", EVERY_WRITE)
def test_write_that_changes_nothing_keeps_rev_and_time(ask: Ask, kind: type[OnTasks]) -> None:
    ask.add("Edited")
    if kind in (CompleteTasks, DeleteTasks):
        ask(write_of(kind, 1))
    before = ask.show(1)
    changed = ask(write_of(kind, 1))
    assert changed.tasks == (before,)
    assert ask.show(1) == before


def test_edit_keeps_fields_it_omits_and_clears_null_fields(ask: Ask) -> None:
    made = ask.add("a", note="n", due="2030-01-02 09:30", project="p", tags=("x", "y"), priority=2)
    one = ask(EditTasks(numbers=(1,), title="b")).tasks[0]
    assert (one.title, one.note, one.due, one.project, one.tags, one.priority) == (
        "b",
        made.note,
        made.due,
        made.project,
        made.tags,
        made.priority,
    )
    assert one.rev == 2
    assert one.updated_at > made.updated_at
    assert one.created_at == made.created_at
    day = ask(EditTasks(numbers=(1,), due="2030-05-06")).tasks[0]
    assert day.due == "2030-05-06", "an instant becomes a day whole"
    bare = ask(EditTasks(numbers=(1,), note=None, due=None, project=None, priority=None, tags=())).tasks[0]
    assert (bare.title, bare.note, bare.due, bare.project, bare.tags, bare.priority) == (
        "b",
        None,
        None,
        None,
        (),
        None,
    )
    full = ask(EditTasks(numbers=(1,), note="m", due="2030-01-01 00:00", project="q", priority=3, tags=("z",))).tasks[0]
    assert (full.note, full.due, full.project, full.priority, full.tags) == (
        "m",
        "2029-12-31T23:00:00Z",
        "q",
        3,
        ("z",),
    )


def test_edit_adds_removes_and_replaces_tags(ask: Ask) -> None:
    ask.add("a", tags=("b", "a"))
    ask.add("b")

    def tags(**fields: tuple[str, ...]) -> list[tuple[str, ...]]:
        return [task.tags for task in ask(EditTasks(numbers=(1, 2), **fields)).tasks]

    assert tags(add_tags=("@c", "a")) == [("a", "b", "c"), ("a", "c")]
    assert tags(remove_tags=("a", "never")) == [("b", "c"), ("c",)]
    assert tags(add_tags=("d",), remove_tags=("c", "b")) == [("d",), ("d",)]
    assert tags(tags=("x", "y")) == [("x", "y"), ("x", "y")]
    assert tags(tags=("k",), add_tags=("l",)) == [("k", "l"), ("k", "l")]
    assert numbers_of(ask, tag="d") == []
    assert numbers_of(ask, tag="l") == [1, 2]


def test_edit_without_changes_or_with_invalid_values_is_refused(ask: Ask) -> None:
    ask.add("a")
    with pytest.raises(Invalid, match="no change was given"):
        ask(EditTasks(numbers=(1,)))
    with pytest.raises(Invalid):
        ask(EditTasks(numbers=(1,), title=" "))
    with pytest.raises(Invalid):
        ask(EditTasks(numbers=(), title="b"))
    with pytest.raises(Invalid, match="title"):
        ask(EditTasks(numbers=(1,), title=None))  # type: ignore[arg-type]
    assert ask.show(1).rev == 1


def test_delete_and_restore_keep_number_and_content(ask: Ask) -> None:
    ask.add("a", tags=("x",), due="2030-01-02")
    ask.add("b")
    ask(CompleteTasks(numbers=(2,)))
    gone = ask(DeleteTasks(numbers=(1, 2))).tasks
    assert [(task.status, task.deleted_at is not None) for task in gone] == [("deleted", True)] * 2
    assert numbers_of(ask) == []
    assert numbers_of(ask, status="deleted", sort="created") == [1, 2]
    assert ask.show(1).tags == ("x",)
    assert ask.add("c").number == 3, "a number is never given again"
    back = ask(RestoreTasks(numbers=(1, 2))).tasks
    assert [(task.status, task.deleted_at) for task in back] == [("open", None), ("done", None)]
    assert back[1].completed_at is not None
    assert back[0].due == "2030-01-02"


@pytest.mark.parametrize("kind", [CompleteTasks, ReopenTasks, EditTasks])
def test_write_to_a_trashed_task_is_refused(ask: Ask, kind: type[OnTasks]) -> None:
    ask.add_all("a", "b")
    binned = ask(DeleteTasks(numbers=(1,))).tasks[0]
    with pytest.raises(Conflict, match="task #1 is in the trash; nothing was changed") as caught:
        ask(write_of(kind, 2, 1))
    assert "todo restore 1" in caught.value.hint
    assert ask.show(1) == binned
    assert ask.show(2).rev == 1


@pytest.mark.parametrize("kind", EVERY_WRITE)
def test_if_rev_of_a_task_that_moved_on_is_refused_with_the_change(ask: Ask, kind: type[OnTasks]) -> None:
    ask.add("a", tags=("x",))
    if kind is RestoreTasks:
        ask(DeleteTasks(numbers=(1,)))
    rev = ask.show(1).rev
    assert isinstance(ask(write_of(kind, 1, if_rev=rev)), Changed)
    ask(RestoreTasks(numbers=(1,)))
    old = ask.show(1)
    new = ask(EditTasks(numbers=(1,), title="Moved", tags=("y",), priority=1)).tasks[0]
    with pytest.raises(Conflict, match=f"task #1 has moved on to rev {new.rev}, changed by {ask.who.name}") as caught:
        ask(write_of(kind, 1, if_rev=old.rev))
    told = caught.value.extra
    assert (told["number"], told["rev"], told["by"]) == (1, new.rev, ask.who.name)
    assert told["changed"] == {"title": [old.title, "Moved"], "tags": [["x"], ["y"]], "priority": [None, 1]}
    assert ask.show(1) == new

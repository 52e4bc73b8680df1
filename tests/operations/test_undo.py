"""Undo and redo through both ways in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Database
from tests.operations.test_idempotency import shared_space
from tests.operations.test_journal import changes
from tests.support.ask import Ask, AskAs
from tests.support.task_contents import content, contents
from todo_cli.contract.ids import new_id
from todo_cli.contract.journal import Redo, Undo
from todo_cli.contract.tasks import AddTasks, CompleteTasks, EditTasks, ListTasks, NewTask, ReopenTasks
from todo_cli.contract.trash import DeleteTasks, RestoreTasks
from todo_cli.errors import Conflict, Invalid, NotFound


def titled(ask: Ask, title: str, *numbers: int) -> int:
    """An edit; its seq."""
    return ask(EditTasks(numbers=numbers, title=title)).seq


def test_last_change_is_undone_and_redone(ask: Ask) -> None:
    ask.add("a", due="2030-01-02 09:00", tags=("x", "y"), note="n", project="p", priority=1)
    before = content(ask.show(1))
    seq = ask(EditTasks(numbers=(1,), title="b", due="2030-05-05", tags=(), note=None, project="q", priority=None)).seq
    after = content(ask.show(1))
    undone = ask(Undo())
    assert (undone.changes, undone.seq, undone.new, undone.skipped) == ((seq,), 3, True, ())
    assert undone.differences[0].fields["title"] == ("b", "a")
    assert content(ask.show(1)) == before
    assert ask.show(1).rev == 3
    redone = ask(Redo())
    assert (redone.changes, redone.seq) == ((3,), 4)
    assert content(ask.show(1)) == after


@pytest.mark.parametrize("write", [CompleteTasks, ReopenTasks, DeleteTasks, RestoreTasks])
def test_undo_of_each_kind_of_change_restores_its_times(ask: Ask, write: Any) -> None:
    ask.add_all("a", "b")
    if write in (ReopenTasks, DeleteTasks):
        ask(CompleteTasks(numbers=(1, 2)))
    if write is RestoreTasks:
        ask(DeleteTasks(numbers=(1, 2)))
    before = contents(ask)
    ask(write(numbers=(2, 1)))
    after = contents(ask)
    assert before != after
    ask(Undo())
    assert contents(ask) == before
    ask(Redo())
    assert contents(ask) == after


def test_undone_add_is_in_the_trash(ask: Ask) -> None:
    ask.add("a", tags=("x",))
    ask(Undo())
    assert (ask.show(1).status, ask.show(1).tags) == ("deleted", ("x",))
    ask(Redo())
    assert ask.show(1).status == "open"
    ask(Undo())
    assert ask(RestoreTasks(numbers=(1,))).tasks[0].status == "open"


def test_group_of_changes_is_undone_as_one(ask: Ask) -> None:
    ask.add("before")
    group = new_id()
    for part in ("ab", "cd", "e"):
        ask(AddTasks(tasks=tuple(NewTask(title=title) for title in part), group=group))
    undone = ask(Undo())
    assert undone.changes == (2, 3, 4)
    assert [task.title for task in ask(ListTasks()).tasks] == ["before"]
    assert [row.undone for row in changes(ask)] == [False, True, True, True, False]
    with pytest.raises(Conflict, match="undone already"):
        ask(Undo(id=3))
    assert ask(Redo()).seq == 6
    assert len(ask(ListTasks()).tasks) == 6
    assert ask(Undo(id=3)).changes == (2, 3, 4), "any change of a group names it whole"


def test_several_changes_in_a_row_are_undone_and_redone(ask: Ask) -> None:
    ask.add("0")
    for title in "123":
        titled(ask, title, 1)
    seen = []
    for request in [Undo()] * 3 + [Redo()] * 3:
        ask(request)
        seen.append(ask.show(1).title)
    assert seen == list("210123")
    with pytest.raises(NotFound, match="nothing of yours to redo"):
        ask(Redo())
    for _ in range(4):
        ask(Undo())
    assert ask.show(1).status == "deleted"
    with pytest.raises(NotFound, match="nothing of yours to undo"):
        ask(Undo())


def test_change_by_its_id_is_undone(ask: Ask) -> None:
    ask.add_all("a", "b")
    one, two = titled(ask, "A", 1), titled(ask, "B", 2)
    assert ask(Undo(id=one)).changes == (one,)
    assert (ask.show(1).title, ask.show(2).title) == ("a", "B")
    with pytest.raises(Conflict, match=f"cannot undo change {one}: it has been undone already"):
        ask(Undo(id=one))
    titled(ask, "C", 2)
    assert ask(Redo(id=one)).seq, "by its id, also after something newer"
    assert ask.show(1).title == "A"
    for request in (Undo(id=99), Redo(id=two), Redo(id=99), Undo(id=4)):
        with pytest.raises(NotFound, match="does not exist, or changed no tasks"):
            ask(request)
    with pytest.raises(Invalid):
        ask(Undo(id=0))


def test_undo_of_tasks_that_have_moved_on_is_refused_and_names_them(ask: Ask) -> None:
    ask.add_all("a", "b", "c")
    seq = ask(EditTasks(numbers=(1, 2, 3), project="p")).seq
    titled(ask, "B", 2)
    before = contents(ask)
    with pytest.raises(Conflict, match="cannot undo: #2 B has changed since; nothing was done") as caught:
        ask(Undo(id=seq))
    assert "--partial" in caught.value.hint
    assert list(caught.value.extra["moved"]) == [2]
    assert contents(ask) == before
    part = ask(Undo(id=seq, partial=True))
    assert part.skipped == (2,)
    assert [one.number for one in part.differences] == [1, 3]
    assert [ask.show(number).project for number in (1, 2, 3)] == [None, "p", None]
    assert ask.show(2).title == "B"


def test_partial_undo_without_any_remaining_task_is_refused(ask: Ask) -> None:
    ask.add("a")
    seq = titled(ask, "b", 1)
    titled(ask, "c", 1)
    with pytest.raises(Conflict, match="#1 c has changed since"):
        ask(Undo(id=seq, partial=True))


def test_task_with_its_former_content_has_not_moved_on(ask: Ask) -> None:
    ask.add("a")
    seq = titled(ask, "b", 1)
    titled(ask, "c", 1)
    titled(ask, "b", 1)
    ask(Undo(id=seq))
    assert ask.show(1).title == "a"


def test_task_that_was_completed_again_has_moved_on(ask: Ask) -> None:
    ask.add("a")
    seq = ask(CompleteTasks(numbers=(1,))).seq
    ask(ReopenTasks(numbers=(1,)))
    ask(CompleteTasks(numbers=(1,)))
    with pytest.raises(Conflict, match="has changed since"):
        ask(Undo(id=seq))


def test_dry_run_returns_the_same_and_changes_nothing(ask: Ask) -> None:
    ask.add("a", tags=("x",), due="2030-01-02 10:00")
    ask(EditTasks(numbers=(1,), title="b", tags=("y", "z"), due=None, note="n"))
    for kind in (Undo, Redo):
        before, rows = contents(ask), len(changes(ask))
        dry = ask(kind(dry_run=True))
        assert (contents(ask), len(changes(ask))) == (before, rows)
        wet = ask(kind())
        assert (dry.changes, dry.differences, dry.skipped) == (wet.changes, wet.differences, wet.skipped)
        assert dry.seq is None


def test_redo_after_a_newer_change_is_refused(ask: Ask) -> None:
    ask.add_all("a", "b")
    titled(ask, "A", 1)
    ask(Undo())
    titled(ask, "B", 2)
    with pytest.raises(Conflict, match="changed something since"):
        ask(Redo())
    assert ask.show(1).title == "a"


def test_change_without_effect_is_not_the_last_change(ask: Ask) -> None:
    ask.add("a")
    titled(ask, "b", 1)
    titled(ask, "b", 1)
    ask(Undo())
    assert ask.show(1).title == "a"


def test_undo_without_an_id_takes_the_last_change_of_the_user(db: Database, ask_as: AskAs) -> None:
    ada, grace = db.person(), db.person()
    space = shared_space(db, ada, grace)
    one, two = ask_as(ada, space=space), ask_as(grace, space=space)
    one.add("a")
    two.add("b")
    theirs = titled(two, "B", 2)
    one(Undo())
    assert (one.show(1).status, one.show(2).title) == ("deleted", "B")
    with pytest.raises(NotFound, match="nothing of yours to undo"):
        one(Undo())
    with pytest.raises(NotFound, match="nothing of yours to redo"):
        two(Redo())
    assert one(Undo(id=theirs)).seq, "named, another's may be taken back"
    assert two.show(2).title == "b"
    assert changes(two)[0].user == ada.name

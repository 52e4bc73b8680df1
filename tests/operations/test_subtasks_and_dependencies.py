"""Subtasks and blockers, over both clients."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.ask import Ask
from tests.support.task_requests import edit
from todo_cli.contract.journal import ListChanges, Redo, Undo
from todo_cli.contract.tasks import AddTasks, CompleteTasks, NewTask, ReopenTasks, ShowTask
from todo_cli.contract.trash import DeleteTasks, RestoreTasks
from todo_cli.errors import Conflict, Invalid, NotFound


def test_add_stores_parent_blockers_and_dates(ask: Ask) -> None:
    ask.add_all("a", "b")
    made = ask.add("c", parent=1, after=(2, 1, 2), defer="2030-01-01", scheduled="2030-01-02 09:00")
    assert (made.parent, made.after) == (1, (1, 2))
    assert (made.defer, made.scheduled) == ("2030-01-01", "2030-01-02T08:00:00Z")
    assert (made.started_at, made.tracked, made.repeat) == (None, 0, None)
    assert ask.show(3).after == (1, 2)
    batch = ask(AddTasks(tasks=(NewTask(title="d", parent=3), NewTask(title="e"), NewTask(title="f", after=(3,)))))
    assert [(task.parent, task.after) for task in batch.tasks] == [(3, ()), (None, ()), (None, (3,))]


def test_task_is_blocked_while_a_blocker_is_open(ask: Ask) -> None:
    ask.add_all("a", "b")
    ask.add("c", after=(1, 2))
    seen = [ask(ShowTask(number=3)).blocked]
    for request in (
        CompleteTasks(numbers=(1,)),
        DeleteTasks(numbers=(2,)),
        ReopenTasks(numbers=(1,)),
        Undo(),
        Undo(),
        Undo(),
    ):
        ask(request)
        seen.append(ask(ShowTask(number=3)).blocked)
    assert seen == [True, True, False, True, False, True, True]
    assert ask(ShowTask(number=1)).blocked is False


def test_show_counts_open_subtasks(ask: Ask) -> None:
    ask.add("a")
    ask(AddTasks(tasks=(NewTask(title="b", parent=1), NewTask(title="c", parent=1))))
    assert ask(ShowTask(number=1)).subtasks == 2
    ask(CompleteTasks(numbers=(2,)))
    assert ask(ShowTask(number=1)).subtasks == 1


def test_edit_adds_removes_and_replaces_blockers_and_parent(ask: Ask) -> None:
    ask.add_all("a", "b", "c", "d")
    edit(ask, 3, 4, parent=1, add_after=(2,))
    assert [(ask.show(n).parent, ask.show(n).after) for n in (3, 4)] == [(1, (2,))] * 2
    edit(ask, 4, add_after=(1, 3), remove_after=(2,))
    assert ask.show(4).after == (1, 3)
    edit(ask, 4, after=(2,), parent=None)
    assert (ask.show(4).after, ask.show(4).parent) == ((2,), None)
    edit(ask, 4, after=())
    before = ask.show(4)
    assert before.after == ()
    edit(ask, 4, after=())
    assert ask.show(4) == before, "nothing to change changes nothing"
    for expected in ((2,), (1, 3), (2,), ()):
        ask(Undo())  # an edit that changed nothing is passed over
        assert ask.show(4).after == expected
    for _ in range(4):
        ask(Redo())
    assert (ask.show(4).after, ask.show(3).after) == ((), (2,))


def test_cycle_of_parents_or_blockers_is_refused(ask: Ask) -> None:
    ask.add_all("a", "b", "c", "d")
    edit(ask, 2, parent=1, add_after=(1,))
    edit(ask, 3, parent=2, add_after=(2,))
    for number, parent in ((1, 1), (1, 2), (1, 3), (2, 3)):
        with pytest.raises(Invalid, match=f"task #{number} would be a subtask of itself; nothing was changed"):
            edit(ask, number, parent=parent)
    for number, after in ((1, 1), (1, 2), (1, 3), (2, 3)):
        with pytest.raises(Invalid, match=f"task #{number} would wait for itself; nothing was changed"):
            edit(ask, number, add_after=(after,))
    with pytest.raises(Invalid, match="subtask of itself"):
        edit(ask, 4, 1, parent=3)
    assert ask.show(4).parent is None, "all or none"
    edit(ask, 4, parent=3, after=(3, 2, 1))
    assert ask.show(4).after == (1, 2, 3)


def test_undo_that_would_make_a_cycle_is_refused(ask: Ask) -> None:
    ask.add_all("a", "b")
    edit(ask, 1, parent=2, add_after=(2,))
    first = ask(ListChanges(limit=1)).changes[0].seq
    ask(Undo())
    edit(ask, 2, parent=1, add_after=(1,))
    with pytest.raises(Invalid, match="itself"):
        ask(Redo(id=first))
    assert (ask.show(1).parent, ask.show(2).after) == (None, (1,))


@pytest.mark.parametrize("number", [99, 2**63 - 1])
@pytest.mark.parametrize("field", ["parent", "after"])
def test_missing_parent_or_blocker_is_named(ask: Ask, field: str, number: int) -> None:
    ask.add("a")
    value: Any = number if field == "parent" else (1, number)
    with pytest.raises(NotFound, match=f"task #{number} does not exist; nothing was added"):
        ask.add("b", **{field: value})
    with pytest.raises(NotFound, match=f"task #{number} does not exist; nothing was changed"):
        edit(ask, 1, **{field: value if field == "parent" else (number,)})
    assert ask.add("c").number == 2, "a refused add takes no number"


@pytest.mark.parametrize("field", ["parent", "after"])
def test_trashed_parent_or_blocker_is_refused(ask: Ask, field: str) -> None:
    ask.add_all("a", "b")
    ask(DeleteTasks(numbers=(1,)))
    value: Any = 1 if field == "parent" else (1,)
    with pytest.raises(Conflict, match="task #1 is in the trash; nothing was added") as refused:
        ask.add("b", **{field: value})
    assert "todo restore 1" in refused.value.hint
    with pytest.raises(Conflict, match="task #1 is in the trash; nothing was changed"):
        edit(ask, 2, **{field: value})


def test_delete_parent_keeps_its_subtasks(ask: Ask) -> None:
    ask.add("a")
    ask.add("b", parent=1)
    ask(DeleteTasks(numbers=(1,)))
    assert (ask.show(2).status, ask.show(2).parent) == ("open", 1)
    edit(ask, 2, title="still there")
    ask(RestoreTasks(numbers=(1,)))
    assert ask(ShowTask(number=1)).subtasks == 1


def test_subtasks_deeper_than_fifty_levels_are_refused(ask: Ask) -> None:
    ask.add("0")
    for depth in range(1, 51):
        ask.add(str(depth), parent=depth)
    with pytest.raises(Invalid, match="more than 50 levels deep"):
        ask.add("too deep", parent=51)
    ask.add("apart")
    with pytest.raises(Invalid, match="more than 50 levels deep"):
        edit(ask, 52, parent=51)


def test_task_with_more_than_a_hundred_blockers_is_refused(ask: Ask) -> None:
    ask(AddTasks(tasks=tuple(NewTask(title="x") for _ in range(102))))
    edit(ask, 102, after=tuple(range(1, 101)))
    with pytest.raises(Conflict, match="wait for more than 100 tasks"):
        edit(ask, 102, add_after=(101,))
    with pytest.raises(Invalid, match="longer than 100"):
        edit(ask, 102, after=tuple(range(1, 102)))
    assert len(ask.show(102).after) == 100


def test_complete_leaves_subtasks_open_and_counts_them(ask: Ask) -> None:
    ask.add("a")
    ask(AddTasks(tasks=(NewTask(title="b", parent=1), NewTask(title="c", parent=1))))
    ask.add("d", parent=2)
    done = ask(CompleteTasks(numbers=(1, 3)))
    assert (done.open_subtasks, ask.show(2).status) == (1, "open")
    ask(Undo())
    done = ask(CompleteTasks(numbers=(1,), with_subtasks=True))
    assert [task.number for task in done.tasks] == [1, 2, 3, 4]
    assert {ask.show(n).status for n in range(1, 5)} == {"done"}
    ask(Undo())
    assert {ask.show(n).status for n in range(1, 5)} == {"open"}, "one change, one undo"

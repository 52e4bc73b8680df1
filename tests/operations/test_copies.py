"""Copies of tasks, over both clients."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.support.ask import Ask
from todo_cli.contract.claims import ClaimTask
from todo_cli.contract.comments import AddComment
from todo_cli.contract.copies import CopyTasks
from todo_cli.contract.ids import new_id
from todo_cli.contract.journal import Undo
from todo_cli.contract.tasks import CompleteTasks, ListTasks, ShowTask
from todo_cli.contract.time_tracking import StartTasks, StopTasks
from todo_cli.contract.trash import DeleteTasks
from todo_cli.errors import Conflict, NotFound


def test_copy_has_the_fields_and_none_of_the_history(ask: Ask) -> None:
    ask.add("Wait for it")
    ask.add(
        "Pay rent",
        note="by bank",
        due="2030-01-02 09:00",
        defer="2030-01-01",
        project="home",
        tags=("a", "b"),
        priority=1,
        parent=1,
        after=(1,),
        remind=("1h before",),
    )
    ask(AddComment(number=2, id=new_id(), text="said"))
    ask(StartTasks(numbers=(2,)))
    ask(StopTasks(numbers=(2,)))
    ask(ClaimTask(number=2))
    ask(CompleteTasks(numbers=(2,)))
    answer = ask(CopyTasks(numbers=(2,)), key="once")
    assert answer.copied_from == (2,)
    original, copy = ask.show(2), ask.show(3)
    same = replace(
        copy, **{name: getattr(original, name) for name in ("number", "id", "rev", "created_at", "updated_at")}
    )
    assert same == replace(original, status="open", completed_at=None, tracked=0, fence=None)
    assert ask(ShowTask(number=3)).comments == ()
    again = ask(CopyTasks(numbers=(2,)), key="once")
    assert (again.new, [task.number for task in again.tasks]) == (False, [3])


def test_copies_with_subtasks_refer_to_each_other_and_are_undone_together(ask: Ask) -> None:
    ask.add("Move house")
    ask.add("Pack", parent=1)
    ask.add("Drive", parent=1, after=(2,))
    ask.add("Label boxes", parent=2)
    ask.add("Done before", parent=1)
    ask(CompleteTasks(numbers=(5,)))
    answer = ask(CopyTasks(numbers=(1,), with_subtasks=True, title="Move office", project="work"))
    assert answer.copied_from == (1, 2, 3, 4)
    assert [task.title for task in answer.tasks] == ["Move office", "Pack", "Drive", "Label boxes"]
    assert {task.project for task in answer.tasks} == {"work"}
    assert [(task.parent, task.after) for task in answer.tasks] == [(None, ()), (6, ()), (6, (7,)), (7, ())]
    ask(Undo())
    assert len(ask(ListTasks()).tasks) == 4


def test_given_fields_replace_those_of_the_copies(ask: Ask) -> None:
    ask.add("a", due="2030-01-02", tags=("x",), note="n", priority=2)
    ask.add("b")
    request = CopyTasks(numbers=(2, 1), due="2030-05-01", note=None, add_tags=("y",), remove_tags=("x",), parent=2)
    first, second = ask(request).tasks
    assert (first.title, second.title) == ("b", "a")
    for task in (first, second):
        assert (task.due, task.note, task.tags, task.parent) == ("2030-05-01", None, ("y",), 2)
    assert second.priority == 2


def test_copy_of_a_recurring_task_begins_a_series(ask: Ask) -> None:
    ask.add("Water", due="2030-01-07", every="every week")
    [moved] = ask(CopyTasks(numbers=(1,), due="2030-01-09")).tasks
    [once] = ask(CopyTasks(numbers=(1,), due=None)).tasks
    [still] = ask(CopyTasks(numbers=(1,), every=None)).tasks
    original = ask.show(1).repeat
    assert moved.repeat
    assert original
    assert (moved.repeat.series == original.series, moved.repeat.rule) == (False, original.rule)
    assert (once.repeat, once.due, still.repeat, still.due) == (None, None, None, "2030-01-07")
    following = ask(CompleteTasks(numbers=(moved.number,))).tasks[-1]
    assert following.due == "2030-01-16"


@pytest.mark.parametrize(("numbers", "error"), [((9,), NotFound), ((1,), Conflict)])
def test_missing_and_trashed_tasks_are_not_copied(ask: Ask, numbers: tuple[int, ...], error: type[Exception]) -> None:
    ask.add("a")
    ask(DeleteTasks(numbers=(1,)))
    with pytest.raises(error):
        ask(CopyTasks(numbers=numbers))
    assert len(ask(ListTasks(status="all")).tasks) == 1

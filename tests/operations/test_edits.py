"""Edits of several tasks, each in fields of its own, over both clients."""

from __future__ import annotations

import pytest

from tests.conftest import Database
from tests.support.ask import Ask, AskAs
from todo_cli.contract.edits import EditEachTask, TaskEdit
from todo_cli.contract.ids import new_id
from todo_cli.contract.journal import ListChanges, Undo
from todo_cli.contract.plans import ApplyPlan, MakePlan
from todo_cli.contract.tasks import CompleteTasks, EditTasks
from todo_cli.contract.trash import DeleteTasks
from todo_cli.errors import Conflict, Invalid, NotFound, TodoError


def test_each_task_is_edited_in_its_own_fields_and_all_are_one_change(ask: Ask) -> None:
    ask.add("a", note="n", tags=("x",), priority=1)
    ask.add("b", due="2030-01-02 09:00")
    ask.add_all("c", "d")
    before = [ask.show(number) for number in (1, 2, 3)]
    request = EditEachTask(
        edits=(
            TaskEdit(number=2, due="2030-05-01", add_after=(4,)),
            TaskEdit(number=1, title="A", note=None, add_tags=("y",), if_rev=before[0].rev),
            TaskEdit(number=3, parent=1, assigned_to="me", remind=("2039-01-01",)),
        )
    )
    answer = ask(request, key="once")
    assert [task.number for task in answer.tasks] == [2, 1, 3]
    second, first, third = answer.tasks
    assert (second.title, second.due, second.after) == ("b", "2030-05-01", (4,))
    assert (first.title, first.note, first.tags, first.priority) == ("A", None, ("x", "y"), 1)
    assert (third.parent, third.assigned_to, len(third.remind or ())) == (1, ask.who.name, 1)
    assert ask(request, key="once").new is False
    [change] = ask(ListChanges(limit=1)).changes
    assert (change.verb, change.tasks) == ("EditEachTask", 3)
    ask(Undo())
    after = [ask.show(number) for number in (1, 2, 3)]
    assert [(task.title, task.due, task.note, task.tags, task.parent, task.after, task.remind) for task in after] == [
        (task.title, task.due, task.note, task.tags, task.parent, task.after, task.remind) for task in before
    ]


REFUSED: tuple[tuple[TaskEdit, type[TodoError], str], ...] = (
    (TaskEdit(number=9, title="x"), NotFound, "#9 does not exist"),
    (TaskEdit(number=3, title="x"), Conflict, "#3 is in the trash"),
    (TaskEdit(number=2, due="frday"), Invalid, "task #2: 'frday' is not a date"),
    (TaskEdit(number=2), Invalid, "task #2: no change was given"),
    (TaskEdit(number=2, parent=99), NotFound, "#99 does not exist"),
    (TaskEdit(number=2, assigned_to="nobody"), NotFound, "no member 'nobody'"),
    (TaskEdit(number=2, add_after=(1,)), Invalid, "would wait for itself"),
    (TaskEdit(number=2, remind=("1h before",)), Invalid, "no due date"),
    (TaskEdit(number=1, title="again"), Invalid, "#1 has more than one edit"),
)


@pytest.mark.parametrize(("edit", "error", "words"), REFUSED, ids=[words for _, _, words in REFUSED])
def test_one_edit_that_cannot_be_made_refuses_all(ask: Ask, edit: TaskEdit, error: type[TodoError], words: str) -> None:
    ask.add_all("a", "b", "c")
    ask(DeleteTasks(numbers=(3,)))
    other = TaskEdit(number=1, title="changed", after=(2,))
    with pytest.raises(error, match=words.replace("#", r"\#")):
        ask(EditEachTask(edits=(other, edit)))
    assert (ask.show(1).title, ask.show(1).after) == ("a", ())


def test_rev_of_each_task_is_compared_and_names_the_other_change(ask: Ask) -> None:
    first, second = ask.add("a"), ask.add("b")
    ask(EditTasks(numbers=(2,), title="theirs"))
    edits = (TaskEdit(number=1, title="A", if_rev=first.rev), TaskEdit(number=2, priority=1, if_rev=second.rev))
    with pytest.raises(Conflict, match=r"task #2 has moved on .*title: b → theirs") as caught:
        ask(EditEachTask(edits=edits))
    assert (caught.value.extra["number"], caught.value.extra["rev"]) == (2, ask.show(2).rev)
    assert ask.show(1).title == "a"
    ask(EditEachTask(edits=(edits[0], TaskEdit(number=2, priority=1))))
    assert (ask.show(1).title, ask.show(2).title, ask.show(2).priority) == ("A", "theirs", 1)


def test_edit_of_a_recurring_task_reaches_as_far_as_it_says(ask: Ask) -> None:
    for title in ("this", "all"):
        ask.add(title, due="2030-01-07", every="every week")
    edits = (
        TaskEdit(number=1, title="once", occurrences="this"),
        TaskEdit(number=2, due="2030-01-08", occurrences="all"),
    )
    ask(EditEachTask(edits=edits))
    following = ask(CompleteTasks(numbers=(1, 2))).tasks[-2:]
    assert [(task.title, task.due) for task in following] == [("this", "2030-01-14"), ("all", "2030-01-15")]


def test_plan_of_edits_is_applied_as_it_was_shown(ask: Ask) -> None:
    ask.add_all("a", "b")
    plan = ask(
        MakePlan(
            id=new_id(),
            operation="EditEachTask",
            arguments={"edits": [{"number": 1, "title": "A"}, {"number": 2, "priority": 2}]},
        )
    )
    assert [(each.number, [*each.fields]) for each in plan.differences] == [(1, ["title"]), (2, ["priority"])]
    assert ask.show(1).title == "a"
    ask(ApplyPlan(id=plan.id))
    assert (ask.show(1).title, ask.show(2).priority) == ("A", 2)


def test_edits_by_a_stranger_find_no_task(ask: Ask, ask_as: AskAs, db: Database) -> None:
    ask.add("mine")
    stranger = ask_as(db.person())
    with pytest.raises(NotFound):
        stranger(EditEachTask(edits=(TaskEdit(number=1, title="theirs"),)))
    assert ask.show(1).title == "mine"
